"""A PostgreSQL server of its own for a test, as Debian's packages install it; none is left running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

OTHER = "postgres"
"""The server refuses to run as root; Debian's package makes this user."""


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``pg_ctl``; None where no server is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def why_not() -> str | None:
    """Why no server can be started here; None when one can."""
    if binaries() is None:
        return "no PostgreSQL server is installed (Debian: apt-get install postgresql)"
    if os.getuid() == 0 and _other() is None:
        return f"a PostgreSQL server does not run as root, and there is no user {OTHER}"
    try:
        import psycopg  # noqa: F401  # the driver that the extra installs
    except ImportError:
        return "no driver for PostgreSQL: pip install 'curvetuner[postgres]'"
    return None


def _other() -> int | None:
    import pwd

    try:
        return pwd.getpwnam(OTHER).pw_uid
    except KeyError:
        return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A server that can be stopped at once, as by a crash, and started again."""

    address: str
    call: Callable[..., None]
    options: str

    def stop(self) -> None:
        """End it without a farewell to its clients."""
        self.call("pg_ctl", "-w", "-m", "immediate", "stop")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.call("pg_ctl", "-w", "-l", "log", "-o", self.options, "start")


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh database; the server stops and its files go after the block."""
    with restartable() as one:
        yield one.address


@contextmanager
def restartable() -> Iterator[Server]:
    """A fresh server; it stops and its files go after the block."""
    bin_folder = binaries()
    assert bin_folder is not None
    folder, port, user = Path(tempfile.mkdtemp(prefix="tuner-postgres-")), _free_port(), None
    if os.getuid() == 0:
        user = OTHER
        shutil.chown(folder, user)

    def call(program: str, *arguments: str) -> None:
        command = [str(bin_folder / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, capture_output=True, timeout=120)

    address = f"postgresql://tuner@127.0.0.1:{port}/postgres"
    one = Server(address, call, f"-h 127.0.0.1 -p {port} -k {folder} -F")
    try:
        call("initdb", "-U", "tuner", "-A", "trust", "--no-sync")
        one.start()
        try:
            yield one
        finally:
            with suppress(subprocess.CalledProcessError):  # a test may have stopped it
                one.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
