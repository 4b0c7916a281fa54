"""Clusters words.csv with k-means under the generalised Kullback-Leibler
divergence and prints the words that decide, so that a reader can judge the data.
`python3 check.py` in this folder; needs NumPy.

d(x, m) = Σ x log(x/m) − x + m over the counts as they are. A centroid is the mean of its members and of the mean of all
documents, which counts as α = 1 further member, so that no centroid has zeros."""

import csv
import sys

import numpy as np

ALPHA = 1.0
CLUSTERS = int(sys.argv[1]) if len(sys.argv) > 1 else 7

with open("words.csv") as file:
    header, *rows = csv.reader(file)
names, themes = [row[0] for row in rows], np.array([row[1] for row in rows])
vocabulary = np.array(header[2:])
x = np.array([row[2:] for row in rows], dtype=float)
everything = x.mean(axis=0)


def divergences(centroids):
    logs = np.where(x > 0, x * np.log(np.where(x > 0, x, 1)), 0).sum(axis=1)
    return logs[:, None] - x @ np.log(centroids).T - x.sum(axis=1)[:, None] + centroids.sum(axis=1)


def centroids_of(labels):
    sums = [x[labels == k].sum(axis=0) + ALPHA * everything for k in range(CLUSTERS)]
    return np.array([each / ((labels == k).sum() + ALPHA) for k, each in enumerate(sums)])


def run(seed):
    rng = np.random.default_rng(seed)
    chosen = [rng.integers(len(x))]
    while len(chosen) < CLUSTERS:
        away = divergences((x[chosen] + ALPHA * everything) / (1 + ALPHA)).min(axis=1).clip(0)
        chosen.append(rng.choice(len(x), p=away / away.sum()))
    centroids = (x[chosen] + ALPHA * everything) / (1 + ALPHA)
    labels = None
    for _ in range(100):
        nearest = divergences(centroids).argmin(axis=1)
        if labels is not None and np.array_equal(nearest, labels):
            break
        labels = nearest
        centroids = centroids_of(labels)
    return divergences(centroids).min(axis=1).sum(), labels, centroids


cost, labels, centroids = min((run(seed) for seed in range(200)), key=lambda each: each[0])
print(f"{CLUSTERS} clusters, sum of divergences {cost:.6g}, one cluster {divergences(everything[None]).sum():.6g}")
for k in range(CLUSTERS):
    members = np.flatnonzero(labels == k)
    rest = (everything * len(x) - x[members].sum(axis=0) + 0.5 * everything) / (len(x) - len(members) + 0.5)
    # What a word adds to the mean margin of the members against the mean of all other documents.
    share = x[members].mean(axis=0) * np.log(centroids[k] / rest) - centroids[k] + rest
    strongest = vocabulary[np.argsort(-share)[:14]]
    found, number = np.unique(themes[members], return_counts=True)
    print(f"\n{k}: {len(members)} documents; themes {dict(zip(found.tolist(), number.tolist()))}")
    print("  words:", ", ".join(strongest.tolist()))
    print("  documents:", ", ".join(names[i] for i in members[:12]))
