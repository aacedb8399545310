import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.tuner.inspector.serving import KEY, served
from tuner.inspector import launch
from tuner.inspector.access import TOKEN, ensure_token, is_here, is_token, without_token
from tuner.inspector.guard import is_own
from tuner.inspector.server import NoPort, NothingToInspect, folder_to_show, options, runs_allowed


def test_a_path_that_does_not_exist_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NothingToInspect, match=r"no such file or folder; give the folder"):
        launch(tmp_path / "none")


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(NoPort, match="another program uses it"):
            launch(tmp_path, port=other.getsockname()[1])
    with pytest.raises(NoPort, match="65535"):
        launch(tmp_path, port=70000)


@pytest.mark.parametrize(("port", "browser"), [(None, True), (8123, False)])
def test_only_this_machine_is_served_and_nothing_is_sent(port: int | None, browser: bool) -> None:
    made = options(port, browser)
    assert made["server.address"] == "localhost"
    assert len(made["server.allowedHosts"]) == 3
    assert made["browser.gatherUsageStats"] is False
    assert made["server.headless"] is not browser
    assert made.get("server.port") == port


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost:8501", True),
        ("127.0.0.1:8501", True),
        ("[::1]:8501", True),
        ("localhost", True),
        (None, True),
        ("evil.example:8501", False),
        ("localhost.evil.example", False),
        ("", False),
        ("192.168.0.7:8501", False),
    ],
)
def test_runs_are_started_from_this_machine_alone(host: str | None, here: bool) -> None:
    assert is_here(host) is here


def test_runs_are_allowed_by_the_launcher_or_the_script_s_own_flag() -> None:
    assert not runs_allowed({}, ["runs"])
    assert runs_allowed({"TUNER_INSPECT_ALLOW_RUN": "1"})
    assert not runs_allowed({"TUNER_INSPECT_ALLOW_RUN": ""})
    assert runs_allowed({}, ["--allow-run", "runs"])
    assert folder_to_show({}, ["--allow-run", "/b"]) == Path("/b")


def test_the_folder_comes_from_the_launcher_then_the_arguments_then_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_to_show({"TUNER_INSPECT": "/a"}, ["/b"]) == Path("/a")
    assert folder_to_show({}, ["/b"]) == Path("/b")
    assert folder_to_show({}) == Path()
    (tmp_path / "runs").mkdir()
    assert folder_to_show({}) == Path("runs")


def test_only_the_whole_token_is_one() -> None:
    environment: dict[str, str] = {}
    assert not is_token("", environment) and not is_token(None, environment)
    token = ensure_token(environment)
    assert len(token) > 40 and ensure_token(environment) == token and ensure_token({}) != token
    assert is_token(token, environment)
    assert not any(is_token(wrong, environment) for wrong in (None, "", token[:-1], token + "a", "\u00e4" + token))
    assert without_token({TOKEN: token, "A": "b"}) == {"A": "b"}


@pytest.mark.parametrize(
    ("host", "origin", "is_socket", "own"),
    [
        ("localhost:8501", "http://localhost:8501", True, True),
        ("localhost:8501", "http://localhost:9999", True, False),
        ("localhost:8501", "http://127.0.0.1:8501", True, False),
        ("localhost:8501", None, True, False),
        ("localhost:8501", None, False, True),
        ("localhost:8501", "null", False, False),
        ("localhost:8501", "http://localhost:9999", False, False),
        ("localhost:8501", "http://[", True, False),
        ("localhost:8501", "file://localhost:8501", True, False),
        ("evil.example:8501", "http://evil.example:8501", True, False),
        ("evil.example:8501", None, False, False),
    ],
)
def test_only_pages_of_this_server_talk_to_it(host: str, origin: str | None, is_socket: bool, own: bool) -> None:
    assert is_own(host, origin, is_socket=is_socket) is own


def test_the_script_of_streamlit_is_guarded_like_the_command(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    log = tmp_path / "log"
    with served(tmp_path / "runs", log, allow_run=True, by_script=True) as address:
        for name, value in (("Origin", "http://localhost:1"), ("Host", "evil.example")):
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(urllib.request.Request(address, headers={name: value}), timeout=20)
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert f"?token={KEY}" in log.read_text()
