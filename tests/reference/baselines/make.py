"""Writes the files of this folder: relevances by independent packages for two
functions over the scaled wines, and measures of relevances. `python3 make.py` in
this folder. Written with NumPy 2.4.6, SciPy 1.17.1, PyTorch 2.15.0, captum 0.9.0,
shap 0.51.0 and scikit-learn 1.9.1, in double precision; reads `../wine`.

clusterxplain 0.1.0 does not run with these versions. Its formula is written out in
`clusterxplain` below, and `check.py` compares that with the package itself."""

import csv
import json
from importlib.metadata import version

import numpy as np
import shap
import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients, Saliency
from scipy.stats import spearmanr
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.linear_model import Ridge
from sklearn.preprocessing import minmax_scale

GAMMA = 2.0  # of the kernel
SUPPORTS = 6  # of a cluster
STEPS = 64  # of integrated gradients
SAMPLES = 200  # of the surrogate
MASKS = 32  # of infidelity
LEVELS = 50  # of flipping, at most
FEW = [0, 13, 21, 43, 60, 73, 92, 105, 118, 130, 149, 177]
SURROGATE = [0, 60, 92, 149]
CLOSE = 1e-9


def centroid_scores(x, centroids):
    """2 x·μ_k − |μ_k|² of all clusters: |x|² less the squared distance."""
    return 2 * x @ centroids.T - (centroids**2).sum(-1)


def kernel_scores(x, supports):
    """(1/γ) log mean_j exp(γ (2 x·u_j − |u_j|²)); supports [K, M, D]."""
    s = 2 * torch.einsum("nd,kmd->nkm", x, supports) - (supports**2).sum(-1)
    return (torch.logsumexp(GAMMA * s, -1) - np.log(supports.shape[1])) / GAMMA


def margin(scores, c):
    """f_c = s_c − max_{k≠c} s_k, with c given for every row."""
    own = torch.nn.functional.one_hot(c, scores.shape[1]).bool()
    others = scores.masked_fill(own, -torch.inf)
    return scores.gather(1, c[:, None])[:, 0] - others.max(1).values


class Function:
    """f(x, c), and the cluster and the nearest competitor of every row."""

    def __init__(self, scores, x, centroids):
        self.scores, self.x = scores, x
        order = scores(x).argsort(dim=1, descending=True)
        self.c, self.k = order[:, 0], order[:, 1]
        mean = x.mean(0, keepdim=True).expand_as(x)
        self.references = {
            "competing": centroids[self.k],
            "mean": mean,
            "zero": torch.zeros_like(x),
        }
        self.f = self(x, self.c)
        assert (self.f > 0).all()

    def __call__(self, x, c):
        return margin(self.scores(x), c)

    def of_row(self, row):
        """As a function of arrays, with the cluster of that row."""
        c = self.c[row : row + 1]

        def f(z):
            z = torch.as_tensor(z, dtype=torch.float64)
            return self(z, c.expand(len(z))).numpy()

        return f


def gradients(function, rows):
    x, c = function.x[rows], function.c[rows]
    gradient = Saliency(function).attribute(x.clone(), additional_forward_args=(c,), abs=False)
    product = InputXGradient(function).attribute(x.clone(), additional_forward_args=(c,))
    return {"gradient": gradient, "squared": gradient**2, "input": product}


def integrated(function, rows):
    x, c = function.x[rows], function.c[rows]
    made = {}
    for name, reference in function.references.items():
        made[name], made[f"{name} delta"] = IntegratedGradients(function).attribute(
            x.clone(),
            baselines=reference[rows],
            additional_forward_args=(c,),
            n_steps=STEPS,
            method="riemann_middle",
            return_convergence_delta=True,
        )
    return made


def occlusion(function, rows):
    x, c = function.x[rows], function.c[rows]
    return {
        name: FeatureAblation(function).attribute(
            x.clone(), baselines=function.references[name][rows], additional_forward_args=(c,)
        )
        for name in ["competing", "mean"]
    }


def exact(f, x, reference):
    """Shapley values, all subsets of features."""
    explainer = shap.explainers.Exact(f, shap.maskers.Independent(reference[None]))
    found = explainer(x[None], max_evals=2 ** len(x) + 1)
    assert abs(found.values[0].sum() - f(x[None])[0] + f(reference[None])[0]) < CLOSE
    return found.values[0]


def shapley(function, rows):
    return {
        name: np.array(
            [
                exact(function.of_row(row), function.x[row].numpy(), function.references[name][row].numpy())
                for row in rows
            ]
        )
        for name in ["competing", "mean"]
    }


def pairs(function, centroids, rows):
    """Shapley values of h_ck alone, for every competitor of a row in rising order."""
    competitors, values = [], []
    for row in rows:
        x, c, mean = function.x[row].numpy(), int(function.c[row]), function.references["mean"][row].numpy()
        for k in [k for k in range(len(centroids)) if k != c]:
            own, other = centroids[c].numpy(), centroids[k].numpy()

            def h(z):
                return ((z - other) ** 2).sum(1) - ((z - own) ** 2).sum(1)

            competitors.append(k)
            values.append(exact(h, x, mean))
            assert np.abs(values[-1] - (x - mean) * 2 * (own - other)).max() < CLOSE
    shape = (len(rows), len(centroids) - 1)
    return np.reshape(competitors, shape), np.reshape(values, (*shape, -1))


def surrogate(function, rows, noise):
    x = function.x.numpy()
    mean, deviation = x.mean(0), x.std(0)
    width = 0.75 * np.sqrt(x.shape[1])
    weights = np.exp(-(noise**2).sum(1) / width**2)
    made = {"coefficients": [], "intercept": [], "score": [], "relevance": []}
    for row in rows:
        f = function.of_row(row)(x[row] + deviation * noise)
        ridge = Ridge(alpha=1.0, fit_intercept=True, solver="cholesky").fit(noise, f, sample_weight=weights)
        made["coefficients"].append(ridge.coef_)
        made["intercept"].append(ridge.intercept_)
        made["score"].append(ridge.score(noise, f, sample_weight=weights))
        made["relevance"].append(ridge.coef_ * (x[row] - mean) / deviation)
    return {key: np.array(value) for key, value in made.items()}


class Clustering:
    """Everything the measures need, in NumPy."""

    def __init__(self, x, centroids):
        self.x, self.centroids = x, centroids
        self.rows = np.arange(len(x))
        order = np.argsort(self.squares(x), axis=1, kind="stable")
        self.c, self.k = order[:, 0], order[:, 1]
        self.f = self.margins(x)
        self.heuristic = 1 / self.f.mean()
        self.competing, self.mean = centroids[self.k], np.broadcast_to(x.mean(0), x.shape)

    def squares(self, x):
        return ((x[:, None, :] - self.centroids) ** 2).sum(2)

    def outputs(self, x):
        """h_ck of the row's own cluster and all others; infinite for k = c."""
        squares = self.squares(x)
        h = squares - squares[self.rows, self.c][:, None]
        h[self.rows, self.c] = np.inf
        return h

    def margins(self, x):
        return self.outputs(x).min(1)

    def pooled(self, beta):
        """R_k; the weight of the own cluster is 0."""
        h = self.outputs(self.x)
        if beta == np.inf:
            p = np.zeros_like(h)
            p[self.rows, self.k] = 1
        else:
            p = np.exp(-beta * (h - h.min(1, keepdims=True)))
            p /= p.sum(1, keepdims=True)
        return p * self.f[:, None], h


def neon(clustering, beta):
    """Σ_k R_k (x−m_k)∘w_k / Σ_i (x−m_k)_i w_ki, m_k the midpoint, pair by pair."""
    shares, h = clustering.pooled(beta)
    relevance = np.zeros_like(clustering.x)
    own = clustering.centroids[clustering.c]
    for k, other in enumerate(clustering.centroids):
        others = clustering.c != k
        top = (clustering.x - (own + other) / 2) * 2 * (own - other)
        bottom = top.sum(1)
        assert np.abs((bottom - h[:, k])[others]).max() < 1e-10
        relevance[others] += (shares[others, k] / bottom[others])[:, None] * top[others]
    assert (np.abs(relevance.sum(1) - clustering.f) / np.abs(relevance).sum(1)).max() < 1e-12
    return relevance


def product(clustering):
    """x∘∇f"""
    return clustering.x * 2 * (clustering.centroids[clustering.c] - clustering.competing)


def clusterxplain(clustering):
    """The same R_k, with β = 1 / mean f, and then, for every feature on its own,
    Σ_k R_k a_ki / Σ_k a_ki with a_ki = (x_i − (μ_c − μ_k)_i / 2) h_ck."""
    shares, h = clustering.pooled(clustering.heuristic)
    own = clustering.centroids[clustering.c][:, None]
    h = np.where(np.isinf(h), 0, h)
    a = (clustering.x[:, None] - (own - clustering.centroids) / 2) * h[:, :, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return (shares[:, :, None] * (a / a.sum(1, keepdims=True))).sum(1)


def conservation(clustering, relevance):
    error = np.abs(relevance.sum(1) - clustering.f) / np.abs(relevance).sum(1)
    return [error.mean(), np.median(error), error.max()]


def flipping(clustering, relevance, reference):
    """Curves and shares for both orders, and the areas and their difference."""
    count = relevance.shape[1]
    levels = min(count, LEVELS)
    # A stable sort that takes -0 and 0 as equal.
    most = np.argsort(-relevance, axis=1, kind="stable")
    made, areas = {}, []
    for name, order in [("most", most), ("least", most[:, ::-1])]:
        x, curve, share, done = clustering.x.copy(), [], [], 0
        for level in range(levels + 1):
            until = round(level * count / levels)
            flipped = order[:, done:until]
            np.put_along_axis(x, flipped, np.take_along_axis(reference, flipped, 1), 1)
            done = until
            curve.append(clustering.margins(x).sum() / clustering.f.sum())
            share.append((clustering.squares(x).argmin(1) != clustering.c).mean())
        made[f"curve {name}"], made[f"changed {name}"] = np.array(curve), np.array(share)
        areas.append(np.trapezoid(curve, dx=1 / levels))
    made["area"] = np.array([areas[0], areas[1], areas[1] - areas[0]])
    return made


def infidelity(clustering, relevance, masks):
    a = relevance @ masks.T
    replaced = [np.where(mask, clustering.competing, clustering.x) for mask in masks.astype(bool)]
    d = np.stack([clustering.f - clustering.margins(x) for x in replaced], 1)
    scale = (a * d).sum(1) / (a**2).sum(1)
    return ((scale[:, None] * a - d) ** 2).sum() / (d**2).sum()


def agreement(relevances):
    """Mean over the rows: rank correlation of R, and the part of the three largest
    |R| that is in both."""
    names = list(relevances)
    ranks, top = np.eye(len(names)), np.eye(len(names))
    for i, one in enumerate(names):
        for j, other in enumerate(names[:i]):
            rows = list(zip(relevances[one], relevances[other]))
            ranks[i, j] = ranks[j, i] = np.mean([spearmanr(a, b).statistic for a, b in rows])
            three = [[set(np.argsort(-np.abs(r), kind="stable")[:3]) for r in row] for row in rows]
            top[i, j] = top[j, i] = np.mean([len(a & b) / 3 for a, b in three])
    return ranks, top


def around(clustering, theirs):
    """Prints what the figures of clusterxplain are to be compared with."""
    random = np.random.default_rng(4)
    areas = [
        flipping(clustering, random.random(theirs.shape), clustering.competing)["area"] for _ in range(50)
    ]
    print(f"areas of 50 random orders: mean {np.mean(areas, 0)}, deviation {np.std(areas, 0)}")
    ratio = theirs.sum(1) / clustering.f
    print(f"clusterxplain: ΣR/f from {ratio.min():.3g} to {ratio.max():.3g}, median {np.median(ratio):.3g}")
    shifted = Clustering(clustering.x + 1, clustering.centroids + 1)
    assert np.abs(neon(shifted, 1.0) - neon(clustering, 1.0)).max() < 1e-13
    difference = np.abs(clusterxplain(shifted) - theirs).max() / np.abs(theirs).max()
    print(f"clusterxplain: 1 added everywhere changes R by up to {difference:.2g} of the largest |R|")


def measured(clustering):
    relevances = {
        "neon 1": neon(clustering, 1.0),
        "neon hard": neon(clustering, np.inf),
        "product": product(clustering),
        "clusterxplain": clusterxplain(clustering),
    }
    masks = (np.random.default_rng(3).random((MASKS, clustering.x.shape[1])) < 0.5).astype(int)
    assert masks.any(1).all()
    tensors = {"masks": masks, "neon hard": relevances["neon hard"]}
    tensors["clusterxplain"] = relevances["clusterxplain"]
    for name, relevance in relevances.items():
        assert np.isfinite(relevance).all()
        gap = np.diff(np.sort(relevance, 1), axis=1)
        print(f"{name}: smallest difference of two relevances of a row but 0: {gap[gap > 0].min():.1e}")
        tensors[f"{name} conservation"] = np.array(conservation(clustering, relevance))
        for kind, reference in [("competing", clustering.competing), ("mean", clustering.mean)]:
            for key, value in flipping(clustering, relevance, reference).items():
                tensors[f"{name} {kind} {key}"] = value
        tensors[f"{name} infidelity"] = np.array([infidelity(clustering, relevance, masks)])
    tensors["constant infidelity"] = np.array([infidelity(clustering, np.ones_like(clustering.x), masks)])
    tensors["spearman"], tensors["top"] = agreement(relevances)
    around(clustering, relevances["clusterxplain"])
    return list(relevances), tensors


def table(wine):
    """The comparison with clusterxplain over four data sets."""

    def clustered(data, count):
        x = minmax_scale(data.data)
        kmeans = KMeans(count, n_init=10, random_state=0).fit(x)
        return Clustering(x, kmeans.cluster_centers_)

    sets = {
        "wine": wine,
        "iris": clustered(load_iris(), 3),
        "breast_cancer": clustered(load_breast_cancer(), 2),
        "digits": clustered(load_digits(), 10),
    }
    lines = []
    for name, clustering in sets.items():
        methods = {
            "neon_1": neon(clustering, 1.0),
            "neon_heuristic": neon(clustering, clustering.heuristic),
            "neon_hard": neon(clustering, np.inf),
            "gradient_x_input": product(clustering),
            "clusterxplain": clusterxplain(clustering),
        }
        for method, relevance in methods.items():
            undefined = ~np.isfinite(relevance)
            relevance = np.where(undefined, 0, relevance)
            if method == "clusterxplain" and len(clustering.centroids) == 2:
                assert (relevance == clustering.f[:, None]).all()
            if undefined.any():
                columns = np.flatnonzero(undefined.any(0))
                print(f"{name} {method}: undefined in {columns}, largest |R| {np.abs(relevance).max():.4g}")
            mean, median, _ = conservation(clustering, relevance)
            areas = flipping(clustering, relevance, clustering.competing)["area"]
            shape = [len(clustering.x), clustering.x.shape[1], len(clustering.centroids)]
            figures = [f"{value + 0:.4f}" for value in np.round([mean, median, *areas], 4)]
            lines.append([name, *shape, method, *figures, undefined.sum()])
    header = ["dataset", "rows", "features", "clusters", "method", "conservation_mean", "conservation_median"]
    header += ["area_most_first", "area_least_first", "gain", "undefined"]
    with open("clusterxplain.csv", "w") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *lines])


def write(name, tensors, packages, exactly=(), **more):
    lines = []
    for key, value in tensors.items():
        value = np.asarray(value)
        assert np.isfinite(value).all(), key
        numbers = value.flatten().tolist()
        if value.dtype.kind == "f" and key not in exactly:
            numbers = [float(f"{number:.12g}") for number in numbers]
        numbers = {"shape": list(value.shape), "values": numbers}
        lines.append(f"{json.dumps(key)}: {json.dumps(numbers, separators=(',', ':'))}")
    head = {"versions": {package: version(package) for package in packages}, **more}
    with open(f"{name}.json", "w") as file:
        file.write(f'{json.dumps(head)[:-1]}, "tensors": {{\n')
        file.write(",\n".join(lines) + "\n}}\n")


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    x = torch.from_numpy(np.loadtxt("../wine/wine_minmax.csv", delimiter=",", skiprows=1)[:, :-1].copy())
    centroids = torch.from_numpy(np.loadtxt("../wine/centroids.csv", delimiter=",", skiprows=1))
    labels = np.loadtxt("../wine/labels.csv", delimiter=",", skiprows=1, dtype=int)[:, 1]
    every = list(range(len(x)))
    some = sorted({*every[::5], *FEW})
    support_rows = np.array([np.flatnonzero(labels == k)[:SUPPORTS] for k in range(3)])
    supports = x[torch.from_numpy(support_rows)]
    functions = {
        "kmeans": (Function(lambda z: centroid_scores(z, centroids), x, centroids), every),
        "kernel": (Function(lambda z: kernel_scores(z, supports), x, centroids), some),
    }
    assert (functions["kmeans"][0].c.numpy() == labels).all()

    tensors = {"centroids": centroids, "mean": x.mean(0), "deviation": x.std(0, correction=0)}
    exactly = list(tensors)
    tensors |= {"supports": support_rows, "gamma": np.array([GAMMA])}
    for name, (function, rows) in functions.items():
        tensors[f"{name} rows"] = np.array(rows)
        tensors[f"{name} cluster"], tensors[f"{name} competitor"] = function.c[rows], function.k[rows]
        tensors[f"{name} f"] = function.f[rows]
        for kind in ["competing", "mean", "zero"]:
            tensors[f"{name} f {kind}"] = function(function.references[kind], function.c)[rows]
    write("functions", tensors, ["numpy", "torch"], exactly)

    for name, method, packages in [
        ("gradients", gradients, ["torch", "captum"]),
        ("integrated", integrated, ["torch", "captum"]),
        ("occlusion", occlusion, ["torch", "captum"]),
    ]:
        tensors = {}
        for kind, (function, rows) in functions.items():
            tensors |= {f"{kind} {key}": value.detach() for key, value in method(function, rows).items()}
        write(name, tensors, packages)
        for key in tensors:
            if "delta" in key:
                print(f"{name} {key}: {tensors[key].abs().max():.3g}")

    tensors = {"rows": np.array(FEW)}
    for kind, (function, _) in functions.items():
        tensors |= {f"{kind} {key}": value for key, value in shapley(function, FEW).items()}
    tensors["pair competitor"], tensors["pair mean"] = pairs(functions["kmeans"][0], centroids, FEW)
    write("shapley", tensors, ["numpy", "shap"])

    noise = np.random.default_rng(2).standard_normal((SAMPLES, x.shape[1])).round(6)
    tensors = {"rows": np.array(SURROGATE), "noise": noise}
    for kind, (function, _) in functions.items():
        tensors |= {f"{kind} {key}": value for key, value in surrogate(function, SURROGATE, noise).items()}
    write("surrogate", tensors, ["numpy", "scikit-learn"])

    wine = Clustering(x.numpy(), centroids.numpy())
    published = np.loadtxt("../wine/relevance_beta1.csv", delimiter=",", skiprows=1)
    # Those have 1e-9 added to denominators, the smallest of which is 0.0089.
    assert np.abs(neon(wine, 1.0) - published).max() < 2e-8
    captum = gradients(functions["kmeans"][0], every)["input"].detach().numpy()
    assert np.abs(product(wine) - captum).max() < 1e-12
    methods, tensors = measured(wine)
    write("measures", tensors, ["numpy", "scipy"], methods=methods)
    table(wine)


if __name__ == "__main__":
    main()
