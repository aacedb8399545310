"""Ctrl-C in the middle of a query: the study's own last writes and other workers must not wait for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from sqlalchemy import event

from tuner.study.workers import storage
from tuner.study.workers.storage import database_at


def test_an_interrupted_query_blocks_no_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(storage, "SQLITE_TIMEOUT", 1)
    address = f"sqlite:///{tmp_path / 'study.db'}"
    database = database_at(address)
    study = optuna.create_study(study_name="bowl", storage=database)
    study.set_user_attr("steps", 1)
    begun: list[str] = []

    def interrupt(connection: Any, cursor: Any, statement: str, *more: Any) -> None:
        """As a signal that comes while SQLite reads: Python raises it before the rows are fetched."""
        if statement.startswith("SELECT") and not begun:
            begun.append(statement)
            raise KeyboardInterrupt

    event.listen(database.engine, "after_cursor_execute", interrupt)
    try:
        assert study.user_attrs is None
    except KeyboardInterrupt:  # its traceback keeps the frames of the query alive
        study.set_user_attr("steps", 2)
        other = optuna.load_study(study_name="bowl", storage=database_at(address))
        other.set_user_attr("seen", True)
    assert begun
    assert study.user_attrs == {"steps": 2, "seen": True}
