"""Reference values for src/uncertainty/layer-path.ts and the scores of chain of embedding, from NumPy.

Run: python3 test/golden/make-layer-paths.py > test/golden/layer-paths.json && npx biome check --write test/golden

Written from the paper (Wang et al., arXiv 2410.13640, section 3): magnitudes are norms, angles arc cosines, both
divided by those between the first and the last state.
"""

import json
import sys

import numpy as np


def path(states):
    steps = np.diff(states, axis=0)
    cosine = lambda a, b: np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b))
    angle = lambda a, b: np.arccos(np.clip(cosine(a, b), -1, 1))
    magnitudes = np.array([np.linalg.norm(step) for step in steps]) / np.linalg.norm(states[-1] - states[0])
    angles = np.array([angle(a, b) for a, b in zip(states, states[1:])]) / angle(states[0], states[-1])
    turns = [angle(a, b) for a, b in zip(steps, steps[1:])]
    return magnitudes, angles, np.array(turns)


rng = np.random.default_rng(3)
cases = []
for layers, width in [(1, 4), (2, 3), (6, 16), (12, 24)]:
    # Residual streams drift: a random walk away from a common offset.
    states = rng.normal(size=width) + np.cumsum(rng.normal(size=(layers + 1, width)), axis=0)
    states = states.astype(np.float32).astype(float)
    magnitudes, angles, turns = path(states)
    cases.append({
        "hidden_size": width,
        "states": states.ravel().tolist(),
        "magnitudes": magnitudes.tolist(),
        "angles": angles.tolist(),
        "turns": turns.tolist(),
        "coe_r": float(np.mean(magnitudes) - np.mean(angles)),
        "coe_c": float(abs(np.mean(magnitudes * np.exp(1j * angles)))),
    })
json.dump({"made_with": f"numpy {np.__version__}", "cases": cases}, sys.stdout)
