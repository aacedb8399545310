"""The export of a run: each part made, and asked the held-out questions before and after."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tuner.errors import error_text
from tuner.export import ollama, vllm
from tuner.export.agreement import Agreement, agreement
from tuner.export.gguf import CHECKOUT, NoConverter, NotConverted, write_gguf
from tuner.export.held_out import held_out_questions
from tuner.export.model_card import as_card
from tuner.export.models import answers, forget, load, told_apart
from tuner.export.parts import WHOLE, Kind, Part
from tuner.export.source import Source
from tuner.study.checks.record import Check, failed, passed, warned
from tuner.training.generation import Question, Sample
from tuner.training.merge import adapted, check_new, complete, write_merged

Tell = Callable[[Check], None]


def export(source: Source, parts: Sequence[Part], out: Path, tell: Tell, *, trusted: bool = False) -> None:
    """Make the parts in the new folder ``out``, and tell what became of each as soon as it is known.

    A part that cannot be made is told and left out. Raises ``SpecError`` where ``out`` is in use, or the run's own
    model cannot be loaded.
    """
    check_new(out)
    with complete(out) as scratch:
        job = _Job(source, scratch, tell, trusted, tuple(parts))
        if any(part.kind is not Kind.CARD for part in parts):
            job.prepare()
        for part in parts:
            MAKERS[part.kind](job, part)
        job.tidy()


@dataclass
class _Job:
    """An export under way in the folder ``out``; ``before`` are the answers of the run's own model."""

    source: Source
    out: Path
    tell_user: Tell
    trusted: bool
    parts: tuple[Part, ...]
    asked: list[Question] = field(default_factory=list)
    before: list[Sample] = field(default_factory=list)
    base: str = ""
    tokenizer: Any = None
    checks: list[Check] = field(default_factory=list)
    uses_merged: bool = False
    files: list[Path] = field(default_factory=list)

    def tell(self, check: Check) -> None:
        """Keep a check for the card, and tell it."""
        self.checks.append(check)
        self.tell_user(check)

    @property
    def merged(self) -> Path:
        """The merged model, or the copy of a fully fine-tuned one."""
        return self.out / Kind.MERGED

    def prepare(self) -> None:
        """Ask the run's own model, and merge it."""
        if self.source.adapter is None:
            assert self.source.model is not None
            shutil.copytree(self.source.model, self.merged)
            model, self.tokenizer = load(self.merged, self.trusted)
            self._ask(model)
            return
        loaded = adapted(self.source.run, self.source.adapter, trust_remote_code=self.trusted)
        self.base, self.tokenizer = loaded.base, loaded.tokenizer
        self._ask(loaded.model)
        write_merged(loaded, self.merged)
        del loaded
        forget()

    def _ask(self, model: Any) -> None:
        self.asked = held_out_questions(self.source, self.tokenizer)
        self.before = answers(model, self.tokenizer, self.asked) if self.asked else []

    def check(self, part: Part, load_it: Callable[[], tuple[Any, Any]]) -> None:
        """Ask the model of a part the same questions."""
        if not self.asked:
            return self.tell(warned("export-not-asked", part=str(part)))
        try:
            model, tokenizer = load_it()
            apart = told_apart(self.tokenizer, tokenizer, self.asked)
            found = agreement(self.before, answers(model, tokenizer, self.asked), apart)
        except Exception as error:  # what loads elsewhere may be unknown here
            return self.tell(warned("export-not-loaded", part=str(part), why=error_text(error)))
        finally:
            forget()
        return self.tell(_check(part, found))

    def tidy(self) -> None:
        """Leave out the merged model where it was only a step to something else, and folders that stayed empty."""
        if not self.uses_merged and all(part.kind is not Kind.MERGED for part in self.parts):
            shutil.rmtree(self.merged, ignore_errors=True)
        for folder in self.out.iterdir():
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _make_merged(job: _Job, part: Part) -> None:
    job.check(part, lambda: load(job.merged, job.trusted))


def _make_gguf(job: _Job, part: Part) -> None:
    folder = job.out / Kind.GGUF
    folder.mkdir(exist_ok=True)
    file = folder / f"{job.source.name}-{part.form}.gguf"
    try:
        write_gguf(job.merged, file, part.form, job.trusted)
    except NoConverter as error:
        return job.tell(failed("export-no-converter", part=str(part), program=str(error), variable=CHECKOUT))
    except NotConverted as error:
        file.unlink(missing_ok=True)
        return job.tell(failed("export-not-converted", part=str(part), why=str(error)))
    job.files.append(file)
    return job.check(part, lambda: load(folder, job.trusted, gguf_file=file.name))


def _make_ollama(job: _Job, part: Part) -> None:
    weights = job.files[0] if job.files else job.merged
    job.uses_merged |= not job.files
    folder = job.out / Kind.OLLAMA
    has_template = ollama.write_modelfile(folder, weights, job.merged, job.source.run, job.tokenizer)
    job.tell(passed("export-modelfile" if has_template else "export-modelfile-plain", weights=weights.name))
    try:
        why = ollama.create(folder, job.source.name)
    except FileNotFoundError:
        return job.tell(warned("export-no-ollama", name=job.source.name))
    if why is not None:
        return job.tell(failed("export-ollama-failed", why=why))
    return job.tell(passed("export-ollama-created", name=job.source.name))


def _make_vllm(job: _Job, part: Part) -> None:
    folder = job.out / Kind.VLLM
    rank = vllm.rank_to_serve(job.source.adapter) if job.source.adapter is not None else None
    if rank is None or job.source.adapter is None:
        job.uses_merged = True
        vllm.write_merged(folder, job.merged, job.source.name)
        job.tell(passed("export-vllm-merged", script=vllm.SCRIPT))
        return job.check(part, lambda: load(job.merged, job.trusted))
    made = vllm.write_adapter(folder, job.source.adapter, job.base, job.source.name, rank)
    job.tell(passed("export-vllm-adapter", script=vllm.SCRIPT, rank=rank))
    return job.check(part, lambda: _loaded(job, made))


def _loaded(job: _Job, adapter: Path) -> tuple[Any, Any]:
    found = adapted(job.source.run, adapter, trust_remote_code=job.trusted)
    return found.model, found.tokenizer


def _check(part: Part, found: Agreement) -> Check:
    if not found.holds(rounded=part.kind is Kind.GGUF and part.form not in WHOLE):
        state = failed
    else:
        state = warned if found.apart else passed
    return state("export-tokens-differ" if found.apart else "export-checked", part=str(part), **asdict(found))


def _make_card(job: _Job, part: Part) -> None:
    (job.out / "README.md").write_text(as_card(job.source, job.out, job.checks), encoding="utf-8")
    job.tell(passed("export-card"))


MAKERS: dict[Kind, Callable[[_Job, Part], None]] = {
    Kind.MERGED: _make_merged,
    Kind.GGUF: _make_gguf,
    Kind.OLLAMA: _make_ollama,
    Kind.VLLM: _make_vllm,
    Kind.CARD: _make_card,
}
