"""4-bit weights that stay trainable on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unpacked_weights(in_4bit: bool) -> Iterator[None]:
    """A block in which 4-bit layers are created that stay trainable on a CPU after an evaluation.

    On CPUs with AVX512-BF16, bitsandbytes 0.50 repacks a layer's weights at the first forward without gradients. The
    packed product has no backward, so training silently continues with wrong gradients; and it fails for layers whose
    width is not a multiple of 64.
    """
    if not in_4bit:
        yield
        return
    from bitsandbytes.nn import modules

    before = modules.has_avx512bf16
    modules.has_avx512bf16 = lambda: False
    try:
        yield
    finally:
        modules.has_avx512bf16 = before
