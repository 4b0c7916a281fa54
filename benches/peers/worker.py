"""One Python contestant in a process of its own: a JSON command a line on
standard input, a JSON reply a line on standard output, as in src/main.rs."""

import json
import os
import sys
import time

import data
from contestants import CONTESTANTS


class Worker:
    def __init__(self, contestant):
        self.contestant = contestant
        self.columns = 0

    def answer(self, op, **arguments):
        return getattr(self, op)(**arguments)

    def load(self, path, rows, columns):
        self.columns = columns
        self.contestant.load(data.read(path, columns))
        return {"ms": 0.0}

    def lloyd(self, init, clusters, iterations, out):
        init = data.read(init, self.columns)
        return self._fitted(out, self.contestant.lloyd, init, iterations)

    def fit(self, clusters, seed, out, max_iter=None):
        return self._fitted(out, self.contestant.fit, clusters, seed, max_iter)

    def seeding(self, clusters, seed, out):
        return self._fitted(out, self.contestant.seeding, clusters, seed)

    def explain(self, centroids, clusters, beta, rows, out):
        centroids = data.read(centroids, self.columns)
        ms, relevance = timed(self.contestant.explain, centroids, beta, rows)
        data.write(out, relevance)
        return {"ms": ms}

    def _fitted(self, out, function, *arguments):
        ms, (centroids, iterations) = timed(function, *arguments)
        data.write(out, centroids)
        return {"ms": ms, "iterations": None if iterations is None else int(iterations)}


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return (time.perf_counter() - start) * 1e3, result


def main():
    # What libraries print must not mix with the replies.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    name, threads = sys.argv[1:]
    worker = Worker(CONTESTANTS[name](int(threads)))
    for line in sys.stdin:
        try:
            reply = worker.answer(**json.loads(line))
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies)


if __name__ == "__main__":
    main()
