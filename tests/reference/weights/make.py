"""Writes the files of PyTorch's that the tests of weights read.

One network in every file: a convolution, a normalisation, a linear layer. Number
i of tensor t is ((37 i + 11 t) mod 64 - 32) / 16, which is exact in all precisions;
what differs is how the tensors lie in the file, or what is around them.

Made with PyTorch 2: `python make.py`, in this folder.
"""

import argparse
import collections

import torch

SIZES = {
    "conv.weight": (3, 2, 3, 2),
    "conv.bias": (3,),
    "norm.weight": (3,),
    "norm.bias": (3,),
    "norm.running_mean": (3,),
    "norm.running_var": (3,),
    "code.weight": (5, 4),
    "code.bias": (5,),
}


def numbers(t, size):
    count = torch.Size(size).numel()
    i = torch.arange(count)
    return (((37 * i + 11 * t) % 64 - 32) / 16).reshape(size)


def network():
    tensors = {name: numbers(t + 1, size) for t, (name, size) in enumerate(SIZES.items())}
    tensors["norm.num_batches_tracked"] = torch.tensor(7)
    return collections.OrderedDict(tensors)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(2, 3, (3, 2))
        self.norm = torch.nn.BatchNorm2d(3)
        self.code = torch.nn.Linear(4, 5)


module = Network()
module.load_state_dict(network())
torch.save(module.state_dict(), "contiguous.pth")
torch.save(module, "module.pth")
torch.save(module.half().state_dict(), "half.pth")

# Channels last, a transposed weight; what nobody asks for may lie anyhow.
strided = network()
strided["conv.weight"] = strided["conv.weight"].to(memory_format=torch.channels_last)
strided["code.weight"] = strided["code.weight"].t().contiguous().t()
strided["head.weight"] = torch.zeros(4, 6)[:, ::2]
strided["head.bias"] = torch.zeros(2, dtype=torch.complex64)
strided["head.mask"] = torch.eye(2).to_sparse()
torch.save(strided, "strided.pth")

# As TensorFlow's: output channels last.
last = network()
last["conv.weight"] = last["conv.weight"].permute(2, 3, 1, 0).contiguous().permute(3, 2, 0, 1)
torch.save(last, "output_last.pth")
# As PyTorch wrote before 1.6.
torch.save(last, "old.pth", _use_new_zipfile_serialization=False)

# All in one storage, as parameters, by a later protocol of pickle.
flat = torch.cat([tensor.float().flatten() for tensor in network().values()])
views, start = {}, 0
for name, tensor in network().items():
    views[name] = torch.nn.Parameter(flat[start : start + tensor.numel()].view(tensor.shape))
    start += tensor.numel()
torch.save(views, "views.pth", pickle_protocol=4)

torch.save(
    {
        "epoch": 3,
        "args": argparse.Namespace(rate=0.1, layers=[1, 2], names={"a", "b"}),
        "best": float("inf"),
        "large": 1 << 100,
        "state_dict": strided,
        "optimizer": {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1}]},
    },
    "checkpoint.pth",
)

for name, tensor in {
    "slice": torch.zeros(5, 8)[:, ::2],
    "expanded": torch.zeros(5, 1).expand(5, 4),
    "sparse": torch.eye(5, 4).to_sparse(),
    "complex": torch.zeros(5, 4, dtype=torch.complex64),
    "integers": torch.zeros(5, 4, dtype=torch.int64),
}.items():
    odd = network()
    odd["code.weight"] = tensor
    torch.save(odd, f"{name}.pth")
