"""Measures neuralize and its peers, prints Markdown, writes results.json."""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import sys
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

import curves
import data
import explanations
import lrp
import report
from client import Field
from contestants import CLUSTERING, EXPLAINING, HAVE_DEFAULT_FIT, OTHER_RULE, OWN_START

NEURALIZE = "neuralize"
SCIKIT_LEARN = "scikit-learn"
EQUAL_INERTIA = 0.005  # above the best inertia of a cell, or above that of neuralize
SAME_START_BAND = 0.001  # for equal iterations from equal centroids
OTHER_START_BAND = 0.05  # for equal iterations from other centroids
AGREEMENT = 1e-3  # of relevances, relative to the sum of their sizes
LOOP_ROWS = 200  # rows that the loop over samples is timed on


def main():
    sys.stdout.reconfigure(line_buffering=True)
    settings = parse()
    data.CACHE.mkdir(exist_ok=True)
    (data.CACHE / "workers.log").unlink(missing_ok=True)
    results = {"environment": environment(settings), "tables": {}}
    report.machine = f"{settings.threads} threads, {instructions()}"
    with threadpool_limits(settings.threads):
        for name, compare in TABLES.items():
            if settings.only in (None, name):
                results["tables"][name] = compare(settings)
    save(results, settings)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runner", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--only", choices=list(TABLES), help="one table")
    parser.add_argument(
        "--cells", type=comma_separated, help='names of cells, comma-separated: "digits,20000x784"'
    )
    parser.add_argument("--rounds", type=int, default=5, help="measured calls of each contestant")
    parser.add_argument("--iterations", type=int, default=20, help="of Lloyd's algorithm")
    parser.add_argument("--seeds", type=int, default=10, help="fits of the seeding table")
    parser.add_argument("--threads", type=int, default=2, help="threads of each contestant")
    parser.add_argument("--small", action="store_true", help="small data, to try the script")
    settings = parser.parse_args()
    for name in settings.cells or []:
        if not any(cell.name.startswith(name) for cell in data.ALL):
            parser.error(f"no cell's name begins with {name!r}")
    if settings.small:
        settings.rounds, settings.iterations, settings.seeds = 2, 3, 2
    return settings


def comma_separated(text):
    return [name.strip() for name in text.split(",")]


def version(name):
    """The version of a package; a table may be measured without those of the others."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def environment(settings):
    cpu = next(
        (line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line),
        platform.processor(),
    )
    requirements = Path(__file__).with_name("requirements.txt").read_text().split()
    packages = [requirement.split("==")[0] for requirement in requirements]
    return {
        "cpu": cpu,
        "instructions": instructions(),
        "cores": os.cpu_count(),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "threads": settings.threads,
        "rounds": settings.rounds,
        "small": settings.small,
    }


def instructions():
    """The widest instruction set of the machine, which every figure depends on."""
    flags = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "").split()
    names = {"avx512_vnni": "AVX-512 with VNNI", "avx512f": "AVX-512", "avx2": "AVX2"}
    return next((name for flag, name in names.items() if flag in flags), platform.machine())


def save(results, settings):
    """Results of small data never take the place of real ones."""
    folder = data.CACHE if settings.small else Path(__file__).parent
    unfinished = folder / "results.json.tmp"
    unfinished.write_text(json.dumps(results, indent=1) + "\n")
    unfinished.rename(folder / "results.json")


def chosen(cells, settings):
    if settings.cells is None:
        return cells
    return [cell for cell in cells if cell.name.startswith(tuple(settings.cells))]


def clustering_cells(settings):
    small = data.SMALL_MIXTURES + data.SMALL_REAL
    return chosen(small if settings.small else data.MIXTURES + data.REAL, settings)


def median_ms(replies):
    return statistics.median(reply["ms"] for reply in replies)


def least_ms(replies):
    """For differences of times, which the noise of a median would drown."""
    return min(reply["ms"] for reply in replies)


def ratios(times):
    """How many times as long as neuralize each contestant takes."""
    own = times.get(NEURALIZE)
    return {name: own and time / own for name, time in times.items()}


def best_peer(times):
    """The fastest contestant that is not neuralize."""
    peers = {name: time for name, time in times.items() if name != NEURALIZE}
    return min(peers, key=peers.get, default=None)


# --- Lloyd's iterations -------------------------------------------------------


def compare_lloyd(settings):
    cells = {}
    for cell in clustering_cells(settings):
        cells[cell.name] = result = lloyd_cell(cell, settings)
        print_lloyd(cell, result)
    print_lloyd_summary(cells)
    report.note(
        "`*` takes no initial centroids and starts from random rows of its own. "
        "`+` counts the old centroid as one more row of its cluster. "
        "`!` marks an inertia that the iterations should not give."
    )
    return cells


def lloyd_cell(cell, settings):
    path, x = data.load(cell)
    init = data.lasting_centroids(cell, x, settings.iterations)
    with clustering_field(cell, settings, path, init, [NEURALIZE, "linfa", *CLUSTERING]) as field:
        command = lloyd_command(cell, init, settings.iterations)
        replies = field.measure(lambda name, _: command, settings.rounds)
        result = {
            name: {
                "ms_per_iteration": statistics.median(
                    reply["ms"] / reply["iterations"] for reply in answers
                ),
                "iterations": answers[-1]["iterations"],
                "inertia": data.inertia(x, data.read(field.workers[name].out, cell.columns)),
            }
            for name, answers in replies.items()
        }
        return outcome(result, field)


def outcome(result, field):
    return {
        "contestants": result,
        "dropped": field.dropped,
        "openblas_core_types": field.core_types,
    }


def clustering_field(cell, settings, path, init, names):
    probe = lloyd_command(cell, init, 2)
    return Field(names, settings, cell, path, lambda _: probe)


def lloyd_command(cell, init, iterations):
    return {"op": "lloyd", "init": init, "clusters": cell.clusters, "iterations": iterations}


def print_lloyd(cell, result):
    contestants = result["contestants"]
    times = {name: entry["ms_per_iteration"] for name, entry in contestants.items()}
    slower = ratios(times)
    reference = contestants.get(NEURALIZE, {}).get("inertia")
    rows = []
    for name in sorted(times, key=times.get):
        entry = contestants[name]
        difference = reference and entry["inertia"] / reference - 1
        rows.append(
            [
                name + mark(name),
                report.number(times[name]),
                report.times(slower[name]),
                entry["iterations"],
                "-" if reference is None else percent_in_band(name, difference),
            ]
        )
    header = ["contestant", "ms / iteration", "of neuralize", "iterations", "inertia"]
    report.table(f"Lloyd: {cell.name}", header, rows)
    print_dropped(result)


def mark(name):
    if name in OWN_START:
        return " *"
    return " +" if name in OTHER_RULE else ""


def percent_in_band(name, difference):
    band = OTHER_START_BAND if mark(name) else SAME_START_BAND
    return report.percent(difference) + ("" if abs(difference) <= band else " !")


def print_dropped(result):
    for name, reason in result["dropped"].items():
        report.note(f"{name}: left out, {reason}.")
    if result["openblas_core_types"]:
        kernels = ", ".join(f"{name} {t}" for name, t in result["openblas_core_types"].items())
        report.note(f"OpenBLAS kernels: {kernels}.")


def print_lloyd_summary(cells):
    rows = []
    for name, result in cells.items():
        contestants = result["contestants"]
        times = {key: entry["ms_per_iteration"] for key, entry in contestants.items()}
        peer = best_peer(times)
        if NEURALIZE in times and peer:
            own, other = times[NEURALIZE], times[peer]
            numbers = [report.number(own), peer + mark(peer), report.number(other)]
            rows.append([name, *numbers, report.times(other / own)])
    header = ["cell", NEURALIZE, "best peer", "its time", "best peer / neuralize"]
    report.table("Lloyd: ms an iteration", header, rows)


# --- Whole fits ---------------------------------------------------------------


def compare_fit(settings):
    cells = {}
    for cell in clustering_cells(settings):
        cells[cell.name] = result = fit_cell(cell, settings)
        print_fit(cell, result)
    means = {
        "mixtures": fit_means(cells, [c.name for c in data.MIXTURES + data.SMALL_MIXTURES]),
        "all": fit_means(cells, list(cells)),
    }
    rows = [
        [group, *(report.times(entry[kind]) for kind in ("as_good", "any", "scikit_learn"))]
        for group, entry in means.items()
    ]
    header = ["cells", "best peer as good", "best peer at all", "scikit-learn"]
    report.table("Whole fits: geometric means of times, neuralize = 1", header, rows)
    return {"cells": cells, "geometric_means": means}


def fit_cell(cell, settings):
    path, x = data.load(cell)
    init = data.initial_centroids(cell, x, 0)
    names = [NEURALIZE, "linfa", *HAVE_DEFAULT_FIT]
    with clustering_field(cell, settings, path, init, names) as field:
        replies, inertias = default_fits(field, cell, x, settings.rounds)
        result = {
            name: {
                "ms": median_ms(answers),
                "iterations": answers[-1].get("iterations"),
                "inertia": statistics.median(inertias[name]),
                "inertia_of_every_seed": inertias[name],
            }
            for name, answers in replies.items()
        }
        judge(result)
        return outcome(result, field)


def default_fits(field, cell, x, rounds):
    """Replies and inertias of every contestant's own way, a seed a round."""
    inertias = {name: [] for name in field.workers}

    def command(name, seed):
        return {"op": "fit", "clusters": cell.clusters, "seed": seed}

    def observe(name):
        centroids = data.read(field.workers[name].out, cell.columns)
        inertias[name].append(data.inertia(x, centroids))

    return field.measure(command, rounds, observe), inertias


def judge(result):
    """Whose fit is as good as the best of the cell, or as that of neuralize."""
    if not result:
        return
    best = min(entry["inertia"] for entry in result.values())
    own = result.get(NEURALIZE, {}).get("inertia", 0.0)
    for entry in result.values():
        entry["equal"] = entry["inertia"] <= max(best, own) * (1 + EQUAL_INERTIA)


def print_fit(cell, result):
    contestants = result["contestants"]
    times = {name: entry["ms"] for name, entry in contestants.items()}
    slower = ratios(times)
    best = min((entry["inertia"] for entry in contestants.values()), default=None)
    rows = [
        [
            name,
            report.number(times[name]),
            report.times(slower[name]),
            contestants[name]["iterations"] or "-",
            f"{contestants[name]['inertia']:.6g}",
            report.percent(contestants[name]["inertia"] / best - 1),
            "yes" if contestants[name]["equal"] else "no",
        ]
        for name in sorted(times, key=times.get)
    ]
    header = ["contestant", "ms", "of neuralize", "iterations", "inertia", "above best", "as good"]
    report.table(f"Whole fit: {cell.name}", header, rows)
    print_dropped(result)


def fit_means(cells, names):
    """Over cells: the fastest peer that is as good, the fastest whatever it
    reaches, and scikit-learn, each relative to neuralize."""
    means = {"as_good": [], "any": [], "scikit_learn": []}
    for name in names:
        entries = cells.get(name, {}).get("contestants", {})
        if NEURALIZE not in entries:
            continue
        slower = ratios({key: entry["ms"] for key, entry in entries.items()})
        good = {key: ratio for key, ratio in slower.items() if entries[key]["equal"]}
        picked = {
            "as_good": best_peer(good),
            "any": best_peer(slower),
            "scikit_learn": SCIKIT_LEARN,
        }
        for kind, peer in picked.items():
            if peer in slower:
                means[kind].append(slower[peer])
    return {kind: report.geometric_mean(values) for kind, values in means.items()}


# --- Time to an inertia -------------------------------------------------------


def compare_curves(settings):
    return curves.compare(settings, clustering_cells(settings), [NEURALIZE, *HAVE_DEFAULT_FIT])


# --- Explanations -------------------------------------------------------------


def compare_explain(settings):
    cells = {}
    small = settings.small
    for cell in chosen(data.SMALL_EXPLAINED if small else data.EXPLAINED, settings):
        cells[cell.name] = result = explain_cell(cell, settings)
        print_explain(cell, result)
    report.note(
        "The error is that of a row, relative to the sum of |R|, against the literal form in "
        f"f64; `!` marks more than {AGREEMENT:g}. `*` was timed on {LOOP_ROWS} rows, and its "
        "time multiplied up to all of them."
    )
    scaling = explain_scaling(settings)
    print_scaling(scaling)
    return {"cells": cells, "scaling": scaling}


def explain_cell(cell, settings):
    path, x = data.load(cell)
    centroids, beta = fitted_centroids(cell, settings, path)

    def command(name, _=0):
        rows = min(LOOP_ROWS, cell.rows) if "loop" in name else cell.rows
        return explain_command(cell, centroids) | {"beta": beta, "rows": rows}

    with Field([NEURALIZE, *EXPLAINING], settings, cell, path, command) as field:
        replies = field.measure(command, settings.rounds)
        reference = explanations.literal_numpy(
            x.astype(np.float64), data.read(centroids, cell.columns).astype(np.float64), beta
        )
        result = {}
        for name, answers in replies.items():
            relevance = data.read(field.workers[name].out, cell.columns)
            result[name] = {
                "ms": median_ms(answers) * cell.rows / len(relevance),
                "measured_rows": len(relevance),
                "largest_error": largest_error(relevance, reference),
            }
        return outcome(result, field) | {"beta": beta}


def fitted_centroids(cell, settings, path):
    """Centroids of a default fit by neuralize, and the beta that goes with them."""
    with Field([NEURALIZE], settings, cell, path, None) as field:
        field.ask(NEURALIZE, {"op": "fit", "clusters": cell.clusters, "seed": 0})
        fitted = data.read(field.workers[NEURALIZE].out, cell.columns)
        centroids = data.CACHE / f"{cell.stem}-fitted.f32"
        data.write(centroids, fitted)
        return centroids, field.ask(NEURALIZE, explain_command(cell, centroids))["beta"]


def explain_command(cell, centroids):
    return {"op": "explain", "centroids": centroids, "clusters": cell.clusters}


def largest_error(relevance, reference):
    """Over all rows, the summed error relative to the summed sizes."""
    reference = reference[: len(relevance)]
    error = np.abs(relevance - reference).sum(1)
    return float((error / np.abs(reference).sum(1)).max())


def print_explain(cell, result):
    contestants = result["contestants"]
    times = {name: entry["ms"] for name, entry in contestants.items()}
    slower = ratios(times)
    rows = [
        [
            name + (" *" if contestants[name]["measured_rows"] < cell.rows else ""),
            report.number(times[name]),
            report.times(slower[name]),
            f"{contestants[name]['largest_error']:.1e}"
            + ("" if contestants[name]["largest_error"] <= AGREEMENT else " !"),
        ]
        for name in sorted(times, key=times.get)
    ]
    header = ["contestant", "ms", "of neuralize", "largest error"]
    report.table(f"Explanations: {cell.name}", header, rows)
    print_dropped(result)


def explain_scaling(settings):
    """Times over a decade of N, K and D, and the exponents that fit them."""
    rows, columns, clusters = (500, 32, 8) if settings.small else (10_000, 64, 32)
    steps = [1, 2, 5, 10]
    axes = {
        "N": [(step * rows, data.Cell(step * rows, columns, clusters)) for step in steps],
        "K": [(step * clusters, data.Cell(rows, columns, step * clusters)) for step in steps],
        "D": [(step * columns, data.Cell(rows, step * columns, clusters)) for step in steps],
    }
    scaling = {}
    for axis, cells in axes.items():
        sizes = [size for size, _ in cells]
        times = [explain_time(cell, settings) for _, cell in cells]
        exponent = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
        scaling[axis] = {"sizes": sizes, "ms": times, "exponent": exponent}
    return scaling


def explain_time(cell, settings):
    path, x = data.load(cell)
    centroids = data.initial_centroids(cell, x, 0)
    with Field([NEURALIZE], settings, cell, path, None) as field:
        command = explain_command(cell, centroids)
        replies = field.measure(lambda name, _: command, settings.rounds)
        return median_ms(replies[NEURALIZE])


def print_scaling(scaling):
    rows = [
        [
            axis,
            ", ".join(map(str, entry["sizes"])),
            ", ".join(map(report.number, entry["ms"])),
            f"{entry['exponent']:.2f}",
        ]
        for axis, entry in scaling.items()
    ]
    report.table("Explanations by neuralize: scaling", ["axis", "sizes", "ms", "exponent"], rows)


# --- Seeding ------------------------------------------------------------------


def compare_seeding(settings):
    cells = {}
    for cell in clustering_cells(settings):
        cells[cell.name] = result = seeding_cell(cell, settings)
        print_seeding(cell, result)
    report.note(
        "Seeding by neuralize is a fit of one iteration less the same fit from given "
        "centroids; least time of all rounds. Inertias are those of whole fits, one a seed."
    )
    return cells


def seeding_cell(cell, settings):
    path, x = data.load(cell)
    init = data.initial_centroids(cell, x, 0)
    names = [NEURALIZE, SCIKIT_LEARN]
    with clustering_field(cell, settings, path, init, names) as field:
        seeding = field.measure(lambda name, seed: seed_command(cell, name, seed), settings.rounds)
        times = {name: least_ms(answers) for name, answers in seeding.items()}
        # What a fit of one iteration costs without its seeding.
        one = lloyd_command(cell, init, 1)
        without = field.measure(lambda name, _: one, settings.rounds)
        if NEURALIZE in without:
            times[NEURALIZE] -= least_ms(without[NEURALIZE])
        fits, inertias = default_fits(field, cell, x, settings.seeds)
        result = {name: {"ms": times[name], "inertias": inertias[name]} for name in fits}
        return outcome(result, field)


def seed_command(cell, name, seed):
    """scikit-learn offers its seeding alone, neuralize as part of a fit."""
    command = {"clusters": cell.clusters, "seed": seed}
    if name == NEURALIZE:
        return command | {"op": "fit", "max_iter": 1}
    return command | {"op": "seeding"}


def print_seeding(cell, result):
    contestants = result["contestants"]
    times = {name: entry["ms"] for name, entry in contestants.items()}
    slower = ratios(times)
    rows = [
        [
            name,
            report.number(times[name]),
            report.times(slower[name]),
            f"{statistics.mean(contestants[name]['inertias']):.6g}",
            f"{min(contestants[name]['inertias']):.6g}",
        ]
        for name in times
    ]
    header = ["contestant", "seeding ms", "of neuralize", "mean inertia", "least inertia"]
    report.table(f"Greedy k-means++: {cell.name}", header, rows)
    print_dropped(result)


TABLES = {
    "lloyd": compare_lloyd,
    "fit": compare_fit,
    "curves": compare_curves,
    "explain": compare_explain,
    "seeding": compare_seeding,
    "lrp": lrp.compare,
}

if __name__ == "__main__":
    main()
