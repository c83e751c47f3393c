"""What SciPy makes of the cases of checks.ts: JSON on stdin, JSON on stdout. Run by scipy.ts."""

import itertools
import json
import math
import sys
import warnings

checks = json.load(sys.stdin)  # before anything can go wrong: who writes to a closed pipe learns nothing else

try:
    import numpy as np
    import scipy
    from scipy import optimize, stats

    if tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15):
        raise ImportError(f"SciPy {scipy.__version__}")
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)


def spearman(c):
    return [stats.spearmanr(c["a"], c["b"]).statistic]


def partial_spearman(c):
    """Correlation of what a line through the ranks of the covariate leaves of the other ranks."""
    a, b, covariate = (stats.rankdata(c[name]) for name in "abc")
    design = np.column_stack([covariate, np.ones_like(covariate)])
    left = [ranks - design @ np.linalg.lstsq(design, ranks)[0] for ranks in (a, b)]
    return [stats.pearsonr(*left).statistic]


def auroc(c):
    scores, positive = np.array(c["scores"]), np.array(c["positive"]) == 1
    u = stats.mannwhitneyu(scores[positive], scores[~positive]).statistic
    return [u / (positive.sum() * (~positive).sum())]


def point_biserial(c):
    return [stats.pointbiserialr(c["r"], c["u"]).statistic]


def pool_adjacent_violators(c):
    return optimize.isotonic_regression(c["y"], weights=c["weights"]).x


def isotonic(c):
    x, y, weights = (np.array(c[name]) for name in ("x", "y", "weights"))
    knots, group = np.unique(x, return_inverse=True)
    total = np.bincount(group, weights)
    mean = np.bincount(group, weights * y) / total
    fitted = optimize.isotonic_regression(mean, weights=total, increasing=c["rising"]).x
    return np.interp(c["at"], knots, fitted)


def logistic_ridge(c):
    design = np.column_stack([np.array(c["rows"]), np.ones(len(c["rows"]))])
    targets, weights = np.array(c["targets"]), np.array(c["weights"])
    penalty = np.full(design.shape[1], float(c["ridge"]))
    penalty[-1] = 0

    def loss(beta):
        logit = design @ beta
        return weights @ (np.logaddexp(0, logit) - targets * logit) + penalty @ beta**2 / 2

    def gradient(beta):
        return design.T @ (weights * (scipy.special.expit(design @ beta) - targets)) + penalty * beta

    def hessian(beta):
        p = scipy.special.expit(design @ beta)
        return design.T * (weights * p * (1 - p)) @ design + np.diag(penalty)

    start = np.zeros(design.shape[1])
    options = {"gtol": 1e-10, "maxiter": 5000}
    fit = optimize.minimize(loss, start, jac=gradient, hess=hessian, method="trust-exact", options=options)
    # Where rounding of the loss stops the search, the root of the gradient is sharper than its minimum.
    return optimize.root(gradient, fit.x, jac=hessian, tol=1e-14).x


def student_cdf(c):
    return [stats.t.cdf(c["value"], c["df"]), stats.t.logcdf(c["value"], c["df"])]


def student_quantile(c):
    return [stats.t.ppf(c["value"], c["df"])]


def normal_cdf(value):
    return [stats.norm.cdf(value), stats.norm.logcdf(value)]


def normal_quantile(p):
    return [stats.norm.ppf(p)]


def mean_interval(c):
    values, level = c["values"], c["level"]
    both = stats.ttest_1samp(values, 0).confidence_interval(level)
    one = stats.ttest_1samp(values, 0, alternative="greater").confidence_interval(level)
    return [np.mean(values), both.low, both.high, one.low]


def mean_difference(a, b, axis=-1):
    return np.mean(a - b, axis=axis)


def correlation(a, b, axis=-1):
    return stats.pearsonr(a, b, axis=axis).statistic


def bootstrap(statistic, method):
    def interval(c):
        a, b, indices = np.array(c["a"]), np.array(c["b"]), np.array(c["indices"])
        estimate = statistic(a, b)
        draws = np.array([statistic(a[at], b[at]) for at in indices])
        draws = draws[np.isfinite(draws)]
        # Resamples that are the sample in another order: BCa asks on which side of the estimate they lie.
        draws[np.abs(draws - estimate) < 1e-12 * np.abs(draws).max()] = estimate
        given = type("BootstrapResult", (), {"bootstrap_distribution": draws})
        found = stats.bootstrap(
            (a, b),
            statistic,
            n_resamples=0,
            bootstrap_result=given,
            paired=True,
            vectorized=True,
            confidence_level=c["level"],
            method=method,
        ).confidence_interval
        return [estimate, found.low, found.high]

    return interval


def paired_t(c):
    a, b = c["a"], c["b"]
    test = stats.ttest_rel(a, b)
    greater = stats.ttest_rel(a, b, alternative="greater")
    interval = test.confidence_interval(0.95)
    lower = greater.confidence_interval(0.95).low
    mean = np.mean(np.subtract(a, b))
    return [mean, interval.low, interval.high, lower, test.statistic, test.df, test.pvalue, greater.pvalue]


def wilcoxon(method):
    def test(c):
        def run(alternative):
            return stats.wilcoxon(c["a"], c["b"], alternative=alternative, method=method, correction=True)

        greater = run("greater")
        return [greater.statistic, run("two-sided").pvalue, greater.pvalue]

    return test


def sign_flip(c):
    def run(alternative):
        data = (np.array(c["a"]), np.array(c["b"]))
        return stats.permutation_test(
            data,
            mean_difference,
            permutation_type="samples",
            n_resamples=np.inf,
            alternative=alternative,
            vectorized=True,
        )

    both = run("two-sided")
    return [both.statistic, both.pvalue, run("greater").pvalue]


def holm(p_values):
    """By closed testing: the largest Bonferroni p of all sets of hypotheses that contain the one in question."""
    adjusted = [0.0] * len(p_values)
    for size in range(1, len(p_values) + 1):
        for chosen in itertools.combinations(range(len(p_values)), size):
            p = min(1.0, size * min(p_values[i] for i in chosen))
            for i in chosen:
                adjusted[i] = max(adjusted[i], p)
    return adjusted


def ratio_of_means(c):
    """The ratios at which a t test of a - q b has p = 1 - level."""
    a, b = np.array(c["a"]), np.array(c["b"])
    estimate = a.mean() / b.mean()

    def excess(q):
        return stats.ttest_1samp(a - q * b, 0).pvalue - (1 - c["level"])

    low = optimize.brentq(excess, estimate - 100, estimate, xtol=1e-12)
    high = optimize.brentq(excess, estimate, estimate + 100, xtol=1e-12)
    return [estimate, low, high]


def cost_ratio(c):
    ratio = np.array(c["reference"]) / np.array(c["arm"])
    reached, level = np.array(c["reached"]), c["level"]
    least = np.where(reached, ratio, 0)
    logs = np.log(ratio)
    low = lower = 0.0
    if reached.all():
        low = math.exp(stats.ttest_1samp(logs, 0).confidence_interval(level).low)
        lower = math.exp(stats.ttest_1samp(logs, 0, alternative="greater").confidence_interval(level).low)
    high = math.exp(stats.ttest_1samp(logs, 0).confidence_interval(level).high)
    medians = [stats.gmean(np.sort(values)[[(len(ratio) - 1) // 2, len(ratio) // 2]]) for values in (least, ratio)]
    median = medians[0] if medians[0] == medians[1] else math.nan
    median_lower = stats.quantile_test(least, p=0.5, alternative="greater").confidence_interval(level).low
    return [stats.gmean(ratio), low, high, lower, median, median_lower]


EVERY_FLIP = stats.PermutationMethod(n_resamples=np.inf)
CHECKS = {
    "spearman": spearman,
    "partial_spearman": partial_spearman,
    "auroc": auroc,
    "point_biserial": point_biserial,
    "pool_adjacent_violators": pool_adjacent_violators,
    "isotonic": isotonic,
    "logistic_ridge": logistic_ridge,
    "student_cdf": student_cdf,
    "student_quantile": student_quantile,
    "normal_cdf": normal_cdf,
    "normal_quantile": normal_quantile,
    "mean_interval": mean_interval,
    "bootstrap_percentile_difference": bootstrap(mean_difference, "percentile"),
    "bootstrap_bca_difference": bootstrap(mean_difference, "BCa"),
    "bootstrap_percentile_correlation": bootstrap(correlation, "percentile"),
    "bootstrap_bca_correlation": bootstrap(correlation, "BCa"),
    "paired_t": paired_t,
    "wilcoxon_ties_and_zeros": wilcoxon(EVERY_FLIP),
    "wilcoxon_exact": wilcoxon("exact"),
    "wilcoxon_normal": wilcoxon("asymptotic"),
    "sign_flip": sign_flip,
    "holm": holm,
    "ratio_of_means": ratio_of_means,
    "cost_ratio": cost_ratio,
}


def plain(value):
    """JSON has no NaN and no infinities: they travel as text."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


warnings.simplefilter("ignore")  # of undefined correlations, which are among the cases
values = {
    check["name"]: [[plain(value) for value in CHECKS[check["name"]](case)] for case in check["inputs"]]
    for check in checks
}
json.dump({"made_with": f"scipy {scipy.__version__}, numpy {np.__version__}", "values": values}, sys.stdout)
