import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tuner import hostile
from tests.waiting import until
from tuner.inspector.access import TOKEN
from tuner.inspector.jobs.allowed import NotAllowed
from tuner.inspector.jobs.processes import Process, is_running, process
from tuner.inspector.jobs.record import (
    HIDDEN,
    RECORD,
    Job,
    State,
    job,
    jobs,
    kill,
    last_lines,
    mark,
    stop,
    write_record,
)
from tuner.inspector.jobs.start import NotStarted, plan, resume, start
from tuner.inspector.jobs.worker import EXIT, main

TEXT = "method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: rows.jsonl\n"
REFUSED = TEXT + "study: {trials: 0}\n"  # refused by the child before it loads a library
Begin = Callable[..., Job]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """``begin(name, code)``: a real process that is marked as the one started into that folder."""
    children = []

    def started(name: str, code: str = "import time; print('up', flush=True); time.sleep(300)") -> Job:
        folder = tmp_path / name
        (folder / HIDDEN).mkdir(parents=True)
        words = mark(folder).split(" ")
        child = subprocess.Popen(
            [sys.executable, "-c", code, *words, "train"], start_new_session=True, stdout=subprocess.PIPE
        )
        children.append(child)
        assert child.stdout is not None and child.stdout.readline() == b"up\n"
        running = process(child.pid)
        assert running is not None
        write_record(tmp_path, folder, "train", tmp_path / f"{name}.yaml", running)
        found = job(tmp_path, folder)
        assert found is not None
        return found

    yield started
    for child in children:
        child.kill()
        child.wait()
        child.stdout.close()


def standing(known: Job, root: Path) -> Job:
    found = job(root, known.folder)
    assert found is not None
    return found


def test_a_started_process_is_found_again_from_its_files(begin: Begin, tmp_path: Path) -> None:
    first = begin("a")
    begin("b/c")
    assert [one.name for one in jobs(tmp_path)] == ["b/c", "a"]
    assert [one.state for one in jobs(tmp_path)] == [State.RUNNING, State.RUNNING]
    os.kill(first.process.pid, signal.SIGKILL)
    until(lambda: standing(first, tmp_path).state is State.FAILED, "the end of the killed run")
    assert standing(first, tmp_path).status is None


def test_a_run_is_asked_to_stop_and_the_rest_of_the_machine_is_left_alone(begin: Begin, tmp_path: Path) -> None:
    other, known = begin("other"), begin("a")
    stop(known)
    until(lambda: standing(known, tmp_path).state is State.STOPPED, "the end of the stopped run")
    assert standing(other, tmp_path).state is State.RUNNING


def test_a_run_that_does_not_listen_is_killed_with_its_children_after_the_grace_time(
    begin: Begin, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    code = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
        f"open({str(child)!r}, 'w').write(str(child.pid)); print('up', flush=True); time.sleep(300)"
    )
    known = begin("a", code)
    stop(known, grace=2)
    assert standing(known, tmp_path).state is State.STOPPING
    until(lambda: standing(known, tmp_path).state is State.STOPPED, "the end of the stopped run")
    until(lambda: process(int(child.read_text())) is None, "the end of its child")


def test_a_stopping_run_can_be_killed_at_once(begin: Begin, tmp_path: Path) -> None:
    known = begin(
        "a", "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(300)"
    )
    stop(known, grace=60)
    kill(known)
    until(lambda: standing(known, tmp_path).state is State.STOPPED, "the end of the stopped run")


def test_a_forged_record_names_no_process_of_somebody_else(begin: Begin, tmp_path: Path) -> None:
    victim = begin("victim")
    forged = tmp_path / "forged"
    (forged / HIDDEN).mkdir(parents=True)
    raw = json.loads((victim.folder / HIDDEN / RECORD).read_text())
    (forged / HIDDEN / RECORD).write_text(json.dumps(raw))
    found = job(tmp_path, forged)
    assert found is not None and found.state is State.FAILED
    stop(found)
    kill(found)
    assert standing(victim, tmp_path).state is State.RUNNING


def test_a_number_that_was_given_out_again_is_another_process() -> None:
    me = process(os.getpid())
    assert me is not None
    assert is_running(me, "")
    assert not is_running(Process(me.pid, "another time"), "")
    assert not is_running(me, "no such words in the command line")
    assert process(0) is None and process(-1) is None


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"pid": "x"}', '{"pid": 1, "process": "a", "kind": "rm", "file": "a", "began": 0}',
     '{"pid": 1, "process": "a", "kind": "train", "file": "../../etc/passwd", "began": 0}'],
)  # fmt: skip
def test_a_record_that_is_none_is_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "open" / "a" / HIDDEN).mkdir(parents=True)
    (tmp_path / "open" / "a" / HIDDEN / RECORD).write_text(text)
    assert jobs(tmp_path / "open") == []


def test_a_link_that_leads_out_is_not_followed(begin: Begin, tmp_path: Path) -> None:
    begin("outside/a")
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "a").symlink_to(tmp_path / "outside" / "a")
    assert jobs(tmp_path / "open") == []


def test_the_last_lines_are_returned(begin: Begin, tmp_path: Path) -> None:
    known = begin("a")
    assert last_lines(known) == ""
    known.log.write_bytes(b"x" * 100_000 + b"\n" + b"\n".join(b"line %d" % n for n in range(50)) + b"\nhalf \xff")
    assert last_lines(known, 3) == "line 48\nline 49\nhalf \ufffd"


def test_the_child_leaves_its_exit_status_and_its_error(tmp_path: Path) -> None:
    known = start(tmp_path, plan(tmp_path, "next", REFUSED))
    assert (tmp_path / "next.yaml").read_text() == REFUSED
    assert (known.kind, known.name) == ("study", "next")
    until(lambda: not standing(known, tmp_path).is_on, "the end of the run")
    ended = standing(known, tmp_path)
    assert (ended.state, ended.status) == (State.FAILED, 2)
    assert "study.trials: must be 1 or more" in last_lines(ended)
    again = resume(tmp_path, ended)
    until(lambda: not standing(again, tmp_path).is_on, "the end of the run that went on")
    assert again.began > ended.began
    assert "-- resumed --" in last_lines(again)


def test_the_worker_tells_how_its_command_ended(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        assert main([str(tmp_path), "rules", "no-such-rule"]) == 2
        assert (tmp_path / EXIT).read_text() == "2"
        assert main([str(tmp_path), "no-such-command"]) == 2
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_run_that_is_on_is_not_started_again(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(NotStarted, match="still running"):
        resume(tmp_path, begin("a"))


def test_a_model_in_the_opened_folder_runs_no_code_of_its_own(
    tmp_path: Path, small_model: Path, small_rows: Path
) -> None:
    root, marker = tmp_path / "open", tmp_path / "code-has-run"
    root.mkdir()
    hostile.model(root / "evil", small_model, marker)
    shutil.copytree(small_rows / "sft", root / "rows")
    text = "method: sft\nmodel_name_or_path: evil\ndataset_name: rows\nmax_steps: 1\nbf16: false\n"
    for way in ("trust_remote_code: true\n", "model_init_kwargs: {trust_remote_code: true}\n"):
        with pytest.raises(NotAllowed, match=r"trust_remote_code|model_init_kwargs"):
            plan(root, "next", text + way)
    known = start(root, plan(root, "next", text))
    until(lambda: not standing(known, root).is_on, "the end of the run", seconds=120)
    ended = standing(known, root)
    assert (ended.state, ended.status) == (State.FAILED, 2) and "--trust-remote-code" in last_lines(ended)
    # Whoever can write into the folder cannot make Resume run it, either.
    known.file.write_text(text + way)
    with pytest.raises(NotAllowed, match="model_init_kwargs"):
        resume(root, ended)
    assert not marker.exists()


@pytest.mark.long
def test_a_started_process_does_not_get_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "the-token")
    started: list[dict[str, str]] = []
    once = subprocess.Popen

    def popen(*words: object, **options: object) -> object:
        started.append(options["env"])  # type: ignore[arg-type]
        return once(*words, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", popen)
    known = start(tmp_path, plan(tmp_path, "next", REFUSED))
    until(lambda: not standing(known, tmp_path).is_on, "the end of the run")
    assert started and not [one for one in started if TOKEN in one]
