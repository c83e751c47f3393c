"""Which heads are kept: those that look back farthest on average."""

from __future__ import annotations

from collections.abc import Sequence

from pivottrace_ray.spec import Head


def select_heads(
    mean_distance: Sequence[float], layers: int, heads: int, psi: float, min_heads: int
) -> tuple[Head, ...]:
    """Return the share ``psi`` (0..1, at least ``min_heads``) of the heads with the largest mean distance.

    ``mean_distance`` is [layers * heads] in tokens, layer-major. Of equal heads the one in the lower layer, then with
    the lower number, is kept; the result is ordered by layer and head. ValueError for a wrong length.
    """
    total = layers * heads
    if len(mean_distance) != total:
        raise ValueError(f"{len(mean_distance)} mean distances for {layers} x {heads} heads")
    # Rounds halves up, as src/trace/heads.ts does.
    kept = min(total, max(min_heads, int(psi * total + 0.5)))
    farthest = sorted(range(total), key=lambda i: (-mean_distance[i], i))[:kept]
    return tuple((i // heads, i % heads) for i in sorted(farthest))
