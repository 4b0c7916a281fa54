"""Layer-wise relevance propagation through a convolutional network: burn-lrp next to
zennit on PyTorch. Each runs in a process of its own and answers a line, the name
of a call, with its time; `crates/burn-lrp/benches/pass.rs` is the other one."""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

import report
from data import CACHE

BURN, ZENNIT = "burn-lrp", "zennit"
PAUSE = 0.25  # seconds until the threads of the last call have stopped spinning
SHAPE = (32, 3, 64, 64)
CLASSES = 10
# Input and output channels, stride, and whether a pooling follows.
CONVOLUTIONS = [
    (3, 32, 1, False),
    (32, 64, 1, True),
    (64, 64, 2, False),
    (64, 128, 1, False),
    (128, 128, 2, True),
]
FEATURES = 2048
CALLS = ["forward", "epsilon", "image"]
# The same a few samples at a time, for both: whichever is faster counts.
IN_BLOCKS = " in blocks"
BLOCK = 4


def compare(settings):
    """Times in turns, and how far the relevances are apart."""
    CACHE.mkdir(exist_ok=True)
    parameters = CACHE / "lrp.f32"
    write_parameters(parameters)
    contestants = {
        name: Contestant(command, CACHE / f"out-lrp-{name}.f32", parameters, settings.threads)
        for name, command in {BURN: BENCH, ZENNIT: [sys.executable, __file__]}.items()
    }
    try:
        ways = [call + way for call in CALLS for way in ("", IN_BLOCKS)]
        result = {call: measured(contestants, call, settings.rounds) for call in ways}
    finally:
        for contestant in contestants.values():
            contestant.close()
    print_result(result)
    return result


BENCH = [
    *("cargo", "bench", "--quiet", "-p", "burn-lrp", "--bench", "pass"),
    *("--manifest-path", str(Path(__file__).parents[2] / "Cargo.toml"), "--"),
]


class Contestant:
    def __init__(self, command, out, parameters, threads):
        names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"]
        self.out = out
        self.process = subprocess.Popen(
            [*command, "--serve", str(parameters), str(out)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {name: str(threads) for name in names},
            text=True,
            bufsize=1,
        )

    def ask(self, call):
        self.process.stdin.write(call + "\n")
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args[0]} ended by itself")
        time.sleep(PAUSE)
        return json.loads(line)["ms"]

    def close(self):
        # Both end with their input.
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()


def measured(contestants, call, rounds):
    """The least time of each, after a call to warm up."""
    times = {name: [] for name in contestants}
    for turn in range(rounds + 1):
        for name in list(contestants)[:: 1 if turn % 2 else -1]:
            ms = contestants[name].ask(call)
            if turn > 0:
                times[name].append(ms)
    found, expected = (np.fromfile(contestants[name].out, "<f4") for name in (BURN, ZENNIT))
    difference = float(np.abs(found - expected).max() / np.abs(expected).max())
    return {"ms": {name: min(ms) for name, ms in times.items()}, "difference": difference}


def print_result(result):
    rows = []
    best = {
        call: [min(result[call + way]["ms"][name] for way in ("", IN_BLOCKS)) for name in (BURN, ZENNIT)]
        for call in CALLS
    }
    for call in CALLS:
        (own, peer), forward, entry = best[call], best["forward"], result[call]
        rows.append(
            [
                call,
                report.number(own),
                report.times(own / forward[0]),
                report.number(peer),
                report.times(peer / forward[1]),
                report.times(peer / own),
                f"{entry['difference']:.1e}",
            ]
        )
    header = ["pass", "burn-lrp, ms", "of its forward", "zennit, ms", "of its forward"]
    report.table("Relevance", [*header, "zennit / burn-lrp", "difference"], rows)
    report.note(
        "A pass is all of it, the forward pass with it. Least times, of 32 images at once or four at "
        "a time; the difference is the largest, relative to the largest number."
    )


def write_parameters(path):
    rng = np.random.default_rng(1)

    def numbers(count, size):
        return rng.uniform(-size, size, count).astype("<f4")

    parts = []
    for inputs, outputs, _, _ in CONVOLUTIONS:
        parts.append(numbers(outputs * inputs * 9, (2 / (inputs * 9)) ** 0.5))
        parts.append(numbers(outputs, 0.1))
    parts.append(numbers(FEATURES * CLASSES, 0.05))
    parts.append(numbers(CLASSES, 0.1))
    parts.append(numbers(int(np.prod(SHAPE)), 1.0))
    np.concatenate(parts).tofile(path)


# --- zennit -------------------------------------------------------------------


def serve(parameters, out):
    import torch

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    network, x = read_network(torch, parameters)
    composites = read_composites(torch)
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    for line in sys.stdin:
        start = time.perf_counter()
        call = line.strip()
        composite = composites.get(call.removesuffix(IN_BLOCKS))
        size = BLOCK if call.endswith(IN_BLOCKS) else len(x)
        found = torch.cat([run(torch, network, part, composite) for part in x.split(size)])
        ms = (time.perf_counter() - start) * 1e3
        found.detach().contiguous().numpy().astype("<f4").tofile(out)
        print(json.dumps({"ms": ms}), file=replies)


def run(torch, network, x, composite):
    """A forward pass, or the relevance by a composite."""
    if composite is None:
        with torch.inference_mode():
            return network(x)
    from zennit.attribution import Gradient

    # The relevance to begin with is the output.
    with Gradient(network, composite) as attribute:
        return attribute(x.clone())[1]


def read_composites(torch):
    from zennit.composites import EpsilonGammaBox, LayerMapComposite, layer_map_base
    from zennit.rules import Epsilon
    from zennit.types import Linear

    return {
        "epsilon": LayerMapComposite(layer_map_base() + [(Linear, Epsilon())]),
        "image": EpsilonGammaBox(low=-torch.ones(1), high=torch.ones(1)),
    }


def read_network(torch, parameters):
    values = torch.from_numpy(np.fromfile(parameters, "<f4"))
    nn, at = torch.nn, 0

    def take(*shape):
        nonlocal at
        count = int(np.prod(shape))
        at += count
        return values[at - count : at].reshape(shape).clone()

    layers = []
    for inputs, outputs, stride, pooled in CONVOLUTIONS:
        layer = nn.Conv2d(inputs, outputs, 3, stride, 1)
        layer.weight.data = take(outputs, inputs, 3, 3)
        layer.bias.data = take(outputs)
        layers += [layer, nn.ReLU()] + ([nn.MaxPool2d(2)] if pooled else [])
    dense = nn.Linear(FEATURES, CLASSES)
    dense.weight.data = take(FEATURES, CLASSES).T.contiguous()
    dense.bias.data = take(CLASSES)
    network = nn.Sequential(*layers, nn.Flatten(), dense).eval().requires_grad_(False)
    return network, take(*SHAPE)


if __name__ == "__main__":
    serve(*sys.argv[-2:])
