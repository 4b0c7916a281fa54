"""Writes the files of this folder: outlier scores and their relevances, from
the definitions and in double precision. `python3 make.py` in this folder;
written with NumPy 2.4.6.

The perplexity of a point is exp of the entropy of softmin_gamma(h), h_j being
its squared distances from the supports; gamma is where the mean perplexity of
all supports is a quarter of their number. Whether a support counts among its
own neighbours makes two different gammas: both are in gamma.csv, and both
files of scores use the first."""

import numpy as np

moons = np.genfromtxt("../moons/moons.csv", delimiter=",", names=True)
supports = np.column_stack([moons["x"], moons["y"]])
points = supports[:40]
squares = np.sum((supports[:, None, :] - supports[None, :, :]) ** 2, axis=2)
own = np.eye(len(supports), dtype=bool)


def softmin(h, gamma):
    weights = np.exp(-gamma * (h - h.min()))
    return weights / weights.sum()


def perplexity(h, gamma):
    p = softmin(h, gamma)
    p = p[p > 0]
    return np.exp(-np.sum(p * np.log(p)))


def mean_perplexity(gamma, leave_one_out):
    return np.mean([perplexity(h[~own[row]] if leave_one_out else h, gamma) for row, h in enumerate(squares)])


def bisected(wanted, leave_one_out):
    low, high = 1e-3, 1e3
    assert mean_perplexity(low, leave_one_out) > wanted > mean_perplexity(high, leave_one_out)
    while high - low > 1e-15 * high:
        middle = np.sqrt(low * high)
        if middle in (low, high):
            break
        if mean_perplexity(middle, leave_one_out) > wanted:
            low = middle
        else:
            high = middle
    return np.sqrt(low * high)


def score(x, kept, gamma):
    """o, and R_i = Σ_j (x_i−u_ji)²/‖x−u_j‖² · softmin_j · o; a support on which
    the point lies has no direction, and what it would get stays in the bias."""
    differences = (x - supports[kept]) ** 2
    h = differences.sum(axis=1)
    score = h.min() - np.log(np.mean(np.exp(-gamma * (h - h.min())))) / gamma
    pooled = softmin(h, gamma) * score
    apart = h > 0
    relevance = (pooled[apart] / h[apart]) @ differences[apart]
    return score, relevance, pooled[~apart].sum()


def write(name, header, rows):
    with open(name, "w") as file:
        file.write(",".join(header) + "\n")
        for row in rows:
            file.write(",".join(f"{number:.17g}" for number in row) + "\n")


wanted = 0.25 * len(supports)
gamma = bisected(wanted, leave_one_out=False)
without = bisected(wanted, leave_one_out=True)
write("gamma.csv", ["perplexity", "gamma", "gamma_leave_one_out"], [[wanted, gamma, without]])
print(f"gamma {gamma:.17g}, or {without:.17g} where no support is its own neighbour")
print(f"mean perplexity {mean_perplexity(gamma, False):.12g} and {mean_perplexity(without, True):.12g}")

for name, leave_one_out in [("scores", False), ("scores_leave_one_out", True)]:
    rows = []
    for row, x in enumerate(points):
        o, relevance, absorbed = score(x, ~own[row] | (not leave_one_out), gamma)
        assert np.isclose(relevance.sum() + absorbed, o, rtol=1e-12)
        assert absorbed == 0 or not leave_one_out
        rows.append([row, o, *relevance, absorbed])
    rows = np.array(rows)
    print(f"{name}: from {rows[:, 1].min():.4f} to {rows[:, 1].max():.4f}, absorbed at most {rows[:, 4].max():.2e}")
    write(f"{name}.csv", ["index", "score", "x", "y", "absorbed"], rows)
