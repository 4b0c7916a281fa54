"""How many clusters are in this table?  Reference implementation of RULE.md (used for its figures).

    r = choose(X)            # X: rows by columns, finite numbers
    r["clusters"]            # 3, or None for "no clear number of clusters"
    print(r["sentence"])

Needs numpy and scipy. fast.c (compiled to fast.so, beside this file) does k-means and distances faster;
without it the same algorithms run in numpy.
"""
import ctypes, os
import numpy as np
from scipy.stats import norm, rankdata

# ---- constants; RULE.md gives the reason for each
ROWS = 1000           # rows looked at (random sample without replacement of larger tables)
KINDS = ("box", "copula")            # PCA-aligned box; one-peaked columns with the data's rank correlations
REFERENCES = 8        # data sets without clusters per kind: 16 in all
BOOTSTRAPS = 10
RESTARTS, RESTARTS_AGAIN = 10, 3      # k-means starts on the data; on references and bootstrap samples
MIN_MEMBERS, MIN_SHARE = 3, 0.015     # smallest cluster
MIN_ARI = 0.8         # stability
MAX_VALLEY = 0.7      # rows midway between two centres / rows at the sparser centre
MIN_GAIN = 0.05       # silhouette above data without clusters, as a share of what is possible
LONELY, MAX_LONELY = 4.0, 0.03         # lonely rows are left aside: how lonely, at most what share
NEARLY_BEST = 0.02     # of the numbers whose gain is so near to the best, the largest is taken
FEW_VALUES = 20       # a column with at most so many distinct values is treated as discrete

_so = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fast.so")
_fast = ctypes.CDLL(_so) if os.path.exists(_so) else None
if _fast: _fast.kmeans.restype = ctypes.c_double
_ptr = lambda a: a.ctypes.data_as(ctypes.c_void_p)


# ---------------------------------------------------------------- k-means, indices
def squared(X, C):
    return np.maximum((X * X).sum(1)[:, None] - 2 * X @ C.T + (C * C).sum(1)[None], 0)

def kmeans(X, k, starts, seed):
    """Greedy k-means++ (2 + floor(ln k) candidates), Lloyd until no label changes (at most 100 rounds),
    best of `starts`. Returns inertia, labels, centres."""
    X = np.ascontiguousarray(X, float); n, p = X.shape
    if _fast:
        lab = np.empty(n, np.int32); C = np.empty((k, p))
        w = _fast.kmeans(_ptr(X), n, p, k, starts, 100, ctypes.c_uint64(seed), _ptr(lab), _ptr(C))
        return w, lab, C
    rng = np.random.default_rng(seed); best = (np.inf, None, None)
    for _ in range(starts):
        C = X[rng.integers(n)][None]; m = squared(X, C)[:, 0]
        for _ in range(1, k):
            pr = m / m.sum() if m.sum() > 0 else None
            c = rng.choice(n, 2 + int(np.log(k)), p=pr)
            cand = [np.minimum(m, squared(X, X[i:i + 1])[:, 0]) for i in c]
            b = int(np.argmin([q.sum() for q in cand])); m = cand[b]; C = np.vstack([C, X[c[b]]])
        lab = None
        for _ in range(100):
            D = squared(X, C); new = D.argmin(1)
            if lab is not None and (new == lab).all(): break
            lab = new; d = D[np.arange(n), lab]
            for c in range(k):
                if (lab == c).any(): C[c] = X[lab == c].mean(0)
                else: i = d.argmax(); C[c] = X[i]; d[i] = 0        # an empty cluster takes the farthest row
        w = ((X - C[lab]) ** 2).sum()
        if w < best[0]: best = (w, lab.astype(np.int32), C)
    return best

def distances(X):
    X = np.ascontiguousarray(X, float); n, p = X.shape
    if _fast:
        D = np.empty((n, n), np.float32); _fast.dist(_ptr(X), n, p, _ptr(D)); return D
    return np.sqrt(squared(X, X)) * (1 - np.eye(n))

def silhouette(D, lab, k):
    n = len(lab); size = np.bincount(lab, minlength=k)
    S = D @ np.eye(k)[lab]                                  # sums of distances to every cluster
    a = S[np.arange(n), lab] / np.maximum(size[lab] - 1, 1)
    B = S / np.maximum(size, 1); B[:, size == 0] = np.inf; B[np.arange(n), lab] = np.inf
    b = B.min(1); m = np.maximum(a, b)
    return np.where((size[lab] < 2) | (m == 0), 0.0, (b - a) / np.where(m == 0, 1, m)).mean()

def adjusted_rand(u, v):
    c = np.zeros((u.max() + 1, v.max() + 1)); np.add.at(c, (u, v), 1); n = len(u)
    s = (c ** 2).sum(); tp = s - n; fp = (c.sum(0) ** 2).sum() - s; fn = (c.sum(1) ** 2).sum() - s; tn = n * n - n - tp - fp - fn
    return 1.0 if fp == 0 and fn == 0 else 2 * (tp * tn - fn * fp) / ((tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))

def valley(X, lab, C):
    """Over all pairs of clusters the largest (midway + 1) / (sparser centre + 1)."""
    worst = 0.0
    for i in range(len(C)):
        for j in range(i + 1, len(C)):
            d = C[j] - C[i]; q = d @ d
            if q == 0: return np.inf
            t = (X[(lab == i) | (lab == j)] - C[i]) @ d / q         # 0 at one centre, 1 at the other
            at = lambda z: int((np.abs(t - z) < 1 / 6).sum())
            worst = max(worst, (at(.5) + 1) / (min(at(0.), at(1.)) + 1))
    return worst


# ---------------------------------------------------------------- data without clusters
def isotonic(y, w):
    """Weighted pool-adjacent-violators, increasing."""
    s = []
    for v, u in zip(y, w):
        s.append([v, u, 1])
        while len(s) > 1 and s[-2][0] >= s[-1][0]:
            b = s.pop(); a = s[-1]; a[0] = (a[0] * a[1] + b[0] * b[1]) / (a[1] + b[1]); a[1] += b[1]; a[2] += b[2]
    return np.repeat([a[0] for a in s], [a[2] for a in s])

def one_mode(y, w, k):
    """y made increasing up to place k and decreasing from it."""
    l = isotonic(y[:k + 1], w[:k + 1]); r = isotonic(y[k:][::-1], w[k:][::-1])[::-1]
    return np.concatenate([l[:-1], [max(l[-1], r[0])], r[1:]])

def unimodal_quantile(x):
    """Quantile function of the one-peaked distribution nearest to the column x."""
    n = len(x); v, c = np.unique(x, return_counts=True); m = len(v)
    if m == 1: return lambda u: np.full(len(u), v[0])
    if m <= FEW_VALUES and m <= n / 3:                       # discrete: one-peaked frequencies, most likely peak
        best = None
        for k in range(m):
            f = one_mode(c.astype(float), np.ones(m), k); f /= f.sum(); l = (c * np.log(f)).sum()
            if best is None or l > best[0]: best = (l, np.cumsum(f))
        return lambda u: v[np.minimum(np.searchsorted(best[1], u), m - 1)]
    g = np.diff(v); mass = (c[:-1] + c[1:]) / 2; mass[0] += c[0] / 2; mass[-1] += c[-1] / 2; mass = mass / n
    Fn = np.concatenate([[0], np.cumsum(mass)]); best = None
    for q in np.arange(1, 20) * 0.05:                        # continuous: peak at 19 quantiles, nearest in sup distance
        k = int(np.clip(np.searchsorted(Fn, q) - 1, 0, m - 2))
        f = one_mode(mass / g, g, k) * g; F = np.concatenate([[0], np.cumsum(f / f.sum())]); e = abs(F - Fn).max()
        if best is None or e < best[0]: best = (e, F)
    return lambda u: np.interp(u, best[1], v)

class References:
    def __init__(self, X, groups=()):
        self.X, (n, p) = X, X.shape
        self.Xc = X - X.mean(0)
        self.V = np.linalg.svd(self.Xc, full_matrices=False)[2]; Y = self.Xc @ self.V.T
        self.lo, self.hi = Y.min(0), Y.max(0)
        self.groups = groups; self.single = [j for j in range(p) if not any(j in g for g in groups)]
        self.q = [unimodal_quantile(X[:, j]) for j in self.single]
        Z = np.array([norm.ppf((rankdata(X[:, j]) - .5) / n) for j in self.single]).reshape(len(self.single), n).T
        Z = Z - Z.mean(0); self.Z = Z / np.maximum(np.sqrt((Z ** 2).sum(0)), 1e-12)
        self.copies = np.unique(X, axis=0, return_counts=True)[1]
        self.continuous = any(len(np.unique(X[:, j])) > FEW_VALUES for j in self.single)

    def draw(self, kind, rng):
        n = len(self.X); m = len(self.copies) if self.continuous else n
        if kind == "box": R = rng.uniform(self.lo, self.hi, (m, len(self.lo))) @ self.V
        else:
            R = np.empty((m, self.X.shape[1])); U = norm.cdf(rng.standard_normal((m, n)) @ self.Z)
            for i, j in enumerate(self.single): R[:, j] = self.q[i](U[:, i])
            for g in self.groups: R[:, g] = self.X[rng.integers(n, size=m)][:, g]
        return np.repeat(R, self.copies, axis=0) if self.continuous and m < n else R


# ---------------------------------------------------------------- the rule
def choose(X, ks=range(2, 11), groups=(), seed=0):
    X = np.asarray(X, float); rng = np.random.default_rng(seed)
    keep = [j for j in range(X.shape[1]) if X[:, j].min() < X[:, j].max()]
    groups = [[keep.index(j) for j in g if j in keep] for g in groups]; groups = [g for g in groups if g]; X = X[:, keep]
    rows = len(X)
    if len(X) > ROWS: X = X[rng.choice(len(X), ROWS, replace=False)]
    n = len(X); _, copy_of = np.unique(X, axis=0, return_inverse=True) if len(keep) else (None, np.zeros(n, int))
    copy_of = copy_of.ravel(); distinct = copy_of.max() + 1 if n else 0
    ks = [k for k in ks if 2 <= k <= min(n - 1, distinct)]
    least = max(MIN_MEMBERS, int(np.ceil(MIN_SHARE * n)))
    if not ks or n < 3 * MIN_MEMBERS:
        return dict(clusters=None, table=[], aside=0, sentence=f"no clear number of clusters: {n} rows ({distinct} different) are too few to tell")
    D = distances(X); aside = lonely(D, least)
    if len(aside):
        rest = np.setdiff1d(np.arange(n), aside); r = choose_here(X[rest], ks, groups, seed, least, rng)
        r["sentence"] += f" (judged without {len(aside)} rows far from all others)"
    else: r = choose_here(X, ks, groups, seed, least, rng)
    if rows > n: r["sentence"] += f" (judged on {n} of {rows} rows)"
    r["aside"] = len(aside); return r

def lonely(D, q):
    """Rows whose q-th nearest other row is more than LONELY times as far as is usual (median); at most MAX_LONELY of all rows."""
    n = len(D); q = min(q, n - 1); d = np.partition(D, q, axis=1)[:, q]; usual = np.median(d)
    far = np.flatnonzero(d > LONELY * usual) if usual > 0 else np.array([], int)
    return far[np.argsort(-d[far], kind="stable")][:int(MAX_LONELY * n)]

def choose_here(X, ks, groups, seed, least, rng):
    X = X.copy(); keep = np.flatnonzero(X.min(0) < X.max(0)); new = {j: i for i, j in enumerate(keep)}
    groups = [g for g in ([new[j] for j in g if j in new] for g in groups) if g]; X = X[:, keep]; n = len(X)
    copy_of = np.unique(X, axis=0, return_inverse=True)[1].ravel(); distinct = copy_of.max() + 1
    top = max(ks); ks = [k for k in ks if k <= min(n - 1, distinct)]; capped = max(ks) < top or max(ks) == distinct
    refs = References(X, groups); D = distances(X); table = []
    for k in ks:
        W, lab, C = kmeans(X, k, RESTARTS, seed * 101 + k)
        table.append(dict(k=k, inertia=W, silhouette=silhouette(D, lab, k), smallest=int(np.bincount(lab, minlength=k).min()),
                          valley=valley(X, lab, C), ref={q: [] for q in KINDS}, log_w=[], ari=[], lab=lab))
    for q in KINDS:
        for b in range(REFERENCES):
            R = refs.draw(q, rng); DR = distances(R)
            for d in table:
                W, lab, _ = kmeans(R, d["k"], RESTARTS_AGAIN, seed * 1009 + 31 * b + d["k"])
                d["ref"][q].append(silhouette(DR, lab, d["k"]))
                if q == "box": d["log_w"].append(np.log(max(W, 1e-300)))
    for b in range(BOOTSTRAPS):
        if refs.continuous and distinct < n:                 # copies of a row are drawn together
            idx = np.concatenate([np.flatnonzero(copy_of == i) for i in rng.integers(distinct, size=distinct)])
        else: idx = rng.integers(n, size=n)
        S = X[idx]; different = len(np.unique(copy_of[idx]))
        for d in table:
            if different < d["k"]: continue
            C = kmeans(S, d["k"], RESTARTS_AGAIN, seed * 77 + 13 * b + d["k"])[2]
            d["ari"].append(adjusted_rand(d["lab"], squared(X, C).argmin(1)))
    for d in table:
        d.pop("lab"); a = d.pop("ari"); r = d["ref"]; w = d.pop("log_w")
        d["stability"], d["stability_sd"] = (np.mean(a), np.std(a, ddof=1)) if len(a) > 1 else (0.0, 0.0)
        d["without"] = max(np.mean(r[q]) for q in KINDS)               # silhouette of data without clusters
        d["gain"] = (d["silhouette"] - d["without"]) / (1 - d["without"]) if d["without"] < 1 else 0.0
        d["gap"] = np.mean(w) - np.log(max(d["inertia"], 1e-300)); d["s"] = np.std(w) * np.sqrt(1 + 1 / len(w))
        checks = [d["smallest"] >= least, d["stability"] >= MIN_ARI, d["valley"] <= MAX_VALLEY,
                  d["silhouette"] > max(max(r[q]) for q in KINDS) and d["gain"] >= MIN_GAIN]
        d["only_valley"] = checks == [True, True, False, True]
        d["passed"] = next((i for i, c in enumerate(checks) if not c), 4)    # checks passed in this order
    good = [d for d in table if d["passed"] == 4]
    top = max((d["gain"] for d in good), default=0.0)
    rival = max((d for d in table if d["only_valley"]), key=lambda d: d["gain"], default=None)
    if good and rival and rival["gain"] > top + NEARLY_BEST:     # a finer (or coarser) number fits better, but nothing separates it
        return dict(clusters=None, table=table, sentence=f"no clear number of clusters: {max(good, key=lambda d: d['gain'])['k']} passes all checks, but {rival['k']} is further above data without clusters "
                    f"(gain {rival['gain']:.2f} against {top:.2f}) and fails only because the rows do not thin out between its clusters")
    if good:
        best = max((d for d in good if d["gain"] >= top - NEARLY_BEST), key=lambda d: d["k"])
        return dict(clusters=best["k"], table=table, sentence=found(best, good, ks, capped))
    return dict(clusters=None, table=table, sentence=none(max(table, key=lambda d: (d["passed"], d["gain"], -d["k"])), table, least))

def ari(d):
    """Two decimals; a stability that does not pass is not rounded up to one that does."""
    text = f"{d['stability']:.2f}"
    return f"{MIN_ARI - .01:.2f}" if d["stability"] < MIN_ARI <= float(text) else text

def found(d, good, ks, capped):
    s = f"{d['k']} clusters: "
    if len(good) == 1: s += f"the only number that passes all checks: it is stable (ARI {ari(d)}), and its silhouette ({d['silhouette']:.2f}) beats data without clusters ({d['without']:.2f})"
    elif d["silhouette"] >= max(g["silhouette"] for g in good): s += f"the best silhouette ({d['silhouette']:.2f}) of the numbers that pass all checks: it is stable (ARI {ari(d)}) and beats data without clusters ({d['without']:.2f})"
    elif d["gain"] >= max(g["gain"] for g in good): s += f"of the numbers that pass all checks, its silhouette ({d['silhouette']:.2f}) is furthest above data without clusters ({d['without']:.2f}), and it is stable (ARI {ari(d)})"
    else: s += f"the largest of the numbers that pass all checks and whose silhouettes ({d['silhouette']:.2f}) are about furthest above data without clusters ({d['without']:.2f}), and it is stable (ARI {ari(d)})"
    near = [g for g in good if g is not d and g["gain"] >= d["gain"] - 0.05]
    if near: s += f"; {max(near, key=lambda g: g['gain'])['k']} is about as good"
    if d["k"] == max(ks) and not capped: s += "; it is the largest number tried, so try more"
    return s

def none(d, table, least):
    s = "no clear number of clusters: "
    if d["passed"] == 0: return s + f"every number tried splits off a group of fewer than {least} rows (outliers?)"
    if d["passed"] == 1:
        d = max((e for e in table if e["passed"] == 1), key=lambda e: e["stability"])
        of = "of the numbers without tiny clusters, " if any(e["stability"] > d["stability"] for e in table) else ""
        return s + f"resampled rows give other clusters ({of}the most stable is {d['k']}, ARI {ari(d)}; {MIN_ARI} is needed)"
    if d["passed"] == 2: return s + f"{d['k']} clusters are stable (ARI {ari(d)}), but the rows do not thin out between them"
    return s + f"{d['k']} clusters are stable (ARI {ari(d)}), but data without clusters reach nearly the same silhouette ({d['without']:.2f} against {d['silhouette']:.2f})"

if __name__ == "__main__":
    from sklearn import datasets
    for name, X in (("iris", datasets.load_iris().data), ("uniform", np.random.default_rng(1).uniform(size=(300, 2)))):
        r = choose(X); print(name, "->", r["sentence"])
        for d in r["table"]: print("  ", {a: (round(float(v), 3) if isinstance(v, float) else v) for a, v in d.items() if a != "ref"})
