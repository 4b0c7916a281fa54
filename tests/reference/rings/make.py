"""Writes rings.csv: two concentric rings, a blob beside them and a few points
far from all three, with the clusters that DBSCAN and HDBSCAN find (-1: noise).
`python3 make.py` in this folder; written with NumPy 2.4.6 and scikit-learn 1.9.1."""

import numpy as np
from sklearn.cluster import DBSCAN, HDBSCAN

SEED = 0

rng = np.random.default_rng(SEED)


def ring(count, radius):
    angle = rng.uniform(0, 2 * np.pi, count)
    return radius * np.column_stack([np.cos(angle), np.sin(angle)]) + rng.normal(0, 0.06, (count, 2))


points = np.vstack(
    [
        ring(240, 2.0),
        ring(120, 0.9),
        rng.normal((4.2, 0.0), 0.3, (100, 2)),
        rng.uniform((-3.5, -3.5), (6.0, 3.5), (20, 2)),
    ]
)
points = points[rng.permutation(len(points))]

dbscan = DBSCAN(eps=0.35, min_samples=5).fit_predict(points)
hdbscan = HDBSCAN(min_cluster_size=40, min_samples=5, copy=True).fit_predict(points)

for name, labels in [("DBSCAN", dbscan), ("HDBSCAN", hdbscan)]:
    print(name, dict(zip(*(each.tolist() for each in np.unique(labels, return_counts=True)))))

with open("rings.csv", "w") as file:
    file.write("x,y,cluster,hdbscan\n")
    for (x, y), first, second in zip(points, dbscan, hdbscan):
        file.write(f"{x:.17g},{y:.17g},{first},{second}\n")
