"""Writes moons.csv: two interleaved half circles, noise 0.05, 400 points.
`python3 make.py` in this folder; written with NumPy 2.4.6 and scikit-learn 1.9.1."""

from sklearn.datasets import make_moons

SEED = 0

points, moons = make_moons(n_samples=400, noise=0.05, random_state=SEED)
with open("moons.csv", "w") as file:
    file.write("x,y,moon\n")
    for (x, y), moon in zip(points, moons):
        file.write(f"{x:.17g},{y:.17g},{moon}\n")
