"""Start the inspector's server, and pass it the folder that it may show."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from diagnostics.chart.theme import BLUE
from diagnostics.errors import BadInput

FOLDER = "TUNER_INSPECT"
ALLOW = "TUNER_INSPECT_ALLOW_RUN"
ALLOW_FLAG = "--allow-run"
PAGES = "tuner.inspector.views.app"
ADDRESS = "localhost"
HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""The names of this machine. A page from elsewhere can point a name of its own here, but not one of these."""


class NothingToInspect(BadInput):
    """The path that was given does not exist; the message says what to give."""


class NoPort(BadInput):
    """The requested port is invalid or taken; the message says what to do."""


def launch(path: Path | str, port: int | None = None, browser: bool = True, allow_run: bool = False) -> int:
    """The server's exit status once it is stopped; until then it shows the runs at or below ``path`` to this machine.

    ``port`` None takes the first free one from 8501; ``allow_run`` lets the pages start runs below ``path``. Raises
    ``NothingToInspect`` for a path that does not exist and ``NoPort`` for a port that is not available.
    """
    folder = Path(path).expanduser().absolute()
    if not folder.exists():
        raise NothingToInspect(f"{path}: no such file or folder; give the folder that your runs log to")
    if port is not None:
        _check(port)
    print(f"starting the inspector for {folder} …", flush=True)
    from streamlit.web.cli import main

    os.environ[FOLDER] = str(folder)
    os.environ[ALLOW] = "1" if allow_run else ""
    # Importing the pages takes half a second: done while the server comes up and the browser starts.
    threading.Thread(target=import_module, args=(PAGES,), daemon=True).start()
    try:
        main(arguments(port, browser), standalone_mode=False)
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return 0
    return 0


def _check(port: int) -> None:
    if not 0 < port < 65536:
        raise NoPort(f"--port {port}: must be between 1 and 65535")
    with socket.socket() as probe:
        if probe.connect_ex((ADDRESS, port)) == 0:
            raise NoPort(f"--port {port}: another program uses it; choose another, or leave it out for a free one")


def arguments(port: int | None, browser: bool) -> list[str]:
    """The arguments of ``streamlit``: only this machine may connect, and nothing is sent anywhere."""
    options = {
        "server.address": ADDRESS,
        "server.headless": str(not browser).lower(),
        "server.showEmailPrompt": "false",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.light.primaryColor": BLUE[0],
        "theme.dark.primaryColor": "#3a7fc8",
    }
    if port is not None:
        options["server.port"] = str(port)
    flags = [part for key, value in options.items() for part in (f"--{key}", value)]
    flags += [part for host in HOSTS for part in ("--server.allowedHosts", host)]
    return ["run", str(Path(__file__).with_name("entry.py")), *flags]


def folder_to_show(environment: Mapping[str, str] = os.environ, arguments: Sequence[str] = ()) -> Path:
    """The folder that ``launch`` set, else the first of ``arguments``, else ``runs`` where there is one, else here."""
    given = environment.get(FOLDER) or next((word for word in arguments if word != ALLOW_FLAG), None)
    if given:
        return Path(given)
    return Path("runs") if Path("runs").is_dir() else Path()


def runs_allowed(environment: Mapping[str, str] = os.environ, arguments: Sequence[str] = ()) -> bool:
    """Whether the pages may start runs: only when ``launch`` or the script's own arguments said so."""
    return environment.get(ALLOW) == "1" or ALLOW_FLAG in arguments


def is_here(host: str | None) -> bool:
    """Whether a request's Host header names this machine; None, where there is no browser, does."""
    return host is None or host in HOSTS or host.rpartition(":")[0] in HOSTS


def script_arguments(script: str) -> list[str]:
    """What follows ``streamlit run app.py --``; nothing when another program runs the script."""
    same = bool(sys.argv) and Path(sys.argv[0]).name == Path(script).name
    return sys.argv[1:] if same else []
