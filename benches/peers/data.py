"""The data of the cells, written once as raw little-endian f32, row by row."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

CACHE = Path(__file__).parent / ".cache"


@dataclass(frozen=True)
class Cell:
    """Rows to be clustered and how many clusters are asked for."""

    rows: int
    columns: int
    clusters: int
    source: str = "mixture"

    @property
    def name(self):
        prefix = "" if self.source == "mixture" else f"{self.source} "
        return f"{prefix}{self.rows}x{self.columns} K{self.clusters}"

    @property
    def stem(self):
        return self.name.replace(" ", "-")


MIXTURES = [
    Cell(100_000, 64, 32),
    Cell(20_000, 784, 10),
    Cell(200_000, 16, 256),
    Cell(50_000, 512, 1000),
]
REAL = [Cell(1797, 64, 10, "digits"), Cell(273_280, 3, 64, "china")]
EXPLAINED = [Cell(10_000, 64, 32), Cell(10_000, 784, 10), Cell(2000, 512, 1000)]

SMALL_MIXTURES = [Cell(4000, 64, 32), Cell(2000, 128, 10)]
SMALL_REAL = [Cell(1797, 64, 10, "digits")]
SMALL_EXPLAINED = [Cell(500, 64, 32), Cell(200, 128, 50)]

ALL = MIXTURES + REAL + EXPLAINED + SMALL_MIXTURES + SMALL_REAL + SMALL_EXPLAINED


def load(cell):
    """The file of the data and the data themselves."""
    path = CACHE / f"{cell.stem}.f32"
    if not path.exists():
        write(path, SOURCES[cell.source](cell))
    return path, read(path, cell.columns)


def initial_centroids(cell, x, seed):
    """A file with K random rows of x, no two alike."""
    rng = np.random.default_rng([seed, 1])
    candidates = x[rng.permutation(len(x))[: 20 * cell.clusters]]
    _, first = np.unique(candidates, axis=0, return_index=True)
    path = CACHE / f"{cell.stem}-init{seed}.f32"
    write(path, candidates[np.sort(first)[: cell.clusters]])
    return path


def lasting_centroids(cell, x, iterations):
    """Random rows from which Lloyd is still on its way after so many iterations.

    Where it comes to rest sooner, a contestant that notices and one that does
    not would be compared by what they do besides iterating.
    """
    for seed in range(20):
        path = initial_centroids(cell, x, seed)
        if _keeps_moving(x, read(path, cell.columns).copy(), iterations):
            return path
    return path


def _keeps_moving(x, centroids, iterations):
    before = None
    for _ in range(iterations):
        bias = (centroids**2).sum(1) / 2
        labels = np.concatenate(
            [(block @ centroids.T - bias).argmax(1) for block in np.array_split(x, 64)]
        )
        if before is not None and (labels == before).all():
            return False
        before = labels
        for k in range(len(centroids)):
            members = x[labels == k]
            if len(members):
                centroids[k] = members.mean(0)
    return True


def read(path, columns):
    return np.fromfile(path, dtype="<f4").reshape(-1, columns)


def write(path, array):
    path = Path(path)
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    np.ascontiguousarray(array, dtype="<f4").tofile(unfinished)
    unfinished.rename(path)


def inertia(x, centroids):
    """Sum of squared distances to the nearest centroid, in f64."""
    centroids = centroids.astype(np.float64)
    bias = (centroids**2).sum(1) / 2
    total = 0.0
    for start in range(0, len(x), 4096):
        block = x[start : start + 4096].astype(np.float64)
        nearest = centroids[(block @ centroids.T - bias).argmax(1)]
        total += float(((block - nearest) ** 2).sum())
    return total


def _mixture(cell):
    """Gaussians of unit variance, one a cluster, around 0.7 N(0, 1)."""
    rng = np.random.default_rng([cell.rows, cell.columns, cell.clusters])
    centres = 0.7 * rng.standard_normal((cell.clusters, cell.columns))
    x = np.empty((cell.rows, cell.columns), dtype=np.float32)
    for start in range(0, cell.rows, 10_000):
        block = x[start : start + 10_000]
        own = rng.integers(cell.clusters, size=len(block))
        block[:] = centres[own] + rng.standard_normal(block.shape)
    return x


def _digits(_):
    from sklearn.datasets import load_digits

    return load_digits().data


def _china(cell):
    """The pixels of a photograph: colour quantisation."""
    from sklearn.datasets import load_sample_image

    return load_sample_image("china.jpg").reshape(-1, cell.columns) / 255


SOURCES = {"mixture": _mixture, "digits": _digits, "china": _china}
