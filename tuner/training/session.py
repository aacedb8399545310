"""One attempt at a run, from the trainer to the files it leaves; ``train`` opens the folder and cleans up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import PrinterCallback

from diagnostics.messages import text
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.model.settings import Settings
from tuner.callback import DiagnosisCallback
from tuner.config.study_file import StudySpec
from tuner.data import Data
from tuner.training.callbacks.exact_match import Answers, model_key
from tuner.training.callbacks.stopping import Steering
from tuner.training.callbacks.tensorboard import Board, write_diagnosis
from tuner.training.generation import questions
from tuner.training.protocol import Report
from tuner.training.threads import threads_for
from tuner.training.trainers import PLAIN_TEMPLATE, make_trainer, parse


class Attempt:
    """The trainer of one run with everything that watches it."""

    def __init__(
        self,
        spec: StudySpec,
        config: Mapping[str, Any],
        data: Data,
        out: Path,
        report: Report | None,
        say: Callable[[str], None],
        settings: Settings,
    ) -> None:
        self.spec, self.out = spec, out
        self.parsed = parse(config, spec.method, out, spec.path)
        asked = questions(data.test, spec.study.exact_match_rows)
        self.watch = DiagnosisCallback(say=say, bounds=spec.study.bounds, settings=settings, name=out.name)
        self.watch.notes += data.notes
        self.steering = Steering(lambda: self.watch.run, report)
        self.board: Board | None = None
        self.trainer = make_trainer(
            self.parsed, spec.method, data, spec.path.parent, spec.path, [self.watch, self.steering]
        )
        if self.parsed.training.disable_tqdm:
            self.trainer.remove_callback(PrinterCallback)  # without a bar it prints every log
        self.answers = Answers(self.trainer, asked, model_key(self.parsed))
        if self.tokenizer.chat_template == PLAIN_TEMPLATE:
            self.watch.notes.append(message("chat-template-added"))

    @property
    def tokenizer(self) -> Any:
        """The tokenizer that the trainer uses."""
        return self.trainer.processing_class

    def go(self, checkpoint: Path | None) -> None:
        """Train, from a checkpoint when there is one; raises ``KeyboardInterrupt`` after a signal."""
        step = int(checkpoint.name.removeprefix("checkpoint-")) if checkpoint else 0
        self.board = Board(self.out, step)
        self.trainer.add_callback(self.board)
        self.trainer.add_callback(self.answers)
        if step:
            self.trainer.args.eval_on_start = False  # the log that this one continues has it
            note = message("resumed-after-cut", step=step)
            self.watch.notes.append(note)
            self.watch.say(text(note))
        with self.steering.signals(), threads_for(self.trainer.model):
            self.trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if self.steering.interrupted:
            raise KeyboardInterrupt

    def leave(self) -> Run:
        """Write what the run leaves behind, and return what it logged."""
        from diagnostics.report.write import as_markdown, write_reports

        state = self.trainer.state
        if self.steering.reason:
            self.watch.notes.append(
                message("stopped-at", step=state.global_step, max_steps=state.max_steps, why=self.steering.reason)
            )
        self._save_weights()
        with threads_for(self.trainer.model):
            self.answers.measure_again()
        state.save_to_json(str(self.out / "trainer_state.json"))
        self.answers.write(self.out, self.board)
        diagnosis = self.watch.look()
        run = self.watch.run
        if self.board:
            write_diagnosis(self.board, diagnosis, as_markdown(run, diagnosis), state.global_step)
            self.board.hparams(run)
        write_reports(run, diagnosis, self.out)
        return run

    def _save_weights(self) -> None:
        """Save the adapter (or, after full fine-tuning, the model) with its tokenizer; never weights with nan."""
        if not _all_finite(self.trainer.model):
            self.watch.notes.append(message("weights-not-finite"))
            return
        folder = self.out / ("adapter" if self.parsed.model.use_peft else "model")
        self.trainer.save_model(str(folder))
        (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle of this machine's paths

    def close(self) -> None:
        """Close the event file and release the model."""
        if self.board:
            self.board.close()
        self.trainer = None


def _all_finite(model: Any) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)
