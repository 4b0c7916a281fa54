"""Writes choose.json: what the reference implementation of the rule says of its parts.

Run with the folder of rule.py as argument, and then the path of fast.so, which makes it faster; needs numpy
and scipy.
"""
import inspect, json, os, re, sys, textwrap
from collections import Counter
import numpy as np

sys.path.insert(0, sys.argv[1])
import rule
rule._fast = None                       # distances in double precision

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(11)
r4 = lambda x: np.round(x, 4)
out = {"made_with": {"numpy": np.__version__}}

# ---- one-peaked quantile functions
u = np.concatenate([[0.0], np.round(rng.uniform(size=40), 6), [0.5, 0.999999, 1.0]])
columns = {
    "gaussian": r4(rng.standard_normal(137)), "lognormal": r4(np.exp(rng.standard_normal(150))),
    "two peaks": r4(np.concatenate([rng.standard_normal(60), 7 + rng.standard_normal(81)])),
    "three peaks": r4(np.concatenate([rng.standard_normal(40), 7 + .5 * rng.standard_normal(31), 20 + rng.standard_normal(50)])),
    "uniform": r4(rng.uniform(size=90)), "ties": np.round(3 * rng.standard_normal(211)), "short": r4(rng.standard_normal(9)),
    "two values, continuous": np.array([1.0, 2.5, 2.5, 2.5, 1.0]), "counts": rng.poisson(1.7, 97) * 1.0,
    "zero-inflated": r4(rng.gamma(2, 1, 120) * (rng.uniform(size=120) < .6)), "binary": (rng.uniform(size=50) < .3) * 1.0,
    "discrete, two peaks": np.repeat([0., 1, 2, 3, 4, 5], [20, 9, 2, 7, 31, 4]), "constant": np.full(7, 3.25),
    "20 values": np.repeat(np.arange(20.) ** 2, 3 + (np.arange(20) * 7) % 11), "21 values": np.repeat(np.arange(21.) ** 2, 3 + (np.arange(21) * 7) % 11),
    "far": r4(1e6 + 100 * rng.standard_t(3, 80)),
}
out["u"] = u.tolist()
out["one_peaked"] = [{"name": n, "column": c.tolist(), "quantiles": rule.unimodal_quantile(c)(u).tolist()} for n, c in columns.items()]

# ---- tables: valley, lonely rows, normal scores, box
tables = []
for name, n, p, k in (("blobs", 60, 2, 3), ("random", 50, 3, 4), ("line", 80, 1, 5), ("wide", 12, 20, 2), ("ties", 70, 2, 3)):
    centres = 6 * rng.standard_normal((k, p)); lab = rng.integers(k, size=n); lab[:k] = np.arange(k)
    X = r4((centres[lab] if name in ("blobs", "line", "wide") else 0) + rng.standard_normal((n, p)))
    if name == "ties": X = np.round(X * 1.3)
    if name in ("blobs", "random"): X[[5, 17, 40]] *= 30
    C = np.array([X[lab == c].mean(0) for c in range(k)]); refs = rule.References(X)
    tables.append(dict(name=name, width=p, rows=X.ravel().tolist(), labels=lab.tolist(), clusters=k, valley=rule.valley(X, lab, C),
                       lonely=[sorted(rule.lonely(rule.distances(X), q).tolist()) for q in (1, 3, 8)],
                       scores=refs.Z.T.tolist(), extents=sorted((refs.hi - refs.lo).tolist())))
out["tables"] = tables

# ---- decisions: the end of choose_here, from the checks on
source = textwrap.dedent(inspect.getsource(rule.choose_here)).splitlines()
checks = next(i for i, l in enumerate(source) if l.strip().startswith("checks = "))
body = source[checks:]
text = "def decide(table, ks, capped, least):\n    for d in table:\n        r = d['ref']\n" + "\n".join(body)
namespace = dict(vars(rule)); exec(text, namespace); decide = namespace["decide"]

def row(k, s=.6, a=.95, w=.3, v=.3, smallest=20, highest=None):
    highest = w + .02 if highest is None else highest
    return dict(k=k, silhouette=s, stability=a, without=w, valley=v, smallest=smallest, gain=(s - w) / (1 - w) if w < 1 else 0.0,
                ref={"box": [w, highest], "copula": [w - .1]})

cases = [
    ("only", [row(2, v=.9), row(3), row(4, a=.5)], False), ("best silhouette", [row(2, s=.5), row(3, s=.7), row(4, a=.5)], False),
    ("best gain", [row(2, s=.7, w=.5), row(3, s=.68, w=.3), row(4, a=.5)], False),
    ("largest", [row(2, s=.7, w=.5), row(3, s=.68, w=.4), row(4, s=.675, w=.4)], False),
    ("as good", [row(2, s=.60), row(3, s=.62), row(4, s=.55)], False), ("as good, two", [row(2, s=.60), row(3, s=.605), row(4, s=.62), row(5, s=.59)], False),
    ("last", [row(2, a=.1), row(3, a=.1), row(4)], False), ("last, capped", [row(2, a=.1), row(3, a=.1), row(4)], True),
    ("rival", [row(2), row(3, s=.8, v=.8), row(4, a=.2)], False), ("rivals", [row(2), row(3, s=.8, v=.8), row(4, s=.85, v=.9)], False),
    ("weak rival", [row(2), row(3, s=.61, v=.8), row(4, a=.2)], False), ("rival fails more", [row(2), row(3, s=.9, v=.8, a=.7)], False),
    ("tiny", [row(2, smallest=2), row(3, smallest=1), row(4, smallest=0)], False),
    ("unstable", [row(2, smallest=2), row(3, a=.5), row(4, a=.79), row(5, a=.6)], False),
    ("touching", [row(2, v=.8, s=.4), row(3, a=.5), row(4, v=1.2, s=.5), row(5, v=2, s=.45)], False),
    ("by chance", [row(2, v=.8), row(3, s=.31), row(4, s=.33, w=.31), row(5, a=.2)], False), ("gain too small", [row(2, s=.33, w=.3)], False),
    ("not above all", [row(2, s=.6, w=.3, highest=.6)], False), ("without is 1", [row(2, s=1.0, w=1.0, highest=1.0)], False),
    ("negative", [row(2, s=-.2, w=-.1, highest=-.05)], False), ("valley infinite", [row(2, v=float("inf"))], False),
    ("at the limits", [row(2, a=.8, v=.7, smallest=4, s=.5, w=.3, highest=.49)], False),
]
g = np.random.default_rng(3)
for i in range(300):
    table = [row(k, s=round(g.uniform(.2, .9), 3), a=round(g.uniform(.7, 1), 3), w=round(g.uniform(.1, .4), 3), v=round(g.uniform(.2, 1.0) ** .5 * .9, 3),
                 smallest=int(g.integers(3, 30))) for k in range(2, 2 + int(g.integers(1, 7)))]
    cases.append((f"random {i}", table, bool(g.integers(2))))
for name, table, capped in cases:
    shown = [{**{a: b for a, b in d.items() if a != "ref"}, "valley": d["valley"] if np.isfinite(d["valley"]) else None,
              "highest": max(max(x) for x in d["ref"].values())} for d in table]
    answer = decide(table, [d["k"] for d in table], capped, 4)
    out.setdefault("decisions", []).append(dict(name=name, least=4, capped=capped, table=shown, passed=[d["passed"] for d in table],
                                                clusters=answer["clusters"], sentence=answer["sentence"]))
# ---- figures of the whole rule, mean and standard deviation over 100 seeds
if len(sys.argv) > 2: rule._fast = rule.ctypes.CDLL(sys.argv[2]); rule._fast.kmeans.restype = rule.ctypes.c_double
g = np.random.default_rng(21)
iris = np.loadtxt(os.path.join(HERE, "iris.csv"), delimiter=",", skiprows=1, usecols=range(4))
wine = np.loadtxt(os.path.join(HERE, "../../../crates/neuralize/src/data/wine.csv"), delimiter=",", skiprows=1, usecols=range(13)); wine = (wine - wine.mean(0)) / wine.std(0)
skew = r4(np.exp(g.standard_normal((120, 3))) @ np.array([[1, .5, 0], [0, 1, .5], [.3, 0, 1]]))
counts = np.c_[g.poisson(1, 150) * 1.0, (g.uniform(size=150) < .4) * 1.0, r4(g.standard_normal(150))]
wide = r4(g.standard_normal((25, 3)) @ g.standard_normal((3, 40)) + .5 * g.standard_normal((25, 40)))
mixed = np.c_[r4(g.standard_normal((150, 2)) + 4 * (np.arange(150) % 2)[:, None]), 1.5 * np.eye(3)[g.integers(3, size=150)]]
copies = np.repeat(r4(g.standard_normal((50, 2)) * [3, 1]), g.integers(1, 6, size=50), 0)
for name, X, group in (("iris", iris, None), ("wine, standardised", r4(wine), None), ("skewed", skew, None), ("counts", counts, None), ("wide", wide, None),
                       ("mixed", mixed, 2), ("copies", copies, None)):
    groups = [] if group is None else [list(range(group, X.shape[1]))]
    runs = [rule.choose(X, range(2, 6), groups, seed) for seed in range(100)]
    of = lambda at, key: [float(f([r["table"][at][key] for r in runs])) for f in (np.mean, lambda v: np.std(v, ddof=1))]
    keys = ("silhouette", "smallest", "valley", "without", "gap", "s", "stability")
    out.setdefault("figures", []).append(dict(name=name, width=X.shape[1], rows=X.ravel().tolist(), group=group, aside=runs[0]["aside"],
                                              table=[{k: of(at, k) for k in keys} for at in range(4)]))
    print(name, Counter(r["clusters"] for r in runs), runs[0]["sentence"])

json.dump(out, open(os.path.join(HERE, "../../../crates/neuralize/fixtures/choose.json"), "w"), separators=(",", ":"))
print(len(out["decisions"]), "decisions,", sum(d["clusters"] is not None for d in out["decisions"]), "with a number")
print(Counter(re.sub(r"[-0-9.]+", "#", d["sentence"]) for d in out["decisions"]).most_common())
