"""One training session, from the trainer to the files it leaves; ``train`` opens the folder and cleans up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import PrinterCallback

from diagnostics.messages import text
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.model.settings import Settings
from tuner.callback import DiagnosisCallback, settings_of_trainer
from tuner.config.answer_warnings import answer_warnings
from tuner.config.config_warnings import config_warnings
from tuner.config.next_run import next_run_yaml
from tuner.config.secret_keys import without_secrets
from tuner.config.study_file import StudySpec
from tuner.data import Data
from tuner.training.answer_scores import answer_scores
from tuner.training.callbacks.answers import AnswersCallback, model_key
from tuner.training.callbacks.scored import ScoredCallback
from tuner.training.callbacks.stopping import StopCallback
from tuner.training.callbacks.tensorboard import EventFileCallback, write_diagnosis
from tuner.training.general_loss import GeneralLoss
from tuner.training.generation import questions
from tuner.training.protocol import Report
from tuner.training.rewards import check_part
from tuner.training.run_config import own_config
from tuner.training.team import ALONE, Team
from tuner.training.threads import threads_for
from tuner.training.tokenizer import PLAIN_TEMPLATE
from tuner.training.trainers import make_trainer, parse


class Session:
    """The trainer of one run with all of its callbacks."""

    def __init__(
        self,
        spec: StudySpec,
        config: Mapping[str, Any],
        data: Data,
        out: Path,
        report: Report | None,
        say: Callable[[str], None],
        settings: Settings,
        team: Team = ALONE,
    ) -> None:
        self.spec, self.out, self.team = spec, out, team
        self.parsed = parse(config, spec.method, out, spec.path)
        asked = spec.study.exact_match_rows if team.is_first else 0
        sample = questions(data.test, asked, data.test_columns)
        scores = answer_scores(spec)
        self.diagnosis_callback = DiagnosisCallback(
            say=say,
            bounds=spec.study.bounds,
            settings=settings,
            name=out.name,
            stop_dead=report is None,  # a study's pruner ends its trials, and records why
        )
        self.diagnosis_callback.notes += data.notes
        self.stopping = StopCallback(lambda: self.diagnosis_callback.run, report, team)
        self.event_file: EventFileCallback | None = None
        callbacks = [self.diagnosis_callback, self.stopping, ScoredCallback(spec.study.metric, spec.path)]
        self.trainer = make_trainer(self.parsed, spec.method, data, spec.path.parent, spec.path, callbacks)
        check_part(spec.study.metric, getattr(self.trainer, "reward_func_names", ()), spec.path)
        for cut in filter(None, getattr(self.trainer, "cuts", ())):
            self.diagnosis_callback.notes += cut.notes()
        self.trainer.args.model_init_kwargs = without_secrets(self.trainer.args.model_init_kwargs)  # it is logged
        if self.parsed.training.disable_tqdm:
            self.trainer.remove_callback(PrinterCallback)  # without a bar it prints every log
        if spec.study.general_text is not None:
            watched = (spec.study.general_text, self.tokenizer, self.trainer.model, spec.path)
            self.trainer.general_loss = GeneralLoss(*watched)
        self.answers = AnswersCallback(self.trainer, sample, model_key(self.parsed), scores)
        if self.tokenizer.chat_template == PLAIN_TEMPLATE:
            self.diagnosis_callback.notes.append(message("chat-template-added"))
        trained = settings_of_trainer(self.trainer.args, self.trainer.state, self.trainer.model).merged(settings)
        of_answers = answer_warnings(spec.method, self.trainer.args, data.train)
        for note in (*config_warnings(trained), *of_answers):
            self.diagnosis_callback.notes.append(note)
            say(text(note))

    @property
    def tokenizer(self) -> Any:
        """The tokenizer that the trainer uses."""
        return self.trainer.processing_class

    def train(self, checkpoint: Path | None) -> None:
        """Train, from a checkpoint when there is one; raises ``KeyboardInterrupt`` after a signal."""
        step = int(checkpoint.name.removeprefix("checkpoint-")) if checkpoint else 0
        if self.team.is_first:
            self.event_file = EventFileCallback(self.out, step)
            self.trainer.add_callback(self.event_file)
        self.trainer.add_callback(self.answers)
        if step:
            self.trainer.args.eval_on_start = False  # the log that this one continues has it
            note = message("resumed-after-cut", step=step)
            self.diagnosis_callback.notes.append(note)
            self.diagnosis_callback.say(text(note))
        with self.stopping.signals(), threads_for(self.trainer.model):
            self.trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        if self.stopping.interrupted:
            raise KeyboardInterrupt

    def save(self) -> Run:
        """Write the weights, logs and reports of the run, and return what it logged.

        All processes of a run save its weights together; the first writes the rest.
        """
        from diagnostics.report.write import as_markdown, write_reports

        state = self.trainer.state
        if self.stopping.reason:
            self.diagnosis_callback.notes.append(
                message("stopped-at", step=state.global_step, max_steps=state.max_steps, why=self.stopping.reason)
            )
        self._save_weights()
        if not self.team.is_first:
            return self.diagnosis_callback.run
        with threads_for(self.trainer.model):
            self.answers.measure_again()
        state.save_to_json(str(self.out / "trainer_state.json"))
        self.answers.write(self.out, self.event_file)
        diagnosis = self.diagnosis_callback.look()
        run = self.diagnosis_callback.run
        if self.event_file:
            write_diagnosis(self.event_file, diagnosis, as_markdown(run, diagnosis), state.global_step)
            self.event_file.hparams(run)
        write_reports(run, diagnosis, self.out, next_run=next_run_yaml(run, diagnosis, own_config(self.out)))
        return run

    def _save_weights(self) -> None:
        """Save the adapter (or, after full fine-tuning, the model) with its tokenizer; never weights with nan."""
        if not _all_finite(self.trainer.model):
            self.diagnosis_callback.notes.append(message("weights-not-finite"))
            return
        folder = self.out / ("adapter" if self.parsed.model.use_peft else "model")
        self.trainer.save_model(str(folder))
        if self.team.is_first:
            (folder / "training_args.bin").unlink(missing_ok=True)  # a pickle of this machine's paths

    def close(self) -> None:
        """Close the event file and release the model."""
        if self.event_file:
            self.event_file.close()
        self.trainer = None


def _all_finite(model: Any) -> bool:
    return all(bool(weight.isfinite().all()) for weight in model.parameters() if weight.requires_grad)
