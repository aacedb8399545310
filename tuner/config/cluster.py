"""Where the workers of a study are to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostics.errors import BadInput


@dataclass(frozen=True)
class Cluster:
    """An engine by its name, and how it is reached: a Ray cluster's address, the options of Slurm's jobs."""

    engine: str = "local"
    ray_address: str | None = None
    slurm: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_here(self) -> bool:
        """Whether the workers are processes of this machine that this command starts itself."""
        return self.engine == "local"

    def check(self, gpus: object) -> None:
        """Raise ``BadInput`` for options of another engine, and for ``gpus`` where the cluster gives them out."""
        for option, given, engine in (("--ray-address", self.ray_address, "ray"), ("--slurm", self.slurm, "slurm")):
            if given and self.engine != engine:
                raise BadInput(f"{option}: is an option of --engine {engine}")
        if gpus and not self.is_here:
            raise BadInput(
                f"--gpus: with --engine {self.engine} the cluster gives out the GPUs; give --gpus-per-trial alone"
            )
