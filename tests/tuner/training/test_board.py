import os
import time

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from diagnostics.readers import read
from tuner.training.callbacks import tensorboard
from tuner.training.callbacks.tensorboard import EventFileCallback


@pytest.fixture
def logging(tmp_path, monkeypatch):
    """A board with the file that it writes, and a function that logs a loss at a step; an fsync is an error."""
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("waited for the disk"))
    one = EventFileCallback(tmp_path)
    args = TrainingArguments(str(tmp_path), report_to="none", use_cpu=True)
    (file,) = tmp_path.glob("events.out.tfevents.*")

    def log(step):
        one.on_log(args, TrainerState(global_step=step), TrainerControl(), logs={"loss": 4.0 / step})

    yield file, log
    one.close()


def test_the_file_grows_between_evaluations(logging, monkeypatch):
    monkeypatch.setattr(tensorboard, "FLUSH_SECONDS", 0.1)
    file, log = logging
    sizes = []
    for step in range(1, 4):
        log(step)
        assert read(file).last_step == step
        sizes.append(file.stat().st_size)
        time.sleep(0.11)
    assert sizes[0] < sizes[1] < sizes[2]


def test_a_log_soon_after_a_flush_waits_for_no_disk(tmp_path):
    one = EventFileCallback(tmp_path)
    waited = []
    one._flush = lambda: waited.append(time.monotonic())
    for _ in range(50):
        one.tb_writer.flush()
    assert len(waited) == 1
    one.close()
