"""Figures of other programs for the profile of clusters: pandas, scipy, scikit-learn, mpmath.

Run it in this folder: python make.py /path/to/cars.csv (of vega_datasets). It writes profile.json.
"""

import json
import sys

import numpy as np
import pandas as pd
import scipy
import sklearn
from mpmath import mp, mpf, erfc, findroot, log, loggamma, exp, sqrt
from scipy.stats import hypergeom, norm
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, homogeneity_completeness_v_measure
from sklearn.preprocessing import StandardScaler

mp.dps = 60


def v_of_mean(own, all_):
    """FactoMineR's catdes for quantitative variables."""
    n, N = len(own), len(all_)
    v = (own.mean() - all_.mean()) / np.sqrt(all_.var(ddof=0) / n * (N - n) / (N - 1))
    return v, 2 * norm.sf(abs(v))


def v_of_share(x, n, M, N):
    """FactoMineR's catdes for qualitative variables, with scipy's distributions."""
    d = hypergeom(N, M, n)
    p = min(2 * d.cdf(x - 1) + d.pmf(x), 2 * d.sf(x) + d.pmf(x))
    return (-1 if x / n > M / N else 1) * norm.ppf(p / 2), p


def exact_v(x, n, M, N):
    """The same with 60 digits, also where p underflows."""
    ln_choose = lambda a, b: loggamma(a + 1) - loggamma(b + 1) - loggamma(a - b + 1)
    ln_mass = ln_choose(M, x) + ln_choose(N - M, n - x) - ln_choose(N, n)
    above = below = mpf(0)
    term = mpf(1)
    for i in range(x, min(M, n)):
        term *= mpf((M - i) * (n - i)) / ((i + 1) * (N - M - n + i + 1))
        above += term
        if term < above * mpf(10) ** -40:
            break
    term = mpf(1)
    for i in range(x, max(0, M + n - N), -1):
        term *= mpf(i * (N - M - n + i)) / ((M - i + 1) * (n - i + 1))
        below += term
        if term < below * mpf(10) ** -40:
            break
    ln_p = ln_mass + log(1 + 2 * min(above, below))
    start = sqrt(-2 * ln_p) if ln_p < -3 else mpf(1)
    z = findroot(lambda z: log(erfc(z / sqrt(mpf(2)))) - ln_p, start)
    return float(z if x * N > M * n else -z), float(ln_p)


cars = pd.read_csv(sys.argv[1])
numbers = ["Miles_per_Gallon", "Cylinders", "Displacement", "Horsepower", "Weight_in_lbs", "Acceleration"]
filled = cars[numbers].fillna(cars[numbers].median())
clusters = KMeans(4, n_init=10, random_state=0).fit(StandardScaler().fit_transform(filled)).labels_

table = {"clusters": clusters.tolist(), "numbers": [], "shares": []}
for name in numbers:
    known = cars[name].dropna()
    entry = {
        "name": name,
        "values": [None if np.isnan(v) else v for v in cars[name]],
        "mean": known.mean(),
        "median": known.median(),
        "sd": known.std(ddof=0),
        "clusters": [],
    }
    for k in range(4):
        own = cars[name][clusters == k].dropna()
        v, p = v_of_mean(own, known)
        entry["clusters"].append(
            {"count": len(own), "mean": own.mean(), "median": own.median(), "sd": own.std(ddof=0), "v": v, "p": p}
        )
    table["numbers"].append(entry)
for name in ["Origin", "turbo"]:
    cells = cars[name].astype(str)
    values = sorted(cells.unique())
    entry = {"name": name, "cells": [values.index(c) for c in cells], "values": values, "of": []}
    for value in values:
        M = int((cells == value).sum())
        row = []
        for k in range(4):
            n = int((clusters == k).sum())
            x = int((cells[clusters == k] == value).sum())
            v, p = v_of_share(x, n, M, len(cells))
            row.append({"count": x, "share": x / n, "v": v, "p": p})
        entry["of"].append({"share": M / len(cells), "clusters": row})
    table["shares"].append(entry)

pooled = []
for a, b in [(0, 1), (2, 3)]:
    for name in numbers:
        x, y = cars[name][clusters == a].dropna(), cars[name][clusters == b].dropna()
        s = np.sqrt(((len(x) - 1) * x.var() + (len(y) - 1) * y.var()) / (len(x) + len(y) - 2))
        pooled.append({"a": a, "b": b, "name": name, "d": (x.mean() - y.mean()) / s})

draws = []
for N, M, n, xs in [
    (1_000_000, 300_000, 120_000, [0, 30_000, 35_500, 35_999, 36_000, 36_001, 36_400, 50_000, 120_000]),
    (1_000_000, 12, 400_000, [0, 1, 5, 11, 12]),
    (1_000_000, 500_000, 500_000, [240_000, 250_000, 250_001, 251_000]),
    (10_000, 3_000, 200, [0, 30, 59, 60, 61, 90, 200]),
    (50, 20, 10, [0, 3, 4, 5, 10]),
]:
    for x in xs:
        v, ln_p = exact_v(x, n, M, N)
        draws.append({"rows": N, "marked": M, "drawn": n, "found": x, "v": v, "ln_p": ln_p})

normal = []
for z in [0.001, 0.1, 0.5, 1, 1.9, 2.1, 3, 5, 8, 12, 20, 30, 37, 38.4, 100, 1000]:
    normal.append({"z": z, "ln_p": float(log(erfc(mpf(z) / sqrt(mpf(2)))))})

random = np.random.default_rng(0)
agreement = []
for n, k, c in [(1, 1, 1), (2, 2, 2), (10, 1, 3), (10, 3, 1), (40, 4, 4), (300, 5, 3), (300, 3, 40), (50, 50, 50)]:
    for noise in [0.0, 0.3, 1.0]:
        of = random.integers(0, c, n)
        found = np.where(random.random(n) < noise, random.integers(0, k, n), of % k)
        h, comp, v = homogeneity_completeness_v_measure(of, found)
        agreement.append(
            {
                "clusters": found.tolist(),
                "classes": of.tolist(),
                "n_clusters": k,
                "n_classes": c,
                "ari": adjusted_rand_score(of, found),
                "homogeneity": h,
                "completeness": comp,
                "v_measure": v,
            }
        )

versions = {m.__name__: m.__version__ for m in (np, pd, scipy, sklearn)}
with open("profile.json", "w") as file:
    json.dump(
        {"made_with": versions, "cars": table, "pooled": pooled, "draws": draws, "normal": normal, "agreement": agreement},
        file,
        separators=(",", ":"),
    )
