"""Writes digits.csv: the digits that scikit-learn ships, one a row."""

from pathlib import Path

from sklearn.datasets import load_digits

digits = load_digits()
names = [f"p{row}{column}" for row in range(8) for column in range(8)]
with open(Path(__file__).with_name("digits.csv"), "w") as file:
    file.write(",".join(["digit", *names]) + "\n")
    for pixels, digit in zip(digits.data.astype(int), digits.target):
        file.write(",".join(map(str, [digit, *pixels])) + "\n")
