"""Workers as actors of a Ray cluster: Ray finds the place and the GPUs, and nothing else goes through it."""

from __future__ import annotations

import logging
import os
import socket
from dataclasses import dataclass
from typing import Any

from diagnostics.errors import BadInput
from tuner.errors import error_text
from tuner.study.engines.engine import Ended, Order
from tuner.study.engines.worker import Worker

CONNECT_SECONDS = 5.0


@dataclass
class Actor:
    """A worker on the cluster: its actor, whether that has begun, and how its worker ends, as Ray's references."""

    actor: Any
    begun: Any
    end: Any


class OnNode(Worker):
    """The worker in its actor's process."""

    def begin(self) -> None:
        """Answer: the actor has its place."""


class Ray:
    """A running Ray cluster, by its address, ``RAY_ADDRESS``, or the one that was started on this machine.

    Each worker is an actor with the GPUs of a trial, or with one core where the cluster has no GPUs. The actors end
    with this command, as Ray does it: the keeper of each then has its worker save its step and leave.
    """

    name = "ray"

    def __init__(self, address: str | None, gpus_per_trial: int, slots_per_gpu: int) -> None:
        import ray

        self._ray = ray
        where = address or os.environ.get("RAY_ADDRESS") or "auto"
        if where != "auto":
            _check_address(where)
        try:
            ray.init(address=where, namespace="tuner", log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            why = "none runs on this machine" if isinstance(error, ConnectionError) else error_text(error, 200)
            raise BadInput(
                f"--engine ray: no cluster at {where} ({why}); start one with `ray start --head`, or give --ray-address"
            ) from error
        host, _, port = ray.get_runtime_context().gcs_address.rpartition(":")
        self._head = (host, int(port))
        nodes = [node for node in ray.nodes() if node["Alive"]]
        own = ray.util.get_node_ip_address()
        self.hosts = len({node["NodeManagerAddress"] for node in nodes} | {own})
        gpus = int(sum(node["Resources"].get("GPU", 0) for node in nodes))
        self._share: dict[str, float] = {"num_cpus": 1}
        self.places: int | None = None
        if gpus:
            each = gpus_per_trial / slots_per_gpu if gpus_per_trial == 1 else gpus_per_trial
            self._share = {"num_cpus": 0, "num_gpus": each}
            self.places = int(gpus / each)
            if not self.places:
                raise BadInput(f"--engine ray: the cluster has {gpus} GPUs, fewer than gpus_per_trial {gpus_per_trial}")

    def is_there(self) -> bool:
        """Whether the head of the cluster takes connections; Ray would wait for a minute and then end this process."""
        return _answers(*self._head)

    def left(self) -> list[Any]:
        """None: actors end with their command."""
        return []

    def start(self, order: Order) -> Actor:
        """An actor that runs the worker as soon as Ray has a place for it."""
        made = self._ray.remote(OnNode).options(**self._share, max_restarts=0, max_task_retries=0, max_concurrency=3)
        actor = made.remote()
        return Actor(actor, actor.begin.remote(), actor.run.remote(order))

    def has_begun(self, handle: Actor) -> bool:
        """Whether Ray has found a place for the actor."""
        return self._is_ready(handle.begun)

    def ended(self, handle: Actor) -> Ended | None:
        """How the worker ended; an actor that died has no status."""
        if not self._is_ready(handle.end):
            return None
        try:
            end: Ended = self._ray.get(handle.end)
        except self._ray.exceptions.RayError as error:
            end = Ended(None, error_text(error, 120))
        self._ray.kill(handle.actor)  # its place is free at once
        return end

    def stop(self, handle: Actor) -> None:
        """Ask the worker to stop; an actor that has not begun is given up."""
        if self.has_begun(handle):
            handle.actor.stop.remote()
        else:
            self._ray.kill(handle.actor)

    def kill(self, handle: Actor) -> None:
        """End the actor; the keeper of its worker notices."""
        self._ray.kill(handle.actor)

    def _is_ready(self, reference: Any) -> bool:
        return bool(self._ray.wait([reference], timeout=0)[0])


def _check_address(address: str) -> None:
    """Raise ``BadInput`` for an address that nothing answers at: Ray itself would try for many minutes."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise BadInput(f"--ray-address {address}: must be HOST:PORT, such as 10.0.0.1:6379")
    if not _answers(host, int(port)):
        raise BadInput(f"--ray-address {address}: nothing answers there; start a cluster with `ray start --head`")


def _answers(host: str, port: int) -> bool:
    """Whether something takes connections there."""
    try:
        socket.create_connection((host, port), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError):
        return False
    return True
