"""Start the inspector's server, and pass it the folder that it may show."""

from __future__ import annotations

import os
import socket
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from diagnostics.chart.theme import BLUE
from diagnostics.errors import BadInput
from tuner.config.sources import at_home
from tuner.inspector.access import HOSTS, PARAMETER, ensure_token

FOLDER = "TUNER_INSPECT"
ALLOW = "TUNER_INSPECT_ALLOW_RUN"
ALLOW_FLAG = "--allow-run"
PAGES = "tuner.inspector.views.app"
ADDRESS = "localhost"


class NothingToInspect(BadInput):
    """The path that was given does not exist; the message says what to give."""


class NoPort(BadInput):
    """The requested port is invalid or taken; the message says what to do."""


def launch(path: Path | str, port: int | None = None, browser: bool = True, allow_run: bool = False) -> int:
    """The server's exit status once it is stopped; until then it shows the runs at or below ``path`` to this machine.

    ``port`` None takes the first free one from 8501. With ``allow_run`` the pages start runs below ``path`` for whoever
    has the token of the address that is printed. Raises ``NothingToInspect`` for a path that does not exist and
    ``NoPort`` for a port that is not available.
    """
    folder = at_home(path).absolute()
    if not folder.exists():
        raise NothingToInspect(f"{path}: no such file or folder; give the folder that your runs log to")
    if port is not None:
        _check(port)
    print(f"starting the inspector for {folder} …", flush=True)
    from streamlit.starlette import App

    # Importing the pages takes half a second: done while the server comes up and the browser starts.
    threading.Thread(target=import_module, args=(PAGES,), daemon=True).start()
    try:
        App(**guarded_pages(folder, allow_run, browser=browser)).run(config=options(port, browser))
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return 0
    return 0


def guarded_pages(folder: Path, allow_run: bool, *, browser: bool = False) -> dict[str, Any]:
    """What Streamlit's ``App`` is made of: the pages on a folder, behind the check of where requests come from.

    The script of the pages learns of both by the environment.
    """
    from starlette.middleware import Middleware

    from tuner.inspector.guard import Guard

    os.environ[FOLDER] = str(folder)
    os.environ[ALLOW] = "1" if allow_run else ""
    script = Path(__file__).with_name("entry.py")
    return {"script_path": script, "middleware": [Middleware(Guard)], "lifespan": _announced(browser)}


def _announced(browser: bool) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """What the server does when it is up, and its port known: print its address, and open it in a browser."""

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        from streamlit import config

        address = f"http://{ADDRESS}:{config.get_option('server.port')}/"
        if runs_allowed():
            address += f"?{PARAMETER}={ensure_token()}"
        print(f"\n  The inspector: {address}\n", flush=True)
        if browser:
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        yield

    return lifespan


def _check(port: int) -> None:
    if not 0 < port < 65536:
        raise NoPort(f"--port {port}: must be between 1 and 65535")
    with socket.socket() as probe:
        if probe.connect_ex((ADDRESS, port)) == 0:
            raise NoPort(f"--port {port}: another program uses it; choose another, or leave it out for a free one")


def options(port: int | None, browser: bool) -> dict[str, Any]:
    """The options of Streamlit: only this machine may connect, and nothing is sent anywhere."""
    made: dict[str, Any] = {
        "server.address": ADDRESS,
        "server.allowedHosts": list(HOSTS),
        "server.headless": not browser,
        "server.showEmailPrompt": False,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "logger.hideWelcomeMessage": True,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.light.primaryColor": BLUE[0],
        "theme.dark.primaryColor": "#3a7fc8",
    }
    return made if port is None else {**made, "server.port": port}


def folder_to_show(environment: Mapping[str, str] = os.environ, arguments: Sequence[str] = ()) -> Path:
    """The folder that ``launch`` set, else the first of ``arguments``, else ``runs`` where there is one, else here."""
    given = environment.get(FOLDER) or next((word for word in arguments if word != ALLOW_FLAG), None)
    if given:
        return Path(given)
    return Path("runs") if Path("runs").is_dir() else Path()


def runs_allowed(environment: Mapping[str, str] = os.environ, arguments: Sequence[str] = ()) -> bool:
    """Whether the pages may start runs: only when ``launch`` or the script's own arguments said so."""
    return environment.get(ALLOW) == "1" or ALLOW_FLAG in arguments


def script_arguments(script: str) -> list[str]:
    """What follows ``streamlit run app.py --``; nothing when another program runs the script."""
    same = bool(sys.argv) and Path(sys.argv[0]).name == Path(script).name
    return sys.argv[1:] if same else []
