import socket
from pathlib import Path

import pytest

from tuner.inspector import launch
from tuner.inspector.server import NoPort, NothingToInspect, arguments, folder_to_show


def test_a_path_that_does_not_exist_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(NothingToInspect, match=r"no such file or folder; give the folder"):
        launch(tmp_path / "none")


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(NoPort, match="another program uses it"):
            launch(tmp_path, port=other.getsockname()[1])
    with pytest.raises(NoPort, match="no port"):
        launch(tmp_path, port=70000)


@pytest.mark.parametrize(("port", "browser"), [(None, True), (8123, False)])
def test_only_this_machine_is_served_and_nothing_is_sent(port: int | None, browser: bool) -> None:
    flags = arguments(port, browser)
    options = dict(zip(flags[2::2], flags[3::2], strict=True))
    assert flags[0] == "run"
    assert Path(flags[1]).is_file()
    assert options["--server.address"] == "localhost"
    assert options["--browser.gatherUsageStats"] == "false"
    assert options["--server.headless"] == str(not browser).lower()
    assert options.get("--server.port") == (str(port) if port else None)


def test_the_folder_comes_from_the_launcher_then_the_arguments_then_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_to_show({"TUNER_INSPECT": "/a"}, ["/b"]) == Path("/a")
    assert folder_to_show({}, ["/b"]) == Path("/b")
    assert folder_to_show({}) == Path()
    (tmp_path / "runs").mkdir()
    assert folder_to_show({}) == Path("runs")
