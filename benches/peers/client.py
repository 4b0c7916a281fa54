"""Workers as seen from the driver: start, ask, drop, measure in alternation."""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

from contestants import CONTESTANTS, ON_OPENBLAS
from data import CACHE

LIMIT = 60.0  # seconds that one call may take
PAUSE = 0.25  # seconds until the threads of the last call have stopped spinning
CORE_TYPES = [None, "Haswell", "SkylakeX", "Zen"]  # None: OpenBLAS' own choice

_best_core_types = {}  # by contestant, cell and kind of call


class Dropped(Exception):
    """A contestant that cannot go on, and why."""


class Worker:
    """A contestant in its own process."""

    def __init__(self, name, settings, core_type=None):
        threads = str(settings.threads)
        environment = os.environ | {
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "RAYON_NUM_THREADS": threads,
        }
        if core_type:
            environment["OPENBLAS_CORETYPE"] = core_type
        if name in CONTESTANTS:
            script = Path(__file__).with_name("worker.py")
            command = [sys.executable, str(script), name, threads]
        else:
            command = [settings.runner, name]
        self.core_type = core_type
        self.out = CACHE / f"out-{name.replace(' ', '-')}.f32"
        with open(CACHE / "workers.log", "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                bufsize=0,
            )

    def ask(self, limit=LIMIT, **command):
        """The reply to a command."""
        try:
            self.process.stdin.write(json.dumps(command, default=str).encode() + b"\n")
        except BrokenPipeError:
            raise Dropped("ended by itself") from None
        if not select.select([self.process.stdout], [], [], limit)[0]:
            raise Dropped(f"one call takes more than {limit:.0f} s")
        line = self.process.stdout.readline()
        if not line:
            raise Dropped("ended by itself")
        reply = json.loads(line)
        if "error" in reply:
            raise Dropped(reply["error"])
        return reply

    def load(self, cell, path):
        # A first call waits for the imports as well.
        self.ask(limit=300, op="load", path=path, rows=cell.rows, columns=cell.columns)

    def close(self):
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()


class Field:
    """All contestants of a cell, their data loaded, each with the OpenBLAS
    kernels that serve it best there."""

    def __init__(self, names, settings, cell, path, probe):
        self.workers, self.dropped, self.core_types = {}, {}, {}
        for name in names:
            try:
                self.workers[name] = _start(name, settings, cell, path, probe)
            except Dropped as reason:
                self.dropped[name] = str(reason)
            else:
                if name in ON_OPENBLAS:
                    self.core_types[name] = self.workers[name].core_type or "its own choice"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for worker in self.workers.values():
            worker.close()

    def measure(self, command, rounds, observe=lambda name: None, without=()):
        """The replies of every contestant that stays within the limit: one call
        to warm up, then one a round, in an order that rotates. What a measured
        call has left on disk is there for `observe`."""
        replies = {name: [] for name in self.workers if name not in without}
        for turn in range(rounds + 1):
            for name in _rotated(list(replies), turn):
                try:
                    reply = self.ask(name, command(name, max(turn - 1, 0)))
                except Dropped as reason:
                    self._drop(name, reason)
                    replies.pop(name)
                else:
                    if turn > 0:
                        replies[name].append(reply)
                        observe(name)
                time.sleep(PAUSE)
        return replies

    def ask(self, name, command):
        worker = self.workers[name]
        return worker.ask(**command, out=worker.out)

    def _drop(self, name, reason):
        self.workers.pop(name).close()
        self.dropped[name] = str(reason)


def _start(name, settings, cell, path, probe):
    """A worker with its data loaded."""
    core_type = None
    if name in ON_OPENBLAS and not settings.small:
        command = probe(name)
        key = (name, cell.name, command["op"])
        if key not in _best_core_types:
            _best_core_types[key] = _best_core_type(name, settings, cell, path, command)
        core_type = _best_core_types[key]
    worker = Worker(name, settings, core_type)
    try:
        worker.load(cell, path)
    except Dropped:
        worker.close()
        raise
    return worker


def _best_core_type(name, settings, cell, path, command):
    """The OpenBLAS kernels that are fastest in a short call."""
    times = {}
    for core_type in CORE_TYPES:
        with closing(Worker(name, settings, core_type)) as worker, suppress(Dropped):
            worker.load(cell, path)
            calls = [worker.ask(**command, out=worker.out)["ms"] for _ in range(4)]
            times[core_type] = min(calls[1:])
    return min(times, key=times.get, default=None)


def _rotated(names, turn):
    turn %= max(len(names), 1)
    return names[turn:] + names[:turn]
