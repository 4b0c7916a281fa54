"""The Python peers. Each runs in a worker process of its own (worker.py).

`lloyd` and `fit` return the centroids and the number of iterations made, or
None where the library does not say. `lloyd` makes as many iterations as it is
told, without a tolerance and on all rows; `fit` is what the library does when
left to its own settings, but for the number of iterations, if that is given.
"""

import numpy as np

import explanations

EVERYTHING = 10**9  # rows a centroid may have before a library leaves some out


class ScikitLearn:
    def __init__(self, threads):
        from sklearn.cluster import KMeans

        self.estimator = KMeans

    def load(self, x):
        self.x = x

    def lloyd(self, init, iterations):
        return self._run(
            n_clusters=len(init),
            init=init,
            n_init=1,
            max_iter=iterations,
            tol=0.0,
            algorithm="lloyd",
        )

    def fit(self, clusters, seed, max_iter=None):
        return self._run(n_clusters=clusters, random_state=seed, **at_most("max_iter", max_iter))

    def seeding(self, clusters, seed):
        from sklearn.cluster import kmeans_plusplus

        centroids, _ = kmeans_plusplus(self.x, clusters, random_state=seed)
        return centroids, None

    def _run(self, **settings):
        model = self.estimator(**settings).fit(self.x)
        return model.cluster_centers_, model.n_iter_


class ScikitLearnIntelex(ScikitLearn):
    def __init__(self, threads):
        import daal4py
        from sklearnex.cluster import KMeans

        daal4py.daalinit(nthreads=threads)
        self.estimator = KMeans

    def _run(self, **settings):
        model = self.estimator(**settings).fit(self.x)
        if not hasattr(model, "_onedal_estimator"):
            raise RuntimeError("fell back to scikit-learn")
        return model.cluster_centers_, model.n_iter_


class Faiss:
    def __init__(self, threads):
        import faiss

        faiss.omp_set_num_threads(threads)
        self.kmeans = faiss.Kmeans

    def load(self, x):
        self.x = x

    def lloyd(self, init, iterations):
        return self._run(len(init), init, niter=iterations)

    def fit(self, clusters, seed, max_iter=None):
        return self._run(clusters, None, seed=seed, **at_most("niter", max_iter))

    def _run(self, clusters, init, **settings):
        settings |= {"max_points_per_centroid": EVERYTHING}
        model = self.kmeans(self.x.shape[1], clusters, **settings)
        model.train(self.x, init_centroids=init)
        return model.centroids, len(model.obj)


class FaissSuperKMeans(Faiss):
    """Takes no initial centroids: it starts from random rows of its own."""

    def __init__(self, threads):
        import faiss

        faiss.omp_set_num_threads(threads)
        self.kmeans = faiss.SuperKmeans

    def lloyd(self, init, iterations):
        return self._run(len(init), None, niter=iterations)


class SuperKMeans:
    """Takes no initial centroids: it starts from random rows of its own."""

    def __init__(self, threads):
        from superkmeans import SuperKMeans as estimator

        self.estimator = estimator
        self.threads = threads

    def load(self, x):
        self.x = x

    def lloyd(self, init, iterations):
        return self._run(
            len(init),
            hierarchical=False,
            iters=iterations,
            sampling_fraction=1.0,
            max_points_per_cluster=EVERYTHING,
            early_termination=False,
            tol=0.0,
        )

    def fit(self, clusters, seed, max_iter=None):
        return self._run(clusters, seed=seed, **at_most("iters", max_iter))

    def _run(self, clusters, **settings):
        model = self.estimator(clusters, self.x.shape[1], n_threads=self.threads, **settings)
        centroids = model.train(self.x)
        return centroids, None if model.hierarchical_ else len(model.iteration_stats)


class FastKMeans:
    """Takes no initial centroids: it starts from random rows of its own."""

    def __init__(self, threads):
        import torch
        from fastkmeans import FastKMeans as estimator

        torch.set_num_threads(threads)
        self.estimator = estimator

    def load(self, x):
        self.x = x

    def lloyd(self, init, iterations):
        centroids, _ = self._run(len(init), niter=iterations, tol=0.0)
        return centroids, iterations

    def fit(self, clusters, seed, max_iter=None):
        return self._run(clusters, seed=seed, **at_most("niter", max_iter))

    def _run(self, clusters, **settings):
        model = self.estimator(self.x.shape[1], clusters, gpu=False, **settings)
        model.train(self.x)
        return model.centroids, None


class PyTorch:
    """A plain loop: scores by addmm, labels by argmax, sums by index_add_."""

    def __init__(self, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch = torch

    def load(self, x):
        self.x = self.torch.from_numpy(x)

    def lloyd(self, init, iterations):
        torch, x = self.torch, self.x
        centroids = torch.from_numpy(init.copy())
        labels = torch.empty(len(x), dtype=torch.int64)
        block = block_rows(len(init))
        with torch.inference_mode():
            for _ in range(iterations):
                bias = centroids.square().sum(1) / -2
                for start in range(0, len(x), block):
                    rows = slice(start, start + block)
                    scores = torch.addmm(bias, x[rows], centroids.T)
                    torch.argmax(scores, 1, out=labels[rows])
                counts = torch.bincount(labels, minlength=len(init))
                sums = torch.zeros_like(centroids).index_add_(0, labels, x)
                filled = counts > 0
                centroids[filled] = sums[filled] / counts[filled, None]
        return centroids.numpy(), iterations


class NumPy:
    """A plain loop: scores by a product, sums over the rows sorted by label."""

    def __init__(self, threads):
        pass

    def load(self, x):
        self.x = x

    def lloyd(self, init, iterations):
        x = self.x
        centroids = init.copy()
        labels = np.empty(len(x), dtype=np.uint16)  # sorted by radix
        block = block_rows(len(init))
        for _ in range(iterations):
            bias = np.square(centroids).sum(1) / 2
            for start in range(0, len(x), block):
                scores = x[start : start + block] @ centroids.T
                scores -= bias
                labels[start : start + block] = scores.argmax(1)
            order = labels.argsort(kind="stable")
            filled, starts, counts = np.unique(labels[order], return_index=True, return_counts=True)
            centroids[filled] = np.add.reduceat(x[order], starts) / counts[:, None]
        return centroids, iterations


class Explainer:
    """Explanations by one of the functions of explanations.py."""

    def __init__(self, relevance):
        self.relevance = relevance

    def load(self, x):
        self.x = x

    def explain(self, centroids, beta, rows):
        return self.relevance(self.x[:rows], centroids, beta)


class TorchExplainer(Explainer):
    def __init__(self, relevance, threads):
        import torch

        torch.set_num_threads(threads)
        self.torch = torch
        super().__init__(relevance)

    def load(self, x):
        self.x = self.torch.from_numpy(x)

    def explain(self, centroids, beta, rows):
        with self.torch.inference_mode():
            centroids = self.torch.from_numpy(centroids)
            return self.relevance(self.torch, self.x[:rows], centroids, beta).numpy()


def at_most(name, iterations):
    """A setting of a whole fit, or what the library does by itself."""
    return {} if iterations is None else {name: iterations}


def block_rows(clusters):
    """Rows whose scores stay in the cache."""
    return max(256, 2**19 // clusters)


CLUSTERING = {
    "scikit-learn": ScikitLearn,
    "scikit-learn-intelex": ScikitLearnIntelex,
    "FAISS": Faiss,
    "FAISS SuperKMeans": FaissSuperKMeans,
    "SuperKMeans": SuperKMeans,
    "fastkmeans": FastKMeans,
    "PyTorch": PyTorch,
    "NumPy": NumPy,
}
EXPLAINING = {
    "NumPy, loop over samples": lambda threads: Explainer(explanations.loop_numpy),
    "NumPy, literal": lambda threads: Explainer(explanations.literal_numpy),
    "PyTorch, literal": lambda threads: TorchExplainer(explanations.literal_torch, threads),
    "NumPy, two products": lambda threads: Explainer(explanations.products_numpy),
    "PyTorch, two products": lambda threads: TorchExplainer(explanations.products_torch, threads),
}
CONTESTANTS = CLUSTERING | EXPLAINING
# Whose OpenBLAS chooses its kernels by OPENBLAS_CORETYPE.
ON_OPENBLAS = {
    "scikit-learn",
    "FAISS",
    "FAISS SuperKMeans",
    "SuperKMeans",
    "NumPy",
    "NumPy, loop over samples",
    "NumPy, literal",
    "NumPy, two products",
}
OWN_START = {"FAISS SuperKMeans", "SuperKMeans", "fastkmeans"}
# Also contestants that start from the centroids they are given, but do not
# compute the means as Lloyd does.
OTHER_RULE = {"linfa"}
HAVE_DEFAULT_FIT = [name for name in CLUSTERING if name not in ("PyTorch", "NumPy")]
