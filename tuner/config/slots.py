"""How the GPUs of a machine are shared out to the workers of a study."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.errors import BadInput
from tuner.config.bounds import STUDY_BOUNDS, limit_broken
from tuner.config.overrides import setting_value
from tuner.config.search_space import Range
from tuner.config.study_spec import StudyBlock, StudySpec


def groups(block: StudyBlock) -> list[tuple[str, ...]]:
    """The devices of each trial that can run at once, the first round of slots on all GPUs before the second."""
    size = block.gpus_per_trial
    apart = [block.gpus[start : start + size] for start in range(0, len(block.gpus) - size + 1, size)]
    return apart * block.slots_per_gpu


def with_slots(spec: StudySpec, workers: int | None) -> StudySpec:
    """The study with its GPUs as numbers, and a worker for each slot unless ``workers`` says how many.

    Raises ``BadInput`` for GPUs that cannot be shared out so.
    """
    block = spec.study
    if isinstance(block.gpus, str):
        block = replace(block, gpus=tuple(one.strip() for one in block.gpus.split(",") if one.strip()))
    for name in ("gpus_per_trial", "slots_per_gpu"):
        broken = limit_broken(name, getattr(block, name), STUDY_BOUNDS)
        if broken:
            raise BadInput(f"{spec.path}: {name} must be {broken}, not {getattr(block, name)}")
    if spec.driver is None and block.gpus_per_trial > 1:
        _check_shared(spec, block.gpus_per_trial)
    if not block.gpus:
        return replace(spec, study=block)
    if len(set(block.gpus)) < len(block.gpus):
        raise BadInput(f"{spec.path}: gpus {','.join(block.gpus)}: names one twice; slots_per_gpu shares a GPU")
    slots = len(groups(block))
    if not slots:
        raise BadInput(f"{spec.path}: gpus {','.join(block.gpus)}: fewer than gpus_per_trial {block.gpus_per_trial}")
    wanted = workers if workers is not None else max(block.workers, slots) if block.workers == 1 else block.workers
    if wanted > slots:
        raise BadInput(
            f"{spec.path}: {wanted} workers, but {slots} slots on the GPUs; lower workers, or raise slots_per_gpu"
        )
    return replace(spec, study=replace(block, workers=wanted))


def _check_shared(spec: StudySpec, devices: int) -> None:
    """Raise ``BadInput`` unless every batch of the file and its space can be shared by so many devices."""
    span = spec.study.space.get("batch_size")
    if isinstance(span, Range):
        raise BadInput(f"{spec.path}: study.space.batch_size: must be a list, because {devices} devices share a batch")
    for batch in (setting_value(spec.config, spec.method, "batch_size"), *(span.values if span is not None else ())):
        if int(batch) % devices:
            raise BadInput(
                f"{spec.path}: batch_size {batch} cannot be shared by {devices} devices; use a multiple of {devices}"
            )
