"""Compares the relevances `clusterxplain` of measures.json with those of the package
clusterxplain 0.1.0 itself. `python3 check.py` in this folder; the package needs
versions of its own, and was run with NumPy 1.26.4, pandas 1.5.3 and nptyping 2.5.0."""

import json

import numpy as np
from cxplain.neon import NeonKMeansExplainer

x = np.loadtxt("../wine/wine_minmax.csv", delimiter=",", skiprows=1)[:, :-1]
centroids = np.loadtxt("../wine/centroids.csv", delimiter=",", skiprows=1)
labels = np.loadtxt("../wine/labels.csv", delimiter=",", skiprows=1, dtype=int)[:, 1]
explained = NeonKMeansExplainer(x, centroids, labels).fit_explain()
theirs = explained.pointwise_relevance_df.to_numpy()

with open("measures.json") as file:
    ours = json.load(file)["tensors"]["clusterxplain"]
ours = np.reshape(ours["values"], ours["shape"])
difference = np.abs(theirs - ours) / np.abs(theirs)
print(f"{theirs.shape}, largest relative difference {difference.max():.1e}")
assert difference.max() < 1e-11
