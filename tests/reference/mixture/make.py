"""Writes the files of this folder: the Gaussian mixture with diagonal
covariances that scikit-learn fits to the scaled wines. `python3 make.py` in
this folder; written with NumPy 2.4.6 and scikit-learn 1.9.1.

The start: weights of 1/3, the centroids of ../wine/centroids.csv as means, and
for every component the variances of the whole data (divided by N)."""

import numpy as np
from sklearn.mixture import GaussianMixture

names = [name for name in open("../wine/wine_minmax.csv").readline().strip().split(",") if name != "target"]
wine = np.loadtxt("../wine/wine_minmax.csv", delimiter=",", skiprows=1)[:, : len(names)]
start = np.loadtxt("../wine/centroids.csv", delimiter=",", skiprows=1)

mixture = GaussianMixture(
    n_components=3,
    covariance_type="diag",
    reg_covar=0.0,
    tol=1e-10,
    max_iter=10_000,
    weights_init=np.full(3, 1 / 3),
    means_init=start,
    precisions_init=np.tile(1 / wine.var(axis=0), (3, 1)),
    init_params="random_from_data",
    random_state=0,
).fit(wine)

# log weight + log density, written out.
weights, means, variances = mixture.weights_, mixture.means_, mixture.covariances_
squares = (wine[:, None, :] - means) ** 2 / variances
joint = np.log(weights) - 0.5 * np.sum(np.log(2 * np.pi * variances) + squares, axis=2)
labels = joint.argmax(axis=1)
assert np.array_equal(labels, mixture.predict(wine))
assert np.allclose(np.logaddexp.reduce(joint, axis=1), mixture.score_samples(wine), rtol=1e-12)

# How far one more step of expectation and maximisation would move the parameters.
posterior = np.exp(joint - np.logaddexp.reduce(joint, axis=1)[:, None])
count = posterior.sum(axis=0)
next_means = posterior.T @ wine / count[:, None]
next_variances = posterior.T @ wine**2 / count[:, None] - next_means**2
moves = [count / len(wine) - weights, next_means - means, next_variances - variances]

print(f"converged: {mixture.converged_}, after {mixture.n_iter_} steps")
print(f"mean log-likelihood: {np.logaddexp.reduce(joint, axis=1).mean():.17g}")
print(f"sizes: {np.bincount(labels)}, weights: {weights}")
print(f"smallest variance: {variances.min():.3g}")
print("one more step moves weights, means and variances by", ", ".join(f"{np.abs(m).max():.1e}" for m in moves))
sharp = np.sort(posterior, axis=1)[:, -1]
print(f"posterior of the label: smallest {sharp.min():.3f}; {np.sum(sharp < 0.99)} points below 0.99")


def write(name, header, rows):
    with open(name, "w") as file:
        file.write(",".join(header) + "\n")
        for row in np.atleast_2d(rows):
            file.write(",".join(f"{number:.17g}" for number in row) + "\n")


write("weights.csv", ["weight"], weights[:, None])
write("means.csv", names, means)
write("variances.csv", names, variances)
write("log_joint.csv", ["j0", "j1", "j2"], joint)
write("labels.csv", ["index", "component"], np.column_stack([np.arange(len(wine)), labels]))
