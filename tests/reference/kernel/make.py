"""Writes the files of this folder: networks of kernel k-means and their
relevances, from the definitions alone and in double precision. Every pair of
supports has its own h, nothing is simplified, so that an implementation that
does simplify has something to be compared with. `python3 make.py` in this
folder; written with NumPy 2.4.6."""

import numpy as np

BETA = 1.0


def read(path):
    return np.genfromtxt(path, delimiter=",", names=True)


def columns(table, names):
    return np.column_stack([table[name] for name in names])


def log_mean_exp(values, stiffness, axis):
    """(1/s) log mean exp(s v); a negative s makes it a soft minimum."""
    scaled = stiffness * values
    most = scaled.max(axis=axis, keepdims=True)
    mean = np.exp(scaled - most).mean(axis=axis, keepdims=True)
    return np.squeeze((most + np.log(mean)) / stiffness, axis=axis)


def softmax(values, axis):
    weights = np.exp(values - values.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


class Pairs:
    """The first layers of the network for cluster `own` against `other` at one
    point: h_ij = w_ij·x + b_ij for all pairs of supports, then the pooling."""

    def __init__(self, x, own, other, gamma):
        w = 2 * (own[:, None, :] - other[None, :, :])
        b = np.sum(other**2, axis=1)[None, :] - np.sum(own**2, axis=1)[:, None]
        self.h = w @ x + b
        h_j = log_mean_exp(self.h, gamma, axis=0)
        self.score = float(log_mean_exp(h_j, -gamma, axis=0))
        p_i = softmax(gamma * self.h, axis=0)
        p_j = softmax(-gamma * h_j, axis=0)
        self.weight = p_i * p_j[None, :]
        middle = (own[:, None, :] + other[None, :, :]) / 2
        self.share = (x - middle) * w

    def pairwise(self):
        """Σ_ij p_i p_j (x−m_ij) w_ij / h_ij."""
        return np.sum((self.weight / self.h)[:, :, None] * self.share, axis=(0, 1))

    def summed(self):
        """The same pairs, summed before the division."""
        top = np.sum(self.weight[:, :, None] * self.share, axis=(0, 1))
        return top / top.sum(), abs(top.sum()) / np.abs(self.weight[:, :, None] * self.share).sum()


def explain(points, labels, supports, support_labels, gamma, leave_one_out=False):
    """Everything about these points, which are the first of the supports."""
    clusters = np.unique(support_labels)
    distances, logits, summed, pairwise, assigned, smallest = [], [], [], [], [], []
    for row, x in enumerate(points):
        kept = np.ones(len(supports), dtype=bool)
        kept[row] = not leave_one_out
        members = [supports[kept & (support_labels == cluster)] for cluster in clusters]
        squares = [np.sum((x - own) ** 2, axis=1) for own in members]
        soft = np.array([log_mean_exp(each, -gamma, axis=0) for each in squares])
        f = []
        for c in range(len(clusters)):
            others = [k for k in range(len(clusters)) if k != c]
            pairs = [Pairs(x, members[c], members[k], gamma) for k in others]
            h = np.array([each.score for each in pairs])
            assert np.allclose(h, soft[others] - soft[c], rtol=0, atol=1e-12)
            f.append(h.min())
            if c == np.argmin(soft):
                pooled = softmax(-BETA * h, axis=0) * h.min()
                shares, sizes = zip(*(each.summed() for each in pairs))
                summed.append(pooled @ np.array(shares))
                pairwise.append(pooled @ np.array([each.pairwise() for each in pairs]))
                smallest.append(min(sizes))
        c = int(np.argmax(f))
        assert c == np.argmin(soft) and f[c] > 0
        assert np.isclose(summed[-1].sum(), f[c], rtol=1e-10, atol=1e-12)
        assigned.append(c)
        distances.append(soft)
        logits.append(f)
    distances, logits, summed, pairwise = map(np.array, (distances, logits, summed, pairwise))
    assigned = np.array(assigned)
    chosen = logits.max(axis=1)
    print(f"  {np.sum(assigned != labels)} of {len(points)} points are not in the cluster of their label")
    for name, relevance in [("summed", summed), ("pairwise", pairwise)]:
        ratio = np.abs(relevance).max(axis=1) / chosen
        error = np.abs(relevance.sum(axis=1) - chosen) / np.abs(relevance).sum(axis=1)
        print(
            f"  {name}: max |R|/f {ratio.max():.4g} (point {ratio.argmax()}), median {np.median(ratio):.3g}; "
            f"sum against f, relative to the sum of |R|: {error.max():.1e}"
        )
    print(f"  smallest denominator of the summed rule, relative to the sum of its sizes: {min(smallest):.3g}")
    return assigned, distances, logits, summed, pairwise


def write(name, header, *parts):
    with open(name, "w") as file:
        file.write(",".join(header) + "\n")
        for row in zip(*parts):
            cells = []
            for part in row:
                for number in np.atleast_1d(part):
                    whole = isinstance(number, (int, np.integer))
                    cells.append(str(number) if whole else f"{number:.17g}")
            file.write(",".join(cells) + "\n")


def names(kind, count):
    return [f"{kind}{k}" for k in range(count)]


moons = read("../moons/moons.csv")
points, halves = columns(moons, ["x", "y"]), moons["moon"].astype(int)
GAMMA = 10.0
head = slice(0, 60)
index = np.arange(60)

print("moons, 60 points, all supports")
assigned, distances, logits, summed, pairwise = explain(points[head], halves[head], points, halves, GAMMA)
write("moons_distances.csv", names("s", 2), distances)
write("moons_logits.csv", ["index", "cluster", *names("f", 2)], index, assigned, logits)
write("moons_summed.csv", ["x", "y"], summed)
write("moons_pairwise.csv", ["x", "y"], pairwise)

print("moons, 60 points, leave-one-out")
assigned, distances, logits, *_ = explain(points[head], halves[head], points, halves, GAMMA, leave_one_out=True)
header = ["index", "cluster", *names("s", 2), *names("f", 2)]
write("moons_leave_one_out.csv", header, index, assigned, distances, logits)

features = [name for name in open("../wine/wine_minmax.csv").readline().strip().split(",") if name != "target"]
points = np.loadtxt("../wine/wine_minmax.csv", delimiter=",", skiprows=1)[:, : len(features)]
labels = read("../wine/labels.csv")["cluster"].astype(int)
GAMMA = 5.0

print("wine, all points, all supports")
assigned, distances, logits, summed, _ = explain(points, labels, points, labels, GAMMA)
write("wine_logits.csv", ["index", "cluster", *names("f", 3)], np.arange(len(points)), assigned, logits)
write("wine_summed.csv", features, summed)
