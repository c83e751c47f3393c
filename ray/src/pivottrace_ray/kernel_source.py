"""The source of the Triton kernels; see kernel.py. Kept apart because importing it needs Triton."""

import triton
import triton.language as tl


@triton.jit
def _block_of(pointer, head, rows, total, WIDTH: tl.constexpr, PADDED: tl.constexpr):
    """Rows of one head of [heads, total, WIDTH], 0 beyond either end: [rows, PADDED]."""
    columns = tl.arange(0, PADDED)
    places = pointer + (head * total + rows[:, None]).to(tl.int64) * WIDTH + columns[None, :]
    inside = (rows[:, None] >= 0) & (rows[:, None] < total) & (columns[None, :] < WIDTH)
    return tl.load(places, mask=inside, other=0.0)


@triton.jit
def _scores(q, k, rows, keys, scale, PRECISION: tl.constexpr):
    """Scaled scores, minus infinity for keys behind the query."""
    s = tl.dot(q, tl.trans(k), input_precision=PRECISION) * scale
    return tl.where(keys[None, :] <= rows[:, None], s, float("-inf"))


@triton.jit
def normalisers(
    query,
    key,
    lse,
    first,
    group,
    total,
    scale,
    WIDTH: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK_Q: tl.constexpr,
    BLOCK_K: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """lse[head, t - first] = ln sum_j exp(score), for t from ``first`` on."""
    head = tl.program_id(1)
    rows = first + tl.program_id(0) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    q = _block_of(query, head, rows, total, WIDTH, PADDED)
    highest = tl.full([BLOCK_Q], float("-inf"), tl.float32)
    sums = tl.zeros([BLOCK_Q], tl.float32)
    end = tl.minimum(first + (tl.program_id(0) + 1) * BLOCK_Q, total)
    for at in range(0, end, BLOCK_K):
        keys = at + tl.arange(0, BLOCK_K)
        k = _block_of(key, head // group, keys, total, WIDTH, PADDED)
        s = _scores(q, k, rows, keys, scale, PRECISION)
        # Key 0 is visible to every row, so the maximum is finite from the first block on.
        higher = tl.maximum(highest, tl.max(s, 1))
        sums = sums * tl.exp(highest - higher) + tl.sum(tl.exp(s - higher[:, None]), 1)
        highest = higher
    tl.store(lse + head * (total - first) + rows - first, highest + tl.log(sums), mask=rows < total)


@triton.jit
def row_sums(
    query,
    key,
    lse,
    sums,
    start,
    delta,
    window,
    sinks,
    heads,
    group,
    total,
    scale,
    WITH_CHANGE: tl.constexpr,
    WIDTH: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK_Q: tl.constexpr,
    BLOCK_K: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """sums[kind, head, t - start]: far mass, distances, mass, entropy in nats, change, for t from ``start`` on."""
    head = tl.program_id(1)
    rows = start + tl.program_id(0) * BLOCK_Q + tl.arange(0, BLOCK_Q)
    tokens = total - start
    # lse begins one row before the response.
    norms = lse + head * (tokens + 1)
    q = _block_of(query, head, rows, total, WIDTH, PADDED)
    norm = tl.load(norms + rows - start + 1, mask=rows < total, other=0.0)
    if WITH_CHANGE:
        before = _block_of(query, head, rows - 1, total, WIDTH, PADDED)
        norm_before = tl.load(norms + rows - start, mask=rows < total, other=0.0)
    far = tl.zeros([BLOCK_Q], tl.float32)
    distance = tl.zeros([BLOCK_Q], tl.float32)
    mass = tl.zeros([BLOCK_Q], tl.float32)
    entropy = tl.zeros([BLOCK_Q], tl.float32)
    change = tl.zeros([BLOCK_Q], tl.float32)
    end = tl.minimum(start + (tl.program_id(0) + 1) * BLOCK_Q, total)
    for at in range(0, end, BLOCK_K):
        keys = at + tl.arange(0, BLOCK_K)
        k = _block_of(key, head // group, keys, total, WIDTH, PADDED)
        logs = _scores(q, k, rows, keys, scale, PRECISION) - norm[:, None]
        p = tl.exp(logs)
        back = rows[:, None] - keys[None, :]
        counted = tl.where(keys[None, :] >= sinks, p, 0.0)
        far += tl.sum(tl.where(back > delta, counted, 0.0), 1)
        distance += tl.sum(counted * tl.minimum(back, window).to(tl.float32), 1)
        mass += tl.sum(counted, 1)
        entropy -= tl.sum(tl.where(p > 0.0, p * logs, 0.0), 1)
        if WITH_CHANGE:
            s = _scores(before, k, rows - 1, keys, scale, PRECISION)
            change += tl.sum(tl.abs(p - tl.exp(s - norm_before[:, None])), 1)
    out = sums + head * tokens + rows - start
    inside = rows < total
    tl.store(out, far, mask=inside)
    tl.store(out + heads * tokens, distance, mask=inside)
    tl.store(out + 2 * heads * tokens, mass, mask=inside)
    tl.store(out + 3 * heads * tokens, entropy, mask=inside)
    tl.store(out + 4 * heads * tokens, 0.5 * change, mask=inside)


@triton.jit
def key_sums(
    query,
    key,
    lse,
    got,
    start,
    delta,
    group,
    total,
    scale,
    WIDTH: tl.constexpr,
    PADDED: tl.constexpr,
    BLOCK_Q: tl.constexpr,
    BLOCK_K: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """got[head, j - start]: what key j received from the queries t > j + delta, for j from ``start`` on."""
    head = tl.program_id(1)
    keys = start + tl.program_id(0) * BLOCK_K + tl.arange(0, BLOCK_K)
    tokens = total - start
    norms = lse + head * (tokens + 1)
    k = _block_of(key, head // group, keys, total, WIDTH, PADDED)
    sums = tl.zeros([BLOCK_K], tl.float32)
    for at in range(start + tl.program_id(0) * BLOCK_K, total, BLOCK_Q):
        rows = at + tl.arange(0, BLOCK_Q)
        q = _block_of(query, head, rows, total, WIDTH, PADDED)
        norm = tl.load(norms + rows - start + 1, mask=rows < total, other=0.0)
        p = tl.exp(_scores(q, k, rows, keys, scale, PRECISION) - norm[:, None])
        far = (rows[:, None] - keys[None, :] > delta) & (rows[:, None] < total)
        sums += tl.sum(tl.where(far, p, 0.0), 0)
    tl.store(got + head * tokens + keys - start, sums, mask=keys < total)
