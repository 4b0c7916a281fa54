"""Time to an inertia: whole calls that end after more and more iterations.

A point of a curve is the median time of a call and the median inertia that it ends with, over the
rounds; every call seeds, iterates and finishes as the library does by default.
"""

import statistics
from pathlib import Path

import data
import report
from client import Field

NEURALIZE = "neuralize"
STOPS = [1, 2, 3, 5, 8, 13, 20, 30, 45, 70, 100, 150]  # iterations of a call
SMALL_STOPS = [1, 3]
LEVELS = [0.0, 0.01, 0.05]  # above the lowest inertia of all peers
FIGURE = Path(__file__).with_name("curves.svg")


def compare(settings, cells, names):
    results = {}
    for cell in cells:
        results[cell.name] = result = curves(cell, settings, names)
        print_curves(cell, result)
    means = {}
    for level in LEVELS:
        found = [sooner(result, level) for result in results.values()]
        means[f"+{level:.0%}"] = report.geometric_mean(ratio for ratio in found if ratio)
    rows = [[level, report.times(ratio)] for level, ratio in means.items()]
    header = ["above the lowest inertia of the peers", "soonest peer / neuralize"]
    report.table("Time to an inertia: geometric means over the cells", header, rows)
    figure = (data.CACHE / FIGURE.name) if settings.small else FIGURE
    draw(results, figure)
    report.note(f"The curves are in {figure.name}.")
    return {"cells": results, "geometric_means": means}


def curves(cell, settings, names):
    """Points of every contestant by what it was told: `{name: {stop: {ms, inertia}}}`; `default`
    is its own end."""
    path, x = data.load(cell)
    stops = SMALL_STOPS if settings.small else STOPS
    points, ended = {}, set()
    with Field(names, settings, cell, path, lambda _: command(cell, 2, 0)) as field:
        for stop in [*stops, None]:
            for name, reached in measured(field, cell, x, stop, ended, settings.rounds).items():
                points.setdefault(name, {})[str(stop or "default")] = reached
                # More iterations than it makes by itself would be measured again and again.
                if stop and reached["iterations"] and reached["iterations"] < stop:
                    ended.add(name)
        return {
            "points": {name: at for name, at in points.items() if "default" in at},
            "dropped": field.dropped,
        }


def command(cell, stop, seed):
    asked = {"op": "fit", "clusters": cell.clusters, "seed": seed}
    return asked | ({"max_iter": stop} if stop else {})


def measured(field, cell, x, stop, ended, rounds):
    inertias = {}

    def observe(name):
        centroids = data.read(field.workers[name].out, cell.columns)
        inertias.setdefault(name, []).append(data.inertia(x, centroids))

    skipped = set() if stop is None else ended
    replies = field.measure(
        lambda _, seed: command(cell, stop, seed), rounds, observe, without=skipped
    )
    return {
        name: {
            "ms": statistics.median(reply["ms"] for reply in answers),
            "inertia": statistics.median(inertias[name]),
            "iterations": answers[-1].get("iterations"),
        }
        for name, answers in replies.items()
    }


def time_to(points, inertia):
    """The least time of a call that ended at this inertia or below."""
    times = [point["ms"] for point in points.values() if point["inertia"] <= inertia]
    return min(times, default=None)


def lowest(result):
    """The lowest inertia of all peers."""
    return min(
        point["inertia"]
        for name, points in result["points"].items()
        if name != NEURALIZE
        for point in points.values()
    )


def sooner(result, level):
    """How many times as long as neuralize the soonest peer takes to this level."""
    target = lowest(result) * (1 + level)
    times = {name: time_to(points, target) for name, points in result["points"].items()}
    own = times.pop(NEURALIZE, None)
    others = [time for time in times.values() if time]
    return min(others) / own if own and others else None


def print_curves(cell, result):
    best = lowest(result)
    own = result["points"].get(NEURALIZE, {})
    rows = []
    for name, points in sorted(result["points"].items(), key=lambda item: item[1]["default"]["ms"]):
        end = points["default"]
        to_end = time_to(own, end["inertia"])
        # Where neuralize is least ahead, at any point of the peer's curve.
        ratios = [
            point["ms"] / time if time else 0.0
            for point in points.values()
            for time in [time_to(own, point["inertia"])]
        ]
        rows.append(
            [
                name,
                report.number(end["ms"]),
                report.percent(end["inertia"] / best - 1),
                report.number(to_end),
                report.times(to_end and end["ms"] / to_end),
                report.times(min(ratios)),
                *(report.number(time_to(points, best * (1 + level))) for level in LEVELS),
            ]
        )
    header = [
        "contestant",
        "default fit, ms",
        "inertia above the lowest of the peers",
        "neuralize to this inertia, ms",
        "ratio",
        "least ratio on its curve",
        *(f"ms to +{level:.0%}" for level in LEVELS),
    ]
    report.table(f"Time to an inertia: {cell.name}", header, rows)
    for name, reason in result["dropped"].items():
        report.note(f"{name}: left out, {reason}.")


def draw(results, path):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "curves"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(
        1, len(results), figsize=(5 * len(results), 4), squeeze=False, layout="constrained"
    )
    for axis, (cell, result) in zip(axes[0], results.items(), strict=True):
        best = min(p["inertia"] for points in result["points"].values() for p in points.values())
        for name, points in result["points"].items():
            ordered = sorted((p["ms"], 100 * (p["inertia"] / best - 1)) for p in points.values())
            style = {"color": "black", "linewidth": 2} if name == NEURALIZE else {"linewidth": 1}
            axis.plot(*zip(*ordered, strict=True), marker=".", label=name, **style)
        axis.set(xscale="log", title=cell, xlabel="time of the whole call, ms")
        axis.set_yscale("symlog", linthresh=0.1)
    axes[0][0].set_ylabel("inertia above the lowest, %")
    axes[0][-1].legend(frameon=False)
    figure.savefig(path, metadata={"Date": None})
