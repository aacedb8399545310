"""The judge, against a stand-in that speaks the endpoint's protocol over HTTP."""

import socketserver
import threading
import time
from contextlib import contextmanager, suppress

import pytest

from tests.tuner.judge_endpoint import endpoint as stand_in
from tests.tuner.judge_endpoint import longer
from tuner.config.judge import JudgeBlock, read_judge
from tuner.errors import SpecError
from tuner.training.generation import Sample
from tuner.training.judge import JUDGED, WIN_RATE, Judge
from tuner.training.train import train

BEFORE = [Sample(f"q{n}", "r", "short") for n in range(4)]
AFTER = [Sample(f"q{n}", "r", "a longer answer") for n in range(4)]


@pytest.fixture
def endpoint():
    with stand_in() as server:
        yield server


def judged(endpoint, before=BEFORE, after=AFTER, **keys):
    return Judge(JudgeBlock(endpoint.address, "m", **keys)).compared(before, after)


def test_a_judge_that_sees_a_difference_says_who_wins(endpoint):
    endpoint.judge = staticmethod(longer)
    assert judged(endpoint) == {WIN_RATE: 1.0, JUDGED: 4.0}
    assert judged(endpoint, AFTER, BEFORE) == {WIN_RATE: 0.0, JUDGED: 4.0}


@pytest.mark.parametrize("word", ["A", "B", "tie"])
def test_a_judge_that_prefers_a_position_decides_nothing(endpoint, word):
    endpoint.judge = staticmethod(lambda first, second: f"**{word}**.")
    assert judged(endpoint) == {WIN_RATE: 0.5, JUDGED: 4.0}
    assert len(endpoint.seen) == 8


def test_calls_are_bounded_and_equal_answers_cost_none(endpoint):
    endpoint.judge = staticmethod(longer)
    assert judged(endpoint, max_calls=5) == {WIN_RATE: 1.0, JUDGED: 2.0}
    assert len(endpoint.seen) == 5
    assert judged(endpoint, rows=1)[JUDGED] == 1
    endpoint.seen.clear()
    assert judged(endpoint, BEFORE, BEFORE) == {WIN_RATE: 0.5, JUDGED: 4.0}
    assert endpoint.seen == []


def test_the_key_comes_from_the_environment_alone(endpoint, monkeypatch):
    monkeypatch.setenv("MY_JUDGE", "sk-1")
    judged(endpoint, key_env="MY_JUDGE", rows=1)
    headers, body = endpoint.seen[0]
    assert headers["Authorization"] == "Bearer sk-1"
    assert (body["model"], body["temperature"]) == ("m", 0)
    monkeypatch.delenv("MY_JUDGE")
    judged(endpoint, key_env="MY_JUDGE", rows=1)
    assert "Authorization" not in endpoint.seen[-1][0]


def test_an_endpoint_that_fails_gives_no_verdict_and_is_soon_left_alone(endpoint):
    endpoint.status = 500
    assert judged(endpoint) == {}
    assert len(endpoint.seen) == 3
    endpoint.status, endpoint.judge = 200, staticmethod(lambda first, second: "I cannot say.")
    assert judged(endpoint) == {}
    assert Judge(JudgeBlock("http://127.0.0.1:9/v1", "m", seconds=1.0)).compared(BEFORE, AFTER) == {}


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
        b"HTTP/1.1 200 OK\r\n\r\n" + b'{"choices": [{"message": 3}]}',
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_an_endpoint_may_say_anything(said):
    with _talking(lambda connection: connection.sendall(said)) as address:
        assert Judge(JudgeBlock(address, "m", seconds=2.0)).compared(BEFORE, AFTER) == {}


def test_a_reply_that_comes_drop_by_drop_is_not_waited_for():
    def drip(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" ")
            time.sleep(0.02)

    began = time.monotonic()
    with _talking(drip) as address:
        assert Judge(JudgeBlock(address, "m", seconds=0.2)).compared(BEFORE, AFTER) == {}
    assert time.monotonic() - began < 10


@contextmanager
def _talking(say):
    """A server that reads a request and then says whatever it likes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(2**16)
            with suppress(OSError):
                say(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        server.shutdown()


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("MY_JUDGE", "sk-secret\nX-Other: 1")
    with pytest.raises(SpecError, match="key_env: MY_JUDGE") as caught:
        read_judge({"base_url": "https://h/v1", "model": "m", "key_env": "MY_JUDGE"}, "x.yaml: study.judge")
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_one_line(endpoint, status):
    endpoint.status = status
    with pytest.raises(SpecError, match="refuses the key; set OPENAI_API_KEY"):
        judged(endpoint)


def test_a_run_is_judged_against_the_model_before_it(make, tmp_path, endpoint):
    endpoint.judge = staticmethod(longer)
    block = {"base_url": endpoint.address, "model": "m", "rows": 3}
    spec = make(study={"metric": "judge_win_rate", "exact_match_rows": 4, "judge": block})
    run = train(spec, {}, tmp_path / "run")
    curve = run.curve("eval_judge_win_rate")
    assert [*curve.steps] == [3]
    assert 0.0 <= curve.values[0] <= 1.0
    assert "judge" not in (tmp_path / "run" / "config.yaml").read_text()


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ({"model": "m"}, "needs base_url"),
        ({"base_url": "http://example.org/v1", "model": "m"}, "must be https"),
        ({"base_url": "https://me:pw@host/v1", "model": "m"}, "without a user or a key in it"),
        ({"base_url": "https://:pw@host/v1", "model": "m"}, "without a user or a key in it"),
        ({"base_url": "https://[::1/v1", "model": "m"}, "must be an address"),
        ({"base_url": "https://h:99999/v1", "model": "m"}, "must be an address"),
        ({"base_url": "https://h/v1\r\nX: y", "model": "m"}, "must be an address"),
        ({"base_url": "file:///etc/passwd", "model": "m"}, "must be an address"),
        ({"base_url": "https://h/v1", "model": "m", "api_key": "sk"}, "comes from the environment variable key_env"),
        ({"base_url": "https://h/v1", "model": "m", "row": 3}, "did you mean rows?"),
        ({"base_url": "https://h/v1", "model": "m", "rows": 0}, "must be above 0"),
        ({"base_url": "https://h/v1", "model": "m", "max_study_calls": 0}, "max_study_calls: must be above 0"),
        ("https://h/v1", "must be a mapping"),
    ],
)
def test_a_judge_that_cannot_be_is_one_line(block, says):
    with pytest.raises(SpecError) as caught:
        read_judge(block, "x.yaml: study.judge")
    assert says in str(caught.value) and "\n" not in str(caught.value)


def test_a_judge_is_off_unless_asked_for(make):
    assert make(study={"exact_match_rows": 4}).study.judge is None
