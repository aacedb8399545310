"""One of the processes that train a run together: ``python -m tuner.training.rank ADDRESS``, started by torchrun.

It gets its task from the worker at ``ADDRESS`` (a socket). The first of the processes passes each evaluation on to it,
and all of them obey the answer; a worker that says stop, or is gone, ends the run after its step, with a checkpoint.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Client, Connection
from typing import Any

from diagnostics.model.curves import Run
from tuner.config.library_logging import quiet
from tuner.errors import Broken
from tuner.training.rank_words import KEY, STOP, Answer, Ended, Evaluated, Hello
from tuner.training.train import Task, in_session, set_environment

FAILED = 1


class Worker:
    """The worker's end of the line, as a process of the run sees it."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.says_stop = False

    def listen(self) -> None:
        """Take what the worker says, in a thread of its own."""
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(EOFError, OSError):
            while True:
                said = self._line.recv()
                if said == STOP:
                    self.says_stop = True
                else:
                    self._answers.put(said)
        self.says_stop = True  # it is gone
        self._answers.put(Answer(None))

    def ask(self, run: Run, share: float) -> str | None:
        """What the worker says of an evaluation; nothing where it is gone."""
        with suppress(OSError):
            self._line.send(Evaluated(run, share))
            return self._answers.get().reason
        return None


class Ranks:
    """The processes of this run, over a channel beside the one for gradients: it needs no wait for a GPU."""

    def __init__(self, rank: int, worker: Worker) -> None:
        self._rank, self._worker = rank, worker
        self._group: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this process logs, reports and writes files."""
        return self._rank == 0

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any of them, or the worker says stop."""
        import torch
        import torch.distributed as dist

        flags = torch.tensor([int(flag or self._worker.says_stop)])
        dist.all_reduce(flags, op=dist.ReduceOp.MAX, group=self._channel())
        return bool(flags.item())

    def report(self, run: Run, share: float) -> str | None:
        """The worker's answer to the evaluation of the first process, in all of them."""
        import torch.distributed as dist

        answer = [self._worker.ask(run, share) if self.is_first else None]
        dist.broadcast_object_list(answer, src=0, group=self._channel())
        return answer[0]

    def _channel(self) -> Any:
        import torch.distributed as dist

        if self._group is None:
            self._group = dist.new_group(backend="gloo")
        return self._group


def main(address: str) -> int:
    """Train as one process of a run; the status."""
    rank = int(os.environ["RANK"])
    with Client(address, authkey=bytes.fromhex(os.environ.pop(KEY))) as line:
        line.send(Hello(rank))
        task, worker = line.recv(), Worker(line)
        worker.listen()
        try:
            run = _trained(task, Ranks(rank, worker))
        except KeyboardInterrupt:
            line.send(Ended(None))
        except Exception as error:
            line.send(Broken.now(error))
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(FAILED)  # libraries that wait for the other processes at the end would hide that this one failed
        else:
            line.send(Ended(run))
    return 0


def _trained(task: Task, ranks: Ranks) -> Run:
    import torch.distributed as dist

    set_environment(task.spec)
    say: Callable[[str], None] = print if ranks.is_first else lambda said: None
    with quiet():
        run = in_session(task, ranks.report, say, ranks)
    dist.destroy_process_group()
    return run


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
