"""Locks of a PostgreSQL server, for workers on several machines: each is held by a connection of its own."""

from __future__ import annotations

import os
import selectors
import threading
import time
import weakref
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from tuner.study.workers.file_locks import Lock

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from tuner.study.workers.patience import Patience

CONNECTION_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "idle_session_timeout": "0",
}
"""A machine that lost its power or its network is noticed after a minute (Linux waits two hours by default); a worker
that trains for hours without a query is not."""
RESTART_SECONDS = 15.0
"""For so long after a restart nobody takes over a run whose lock is free: its holder takes it again within a second or
so, and to lose that race would cost what was trained since the last evaluation."""
WATCH_SECONDS, RETRY_SECONDS = 1.0, 0.25
_open: weakref.WeakSet[ServerLock] = weakref.WeakSet()


class ServerLocks:
    """The locks of one study in a PostgreSQL database: session-level advisory locks.

    The server frees a lock when the connection of its holder ends, so also when that process is killed.
    """

    def __init__(self, url: str, study: str, patience: Patience | None = None) -> None:
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._study, self._patience = study, patience

    def __repr__(self) -> str:
        """The database, without its password."""
        return f"{self._engine.url!r}"

    def try_lock(self, name: str) -> Lock | None:
        """The lock of that name, or None while this or another worker holds it."""
        connection = self.connection_with(name)
        return None if connection is None else ServerLock(self, name, connection)

    def connection_with(self, name: str) -> Connection | None:
        """A new connection that holds the lock of that name, or None while another one does.

        A server that restarts is waited for, with patience.
        """
        if self._patience is None:
            return self.new_connection_with(name)
        return self._patience.through(lambda: self.new_connection_with(name))

    def new_connection_with(self, name: str) -> Connection | None:
        """The same without waiting for a server that is away; raises SQLAlchemy's ``DBAPIError`` then."""
        connection = self._engine.connect()
        try:
            if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": self._key(name)}).scalar():
                _watch(connection)
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def are_settled(self) -> bool:
        """Whether whoever lost a lock as the server restarted has had the time to take it again."""
        uptime = text("SELECT extract(epoch FROM now() - pg_postmaster_start_time())")

        def ask() -> float:
            with self._engine.connect() as connection:
                return float(connection.execute(uptime).scalar_one())

        seconds = ask() if self._patience is None else self._patience.through(ask)
        return not 0 <= seconds < RESTART_SECONDS

    def _key(self, name: str) -> int:
        return int.from_bytes(sha256(f"tuner/{self._study}/{name}".encode()).digest()[:8], "big", signed=True)


class ServerLock:
    """A lock that its connection to the server holds.

    A server that restarts frees it. A thread notices that at once and takes it again: the worker itself, which trains,
    asks only at its next evaluation.
    """

    def __init__(self, locks: ServerLocks, name: str, connection: Connection) -> None:
        self._locks, self._name = locks, name
        self._connection: Connection | None = connection
        self._mutex = threading.Lock()
        _open.add(self)
        threading.Thread(target=_watch_over, args=(weakref.ref(self),), daemon=True).start()

    def release(self) -> None:
        """Let others have it; a second call does nothing."""
        with self._mutex:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def keep(self) -> bool:
        """Whether it is still held, taken again over a new connection if the old one was cut and nobody else has it."""
        with self._mutex:
            if self._connection is not None and not _answers(self._connection):
                self._connection = self._locks.connection_with(self._name)
            return self._connection is not None

    def take_again(self) -> None:
        """Do what ``keep`` does, but ask a server that is away only once."""
        with self._mutex:
            if self._connection is not None and not _answers(self._connection):
                with suppress(DBAPIError):
                    self._connection = self._locks.new_connection_with(self._name)

    def handle(self) -> int | None:
        """The number of its socket, -1 while it has none, None once the lock is released or lost."""
        connection = self._connection
        if connection is None:
            return None
        try:
            driver: Any = connection.connection.driver_connection
            return int(driver.fileno())
        except Exception:  # cut or closed in this moment: each driver has an error of its own for that
            return -1

    def leave_to_parent(self) -> None:
        """Close a forked child's copy of the socket: the parent's death must end the connection, the child's must not.

        The number stays open, on nothing, for the driver writes a farewell to it when the child ends.
        """
        if self._connection is None or self._connection.closed:
            return
        driver: Any = self._connection.connection.driver_connection
        nothing = os.open(os.devnull, os.O_RDWR)
        os.dup2(nothing, driver.fileno())
        os.close(nothing)


def _answers(connection: Connection) -> bool:
    """Whether the connection is still there; one that is not is closed."""
    if connection.closed:
        return False
    try:
        connection.execute(text("SELECT 1"))
    except DBAPIError:
        connection.invalidate()
        connection.close()
        return False
    return True


def _watch_over(watched: weakref.ref[ServerLock]) -> None:
    """Have a lock taken again whenever its connection is cut, until it is released or forgotten."""
    while (lock := watched()) is not None and (handle := lock.handle()) is not None:
        del lock  # so that it can be forgotten while this waits
        if handle >= 0 and not _says_something(handle):
            continue
        lock = watched()
        if lock is not None:
            lock.take_again()
        del lock
        time.sleep(RETRY_SECONDS)


def _says_something(handle: int) -> bool:
    """Whether something came over this socket within a while: its end, for a server says nothing unasked."""
    with selectors.DefaultSelector() as selector:
        try:
            selector.register(handle, selectors.EVENT_READ)
        except (OSError, ValueError):  # closed in this moment
            return True
        return bool(selector.select(WATCH_SECONDS))


def _watch(connection: Connection) -> None:
    """Have the server notice a holder that is gone without warning."""
    rows = ", ".join(f"('{name}', '{value}')" for name, value in CONNECTION_SETTINGS.items())
    known = "SELECT set_config(wanted.name, wanted.value, false) FROM pg_settings JOIN "
    connection.execute(text(f"{known} (VALUES {rows}) AS wanted(name, value) ON pg_settings.name = wanted.name"))


def _after_fork() -> None:
    for lock in list(_open):
        lock.leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
