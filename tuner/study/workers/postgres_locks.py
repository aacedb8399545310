"""Locks of a PostgreSQL server, for workers on several machines: each is held by a connection of its own."""

from __future__ import annotations

import os
import weakref
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
            return self._connection_with(name)
        return self._patience.through(lambda: self._connection_with(name))

    def _connection_with(self, name: str) -> Connection | None:
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

    def _key(self, name: str) -> int:
        return int.from_bytes(sha256(f"tuner/{self._study}/{name}".encode()).digest()[:8], "big", signed=True)


class ServerLock:
    """A lock that its connection to the server holds."""

    def __init__(self, locks: ServerLocks, name: str, connection: Connection) -> None:
        self._locks, self._name = locks, name
        self._connection: Connection | None = connection
        _open.add(self)

    def release(self) -> None:
        """Let others have it; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def keep(self) -> bool:
        """Whether it is still held, taken again over a new connection if the old one was cut and nobody else has it."""
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self._connection.invalidate()
            self._connection.close()
            self._connection = self._locks.connection_with(self._name)
        return self._connection is not None

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
