"""Writes iris.csv, the table of scikit-learn."""
import os
from sklearn.datasets import load_iris
iris = load_iris()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "iris.csv"), "w") as f:
    f.write("sepal_length,sepal_width,petal_length,petal_width,species\n")
    for row, name in zip(iris.data, iris.target): f.write(",".join(map(str, row.tolist())) + f",{iris.target_names[name]}\n")
