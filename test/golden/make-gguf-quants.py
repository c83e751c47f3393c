"""Writes gguf-quants.json: random blocks of every tensor type that is read, dequantised by the package gguf.

    pip install gguf==0.19.0 numpy
    python test/golden/make-gguf-quants.py && npx biome check --write test/golden

Bytes and values are base64; values are little-endian float32.
"""

import base64
import json
import pathlib

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

HERE = pathlib.Path(__file__).parent
BLOCKS = 3
# Where the half-precision numbers of a block are, in bytes: random bits there would mostly be huge or no numbers.
HALVES = {
    "F16": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0],
    "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "BF16": [], "F32": [],
}


def random_blocks(name: str, rng: np.random.Generator) -> np.ndarray:
    """Blocks of a type, [blocks, bytes of a block]."""
    kind = GGMLQuantizationType[name]
    block, size = GGML_QUANT_SIZES[kind]
    count = 64 if block == 1 else BLOCKS
    if name == "F32":
        return rng.standard_normal(count).astype("<f4").view(np.uint8).reshape(count, 4)
    if name == "BF16":
        upper = rng.standard_normal(count).astype("<f4").view("<u4") >> 16
        return upper.astype("<u2").view(np.uint8).reshape(count, 2)
    data = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in HALVES[name]:
        scales = (rng.standard_normal(count) / 50).astype("<f2")
        data[:, at : at + 2] = scales.view(np.uint8).reshape(count, 2)
    return data


def main() -> None:
    """Write the file."""
    rng = np.random.default_rng(6)
    cases = []
    for name in HALVES:
        kind = GGMLQuantizationType[name]
        data = random_blocks(name, rng)
        values = dequantize(data.reshape(1, -1), kind).astype("<f4")
        cases.append({
            "name": name,
            "type": int(kind),
            "bytes": base64.b64encode(data.tobytes()).decode(),
            "values": base64.b64encode(values.tobytes()).decode(),
        })
    (HERE / "gguf-quants.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
