"""Writes top5.json: what PyTorch's EfficientNet-Lite0 says of three photographs. `python3 make.py FOLDER` in this folder,
where FOLDER is what `examples/efficientnet/download.py` filled; needs torch, NumPy, Pillow and the package
efficientnet-lite-pytorch 0.1.0 (made with torch 2.15.0).

The largest square in the middle of a photograph is brought to 224 pixels by a triangle filter as wide as a pixel of the
coarser side, computed in 64 bits and not rounded: what PyTorch calls bilinear with antialias. Names of classes are
ImageNet's, written by hand for those that appear."""

import json
import pathlib
import sys

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

SIZE = 224
NAMES = {
    281: "tabby",
    282: "tiger cat",
    285: "Egyptian cat",
    287: "lynx",
    422: "barbell",
    504: "coffee mug",
    541: "drum",
    542: "drumstick",
    543: "dumbbell",
    610: "jersey",
    728: "plastic bag",
    809: "soup bowl",
    828: "strainer",
    967: "espresso",
    968: "cup",
}

folder = pathlib.Path(sys.argv[1])
network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(folder / "efficientnet-lite0-57934424.pth"))
network.eval()
mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)[:, None, None]
deviation = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)[:, None, None]

images = []
for name in ["astronaut", "chelsea", "coffee"]:
    pixels = np.asarray(Image.open(folder / f"{name}.png").convert("RGB"), dtype=np.float64) / 255
    height, width, _ = pixels.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = torch.from_numpy(pixels[top : top + side, left : left + side].transpose(2, 0, 1).copy())
    small = torch.nn.functional.interpolate(square[None], (SIZE, SIZE), mode="bilinear", antialias=True)[0]
    x = ((small - mean) / deviation).float()
    with torch.no_grad():
        logits = network(x[None])[0]
    top5 = logits.topk(5)
    classes = [{"index": int(at), "name": NAMES.get(int(at), ""), "logit": round(float(logit), 5)}
               for logit, at in zip(top5.values, top5.indices)]
    images.append({"image": f"{name}.png", "top5": classes})
    print(name, [(each["index"], each["logit"], each["name"]) for each in classes])
pathlib.Path("top5.json").write_text(json.dumps(images, indent=1) + "\n")
