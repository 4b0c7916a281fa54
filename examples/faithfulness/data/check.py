"""Checks the CSV files of this folder and prints how k-means on features scaled to 0..1, with as many clusters as there
are classes, agrees with the classes (adjusted Rand index). `python3 check.py` in this folder; needs NumPy and
scikit-learn (written with 2.4.6 and 1.9.1)."""

import csv
import pathlib

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import minmax_scale

for path in sorted(pathlib.Path(__file__).parent.glob("*.csv")):
    with open(path, newline="") as file:
        header, *table = csv.reader(file)
    assert header[-1] == "class" and len(set(header)) == len(header) and all(name.isascii() for name in header), path
    assert all(len(row) == len(header) for row in table), path
    rows = np.array([row[:-1] for row in table], dtype=np.float64)
    classes = [row[-1] for row in table]
    assert np.isfinite(rows).all() and (rows.min(axis=0) < rows.max(axis=0)).all(), path
    assert len(rows) <= 800 and len(header) <= 101, path
    k = len(set(classes))
    labels = KMeans(k, n_init=20, random_state=0).fit_predict(minmax_scale(rows))
    agreement = adjusted_rand_score(classes, labels)
    sizes = sorted(np.bincount(labels).tolist())
    print(f"{path.name:18} {len(rows)} x {rows.shape[1]}, {k} classes: ARI {agreement:.2f}, clusters of {sizes}")
