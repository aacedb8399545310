"""Where the trials are kept, and which locks go with it: SQLite with files, PostgreSQL with locks of the server."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import SQLAlchemyError

from diagnostics.errors import BadInput
from tuner.config.secret_keys import masked
from tuner.errors import Unfinished, error_text
from tuner.study.folder import LOCKS
from tuner.study.workers.file_locks import FileLocks, Locks

if TYPE_CHECKING:
    from tuner.study.workers.patience import Patience

SQLITE_TIMEOUT = 120
"""Seconds that a process waits for another one's write to SQLite."""
DRIVERS = ("psycopg2", "psycopg")
ADDRESS_HINT = "write sqlite:///FILE.db or postgresql://USER@HOST/NAME"
SQLITE_HEADER = b"SQLite format 3\0"


def check_address(storage: str | None) -> None:
    """Raise ``BadInput`` where ``storage`` is not an address of a database, or names a file that is not SQLite."""
    if storage is None:
        return
    try:
        url = make_url(storage)
        url.get_dialect()
    except (SQLAlchemyError, ImportError) as error:
        raise BadInput(f"--storage {shown(storage)}: not the address of a database; {ADDRESS_HINT}") from error
    path = Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None
    if path is None or not path.exists():
        return
    if not path.is_file():
        raise BadInput(f"--storage {storage}: {path} is a folder; {ADDRESS_HINT}")
    with path.open("rb") as file:
        if file.read(len(SQLITE_HEADER)) not in (b"", SQLITE_HEADER):
            raise BadInput(f"--storage {storage}: {path} is not an SQLite database; name another file")


def database_at(url: str, patience: Patience | None = None) -> RDBStorage:
    """The database at ``url``, its tables made when they are missing; raises ``BadInput`` when it cannot be opened.

    SQLite waits for a writer instead of failing; a connection to a server is checked before each use, and its restarts
    are waited out with ``patience``.
    """
    is_file = url.startswith("sqlite")
    arguments = {"connect_args": {"timeout": SQLITE_TIMEOUT}} if is_file else {"pool_pre_ping": True}
    try:
        if patience is not None and not is_file:
            from tuner.study.workers.patience import PatientStorage

            return PatientStorage(with_driver(url), patience, engine_kwargs=arguments)
        database = RDBStorage(with_driver(url), engine_kwargs=arguments)
        if is_file:
            event.listen(database.engine, "handle_error", _end_query)
        return database
    except (ImportError, ValueError, RuntimeError) as error:
        raise BadInput(f"--storage {shown(url)}: {_driver_or(error)}") from error


def _end_query(failure: ExceptionContext) -> None:
    """End an interrupted query at once.

    SQLAlchemy drops its connection and leaves the query open while the error is handled; the query's lock on the file
    would then block the study's own last writes, and those of every other worker.
    """
    query = failure.execution_context
    if query is not None and query.cursor is not None and not isinstance(failure.original_exception, Exception):
        query.cursor.close()


def locks_for(storage: str | None, out: Path, study: str, patience: Patience | None = None) -> Locks:
    """The locks that all workers on this storage share; raises ``BadInput`` where that is not the address of one.

    Files beside an SQLite database, the server's own locks for PostgreSQL. Of any other database only the workers
    with the same ``out`` share trials.
    """
    if storage is None:
        return FileLocks(out / LOCKS)
    try:
        url = make_url(storage)
        if url.get_backend_name() == "postgresql":
            from tuner.study.workers.postgres_locks import ServerLocks

            return ServerLocks(with_driver(storage), study, patience)
    except (SQLAlchemyError, ImportError) as error:
        raise BadInput(f"--storage {shown(storage)}: {_driver_or(error)}") from error
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        database = Path(url.database).resolve()
        return FileLocks(database.with_name(f"{database.name}-locks") / study)
    return FileLocks(out / LOCKS)


@contextmanager
def reachable(storage: str) -> Iterator[None]:
    """A block in which a database that cannot be opened is one line for the user (``BadInput``)."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise BadInput(_unusable(storage, error)) from error


@contextmanager
def kept_reachable(storage: str) -> Iterator[None]:
    """A block in which a database that was open and answers no more is one line (``Unfinished``)."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise Unfinished(_unusable(storage, error)) from error


def _unusable(storage: str, error: Exception) -> str:
    why = error_text(error.__cause__ or error, 300)
    return f"{shown(storage)}: {why}; once it can be used, the same command continues"


def with_driver(storage: str) -> str:
    """The address with psycopg as its driver where it names none, for SQLAlchemy 2.0 would look for psycopg2."""
    url = make_url(storage) if storage.startswith("postgresql:") else None
    if url is None or importlib.util.find_spec("psycopg") is None:
        return storage
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _driver_or(error: Exception) -> str:
    """The package to install when the database's driver is missing, else what the error says."""
    missing = error.__cause__ if isinstance(error.__cause__, ImportError) else error
    if isinstance(missing, ModuleNotFoundError) and missing.name in DRIVERS:
        return f"{missing.name} is not installed; PostgreSQL needs: pip install 'curvetuner[postgres]'"
    return error_text(error, 300)


def shown(storage: str) -> str:
    """The address of a database without its password."""
    try:
        return masked(make_url(storage).render_as_string(hide_password=True))
    except (SQLAlchemyError, ValueError):
        return masked(storage)
