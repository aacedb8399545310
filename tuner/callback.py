"""Live verdicts inside any transformers ``Trainer``: the callback that watches the log and speaks once."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.diagnosis.live import LiveState, update
from diagnostics.messages import live_line, text
from diagnostics.model.adapters import adapter_kind
from diagnostics.model.curves import Run
from diagnostics.model.message import Message, message
from diagnostics.model.methods import METHODS, method_record
from diagnostics.model.records import Diagnosis
from diagnostics.model.settings import Settings
from diagnostics.readers.assemble.method import method_of
from diagnostics.rules import NO_WAY_BACK
from tuner.throttle import MAX_SHARE, Throttle

logger = logging.getLogger("tuner")

Points = dict[str, list[tuple[float, float]]]

# The Trainer's last entry holds the mean loss of the whole run under the name of the loss curve.
SUMMARY_KEYS = ("train_loss", "train_runtime", "train_samples_per_second", "train_steps_per_second", "total_flos")
BOOKKEEPING = ("_runtime", "_per_second")


class DiagnosisCallback(TrainerCallback):  # type: ignore[misc]
    """Diagnoses a run at each evaluation while it trains, and reports what appeared or cleared, once.

    A finding is reported when it lasts, nan and divergence at once, and underfitting at the end. Works with a plain
    ``Trainer`` and with TRL's. ``every`` also diagnoses after that many logs (20 when the run has no evaluation).
    ``share`` bounds the time that all of this takes (0.5 % of the run): on a quick run with a long log some are left
    out. ``say`` takes the lines, the ``tuner`` logger by default. ``stop_on`` holds labels or rule names that end the
    run when they are reported (none by default). A run that learns from rewards is looked at after every log that the
    share of the time allows, and ends when a rule fires from whose fault no run recovers (its policy is dead, its
    reward collapsed or never came, its answers are all cut off), unless ``stop_dead`` is False. ``out`` is a folder for
    the reports at the end. ``bounds`` maps a setting to your own range of it. After training, ``run`` and ``diagnosis``
    hold what was logged and the verdict.
    """

    def __init__(
        self,
        out: str | Path | None = None,
        *,
        every: int | None = None,
        say: Callable[[str], None] | None = None,
        stop_on: Collection[str] = (),
        stop_dead: bool = True,
        share: float = MAX_SHARE,
        bounds: Mapping[str, tuple[float, float]] | None = None,
        settings: Settings | None = None,
        name: str | None = None,
    ) -> None:
        self.out = Path(out) if out else None
        self.every = every
        self.say = say or logger.warning
        self.stop_on = frozenset(stop_on) | (NO_WAY_BACK if stop_dead else frozenset())
        self.bounds = bounds
        self.settings = settings or Settings()
        self.name = name or (self.out.name if self.out else "run")
        self.points: Points = defaultdict(list)
        self.notes: list[Message | str] = []
        self.discontinuities: list[float] = []
        self.diagnosis: Diagnosis | None = None
        self.spacing = Throttle(share)
        self._live = LiveState()
        self._logs = 0

    @property
    def run(self) -> Run:
        """What was logged so far, as a ``Run``."""
        return replace(
            Run.from_points(self.name, self.points, self.settings, self.notes),
            discontinuities=tuple(self.discontinuities),
        )

    def look(self, *, over: bool = True) -> Diagnosis:
        """The verdict on what was logged so far; what is new is reported, and all of it when the run is ``over``."""
        run = self.run
        now = diagnose(run, bounds=self.bounds)
        self._live, events = update(self._live, now, run.last_step, over=over)
        for event in events if self._speaks else []:
            self.say(live_line(event))
        self.diagnosis = now
        return now

    _speaks = True

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Read the settings from the arguments and the model; take over the log of a resumed run.

        The step after the checkpoint is a discontinuity: a jump of the loss there is not a fault.
        """
        self._speaks = bool(state.is_world_process_zero)
        self.settings = settings_of_trainer(args, state, kwargs.get("model")).merged(self.settings)
        if not self.points:
            for entry in state.log_history:
                self._collect(entry, entry.get("step", 0))
        if state.global_step:
            self.discontinuities.append(float(state.global_step + 1))
        self.spacing.start()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Keep the numbers; diagnose now and then where there are no evaluations."""
        self._collect(logs or {}, state.global_step, time.time())
        is_training = "loss" in (logs or {})
        self._logs += is_training
        evaluates = str(getattr(args.eval_strategy, "value", args.eval_strategy)) != "no"
        by_reward = not method_record(self.settings.method).loss_is_objective
        every = self.every or (1 if by_reward else 0 if evaluates else 20)
        if is_training and every and self._logs % every == 0:
            self._look_in_passing(control)
        elif self._is_lost(logs or {}):
            self._look_in_passing(control, urgent=True)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Diagnose."""
        if state.global_step:
            self._look_in_passing(control)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Diagnose a last time; write the reports when a folder was given."""
        diagnosis = self.look(over=True)
        if self.out and self._speaks:
            from diagnostics.report.write import write_reports

            self.out.mkdir(parents=True, exist_ok=True)
            write_reports(self.run, diagnosis, self.out)

    def _is_lost(self, logs: Mapping[str, Any]) -> bool:
        """Whether a loss is nan or inf for the first time: that is worth a diagnosis out of turn."""
        loss = logs.get("loss", logs.get("eval_loss", 0.0))
        return isinstance(loss, float) and not math.isfinite(loss) and "loss-not-finite" not in self._live.reported

    def _look_in_passing(self, control: Any, *, urgent: bool = False) -> None:
        """Diagnose when the share of the time allows it; end the run on a finding in ``stop_on``."""
        if not urgent and not self.spacing.allows():
            return
        with self.spacing.check():
            self.look(over=False)
        reported = self._live.reported.values()
        hit = next((one for one in reported if one.label in self.stop_on or one.rule in self.stop_on), None)
        if hit and not control.should_training_stop:
            note = message("stopped-early", rule=hit.rule)
            self.notes.append(note)
            self.say(text(note))
            control.should_training_stop = True

    def _collect(self, logs: Mapping[str, Any], step: float, wall_time: float | None = None) -> None:
        for tag, value in logs.items():
            known = tag not in ("step", *SUMMARY_KEYS) and not tag.endswith(BOOKKEEPING)
            if known and isinstance(value, (int, float)) and not isinstance(value, bool):
                self.points[tag].append((step, float(value)))
        if wall_time is not None and "train_runtime" not in logs:
            self.points["wall_time"].append((step, wall_time))


def settings_of_trainer(args: Any, state: Any, model: Any) -> Settings:
    """The settings of a run, from its training arguments and its model."""
    raw = args.to_dict()
    processes = max(int(getattr(args, "world_size", 1)), 1)
    raw["batch_size"] = args.train_batch_size * args.gradient_accumulation_steps * processes
    raw["max_steps"] = args.max_steps if args.max_steps > 0 else None
    raw |= {name: getattr(state, name, None) for name in ("logging_steps", "eval_steps")}
    warmup = float(getattr(args, "warmup_steps", 0) or 0)
    raw["warmup_ratio"] = warmup if warmup < 1 else warmup / max(state.max_steps, 1)
    raw["method"] = method_of(METHOD_OF.get(type(args).__name__), raw, ())
    return Settings.from_mapping({**raw, **_model_facts(model)})


def _model_facts(model: Any) -> dict[str, Any]:
    import transformers

    config = getattr(model, "config", None)
    names = ("model_type", "hidden_size", "vocab_size")
    facts = {name: getattr(config, name, None) for name in names}
    facts |= {"transformers_version": transformers.__version__, "use_peft": hasattr(model, "peft_config")}
    if hasattr(model, "parameters"):
        facts["trainable_parameters"] = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    adapter = next(iter(getattr(model, "peft_config", {}).values()), None)
    if adapter is not None:
        facts["adapter_kind"] = adapter_kind(vars(adapter))
    if hasattr(adapter, "lora_alpha"):  # an r alone is something else in other adapters
        facts |= {f"lora_{name}": getattr(adapter, key, None) for name, key in ADAPTER_KEYS.items()}
    return facts


METHOD_OF = {method.config: method.name for method in METHODS.values() if method.config}
"""TRL's config classes and the methods they belong to."""
ADAPTER_KEYS = {"r": "r", "alpha": "lora_alpha", "dropout": "lora_dropout"}
