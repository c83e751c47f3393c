"""Reference values for src/stats, from SciPy, NumPy and scikit-learn.

Run: python3 -m venv venv && venv/bin/pip install scipy scikit-learn
     venv/bin/python test/golden/make-stats.py > test/golden/stats.json
"""

import json
import sys

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

rng = np.random.default_rng(7)
out = {"made_with": f"scipy {scipy.__version__}, scikit-learn {sklearn.__version__}"}

cases = []
for n, levels in [(8, 3), (40, 5), (200, 1000)]:
    scores = rng.integers(0, levels, n).astype(float)
    positive = rng.random(n) < 0.2 + 0.6 * scores / levels
    positive[0], positive[1] = True, False
    cases.append({"scores": scores.tolist(), "positive": positive.tolist(), "auroc": roc_auc_score(positive, scores)})
out["auroc"] = cases

p = rng.random(60)
y = (rng.random(60) < p).astype(float)
edges = np.minimum((p * 10).astype(int), 9)
ece = sum(abs(p[edges == b].mean() - y[edges == b].mean()) * (edges == b).mean() for b in set(edges))
out["probability"] = {"predicted": p.tolist(), "outcome": y.tolist(), "brier": brier_score_loss(y, p), "ece": ece}

cases = []
for n, direction in [(30, "rising"), (50, "falling")]:
    x = rng.integers(0, 12, n).astype(float)
    values = (x if direction == "rising" else -x) / 6 + rng.normal(size=n)
    weights = rng.random(n) + 0.1
    at = np.linspace(-1, 13, 29)
    fit = IsotonicRegression(increasing=direction == "rising", out_of_bounds="clip").fit(x, values, weights)
    cases.append({"x": x.tolist(), "y": values.tolist(), "weights": weights.tolist(), "direction": direction,
                  "at": at.tolist(), "fitted": fit.predict(at).tolist()})
out["isotonic"] = cases

c = rng.integers(0, 20, 70).astype(float)
a = c + rng.integers(0, 15, 70)
b = -c + rng.integers(0, 25, 70)
ra, rb, rc = (stats.rankdata(v) for v in (a, b, c))
res = [r - LinearRegression().fit(rc[:, None], r).predict(rc[:, None]) for r in (ra, rb)]
out["partial"] = {"a": a.tolist(), "b": b.tolist(), "c": c.tolist(), "value": stats.pearsonr(*res)[0]}

out["student"] = [{"t": t, "df": df, "cdf": stats.t.cdf(t, df)} for df in (1, 2, 3.5, 9, 30, 400) for t in (-30, -2.1, -0.3, 0.01, 1, 4.5)]
out["student_quantile"] = [{"p": q, "df": df, "t": stats.t.ppf(q, df)} for df in (1, 2, 9, 30, 400) for q in (0.005, 0.3, 0.9, 0.975, 0.9995)]

u = rng.normal(0.3, 1, 14)
v = rng.normal(0, 1, 14)
test = stats.ttest_rel(u, v)
interval = test.confidence_interval(0.95)
mean_interval = stats.t.interval(0.95, 13, loc=u.mean(), scale=stats.sem(u))
out["paired"] = {"a": u.tolist(), "b": v.tolist(), "t": test.statistic, "p": test.pvalue, "low": interval.low, "high": interval.high,
                 "mean_low": mean_interval[0], "mean_high": mean_interval[1]}

cases = []
for n, ridge, separable in [(80, 1.0, False), (40, 0.01, True)]:
    rows = rng.normal(size=(n, 3)) * [1, 2, 0.5]
    logit = rows @ [1.5, -0.7, 0.2] + 0.4
    target = (logit > 0.4 if separable else rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    weights = rng.random(n) + 0.2
    fit = LogisticRegression(C=1 / ridge, tol=1e-12, max_iter=10000, solver="newton-cholesky").fit(rows, target, weights)
    cases.append({"rows": rows.tolist(), "targets": target.tolist(), "weights": weights.tolist(), "ridge": ridge,
                  "coefficients": fit.coef_[0].tolist(), "intercept": fit.intercept_[0]})
out["logistic"] = cases

w = rng.exponential(size=40)
boot = stats.bootstrap((w,), np.mean, n_resamples=20000, confidence_level=0.9, method="percentile", random_state=1)
out["bootstrap"] = {"values": w.tolist(), "low": boot.confidence_interval.low, "high": boot.confidence_interval.high}

json.dump(out, sys.stdout, indent=1)
print()
