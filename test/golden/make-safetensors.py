"""Writes tensors.safetensors (by the Python package) and casts.json (float32 narrowed by PyTorch).

    pip install torch==2.13.0 safetensors==0.8.0 numpy
    python test/golden/make-safetensors.py && npx biome check --write test/golden
"""

import json
import pathlib

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
EDGES = [
    0.0, -0.0, 1.0, -1.0, 1.00390625, 1.01171875, 3.3895314e38, 3.4028235e38, 65504.0, 65519.996, 65520.0,
    -70000.0, float("inf"), float("-inf"), 6.1035156e-05, 6.097555e-05, 5.9604645e-08, 2.9802322e-08,
    2.980233e-08, 8.940697e-08, 1e-8, 1e-45, 1.1754944e-38, 2049.0, 2051.0, 0.1,
]


def bits(tensor, kind):
    mask = 0xFFFFFFFF if kind is torch.int32 else 0xFFFF
    return [value & mask for value in tensor.view(kind).tolist()]


if __name__ == "__main__":
    torch.manual_seed(7)
    spread = torch.randn(120) * torch.exp2(torch.randint(-30, 18, (120,)).float())
    values = torch.cat([torch.tensor(EDGES), spread])
    casts = {
        "float32": bits(values, torch.int32),
        "bfloat16": bits(values.bfloat16(), torch.int16),
        "float16": bits(values.half(), torch.int16),
    }
    (HERE / "casts.json").write_text(json.dumps(casts))
    tensors = {
        "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3) / 8,
        "a.weight": (torch.arange(4, dtype=torch.float32) - 1.5).bfloat16(),
        "half": torch.tensor([[0.5], [-2.0], [6.1035156e-05]]).half(),
        "a.bias": torch.tensor([1e-3, -7.25]),
        "\u00fc 1": torch.zeros(0, 3),
    }
    save_file(tensors, str(HERE / "tensors.safetensors"), metadata={"format": "pt"})
