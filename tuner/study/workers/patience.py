"""Waiting for a database server that restarts: its clients lose their connections, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError

from diagnostics.model.message import Message, message
from tuner.errors import error_text
from tuner.training.device_batch import chain

Result = TypeVar("Result")

PATIENCE_SECONDS = 300.0
"""How long a server may stay away; a restart takes seconds, an upgrade of a machine minutes."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 15.0


class Patience:
    """Waits for one server; ``say`` is told when the wait begins and when it ends.

    It waits for nothing until ``begin``: an address that never answered may be wrong.
    """

    def __init__(self, address: str, say: Callable[[Message], None], seconds: float = PATIENCE_SECONDS) -> None:
        self._address, self._say, self._seconds = address, say, seconds
        self._is_begun = False

    def begin(self) -> None:
        """Wait from now on: the server has answered."""
        self._is_begun = True

    def through(self, ask: Callable[[], Result], reconnect: Callable[[], None] = lambda: None) -> Result:
        """What ``ask`` returns, called again with longer and longer pauses while the connection is lost.

        Raises what it raised last when the server stays away, and at once any error that is not about the connection.
        """
        begun, pause = 0.0, FIRST_PAUSE
        while True:
            try:
                answer = ask()
            except (StorageInternalError, SQLAlchemyError) as error:
                if not self._is_begun or not is_lost_connection(error):
                    raise
                if begun and time.monotonic() - begun > self._seconds:
                    raise
                why = error_text(error.__cause__ or error)
            else:
                if begun:
                    self._say(message("database-back", address=self._address, seconds=time.monotonic() - begun))
                return answer
            if not begun:
                begun = time.monotonic()
                minutes = self._seconds / 60
                self._say(message("database-gone", address=self._address, why=why, minutes=minutes))
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            reconnect()


def is_lost_connection(error: BaseException) -> bool:
    """Whether an error is about the connection to the server, not about what was asked of it."""
    return any(
        isinstance(one, (OperationalError, InterfaceError, PendingRollbackError))
        or (isinstance(one, DBAPIError) and one.connection_invalidated)
        for one in chain(error)
    )


class PatientStorage(RDBStorage):
    """Optuna's storage on a server whose restarts are waited out; each call is one transaction, so it can be repeated.

    A call whose answer was lost may have been carried out: a trial that was made twice is found as one that nobody
    trains, and a value that is told twice is kept once.
    """

    def __init__(self, url: str, patience: Patience, **more: Any) -> None:
        self._patience, self._is_inside = patience, False
        super().__init__(url, **more)

    def _reconnect(self) -> None:
        self.remove_session()
        self.engine.dispose()


def _patient(name: str) -> Callable[..., Any]:
    plain = getattr(RDBStorage, name)

    @wraps(plain)
    def method(self: PatientStorage, *args: Any, **more: Any) -> Any:
        if self._is_inside:  # called by another method, which waits
            return plain(self, *args, **more)
        calls = 0

        def ask() -> Any:
            nonlocal calls
            calls += 1
            try:
                return plain(self, *args, **more)
            except UpdateFinishedTrialError:
                if calls == 1 or name != "set_trial_state_values":
                    raise
                return True  # the first call arrived; its answer was lost

        self._is_inside = True
        try:
            return self._patience.through(ask, self._reconnect)
        finally:
            self._is_inside = False

    return method


for _name in (
    *("create_new_study", "delete_study", "set_study_user_attr", "set_study_system_attr", "get_study_id_from_name"),
    *("get_study_name_from_id", "get_study_directions", "get_study_user_attrs", "get_study_system_attrs"),
    *("get_all_studies", "_create_new_trial", "_set_trial_param", "set_trial_state_values", "get_trial"),
    *("set_trial_intermediate_value", "set_trial_user_attr", "set_trial_system_attr", "_get_trials"),
    *("get_trial_id_from_study_id_trial_number", "_get_best_trial_id"),
):
    # What Optuna's cache in front of the storage calls.
    setattr(PatientStorage, _name, _patient(_name))
