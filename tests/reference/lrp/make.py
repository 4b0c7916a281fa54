"""Writes the files of this folder: three small networks in double precision and
the relevances that zennit and captum find for them. `python3 make.py` in this
folder, with the versions that the files name."""

import json
from importlib.metadata import version

import torch
from captum.attr import LRP
from captum.attr._utils.custom_modules import Addition_Module
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule, IdentityRule
from torch import nn
from zennit import rules
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.composites import NameLayerMapComposite
from zennit.layer import Sum
from zennit.types import Activation, AvgPool, BatchNorm, Linear

EPSILON = 1e-2  # of LRP-epsilon: large enough to be seen
NONE = 1e-30  # a stabiliser; where a denominator is 0, its numerators are 0 too
SAMPLES = 3


class Convolutions(nn.Module):
    """Convolutions with biases, maximum pooling, two dense layers."""

    sample = (2, 8, 8)

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.relu2 = nn.ReLU()
        self.fc1 = nn.Linear(24, 8)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(8, 3)

    def forward(self, x):
        x = self.pool(self.relu1(self.conv1(x)))
        x = self.relu2(self.conv2(x)).flatten(1)
        return self.fc2(self.relu3(self.fc1(x)))


class Residual(nn.Module):
    """A residual block: normalisation by running statistics, a skip connection,
    average pooling."""

    sample = (2, 6, 6)

    def __init__(self, addition):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(4)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(4, 4, 3, padding=1)
        self.bn3 = nn.BatchNorm2d(4)
        self.add = addition
        self.relu3 = nn.ReLU()
        self.pool = nn.AvgPool2d(2)
        self.fc = nn.Linear(36, 3)

    def forward(self, x):
        x = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(x)))
        y = self.bn3(self.conv3(y))
        both = self.add(y, x) if type(self.add) is Addition_Module else self.add(torch.stack([y, x], -1))
        return self.fc(self.pool(self.relu3(both)).flatten(1))


class Perceptron(nn.Module):
    """Dense layers whose inputs have either sign."""

    sample = (5,)

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(5, 7)
        self.tanh = nn.Tanh()
        self.fc2 = nn.Linear(7, 6)
        self.leaky = nn.LeakyReLU(0.1)
        self.fc3 = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc3(self.leaky(self.fc2(self.tanh(self.fc1(x)))))


class Merge(SequentialMergeBatchNorm):
    """zennit leaves its epsilon to the normalisation that should do nothing any
    more, which then scales by 1 / sqrt(1 + epsilon): not here."""

    def register(self, linears, batch_norm):
        super().register(linears, batch_norm)
        self.epsilon, batch_norm.eps = batch_norm.eps, 0.0

    def remove(self):
        self.batch_norm.eps = self.epsilon
        super().remove()


def single(tensor):
    """The numbers as single precision holds them, so that networks in either
    precision are the same."""
    return tensor.float().double()


def made(network, seed, biased=True):
    """The network with its seeded parameters, in inference mode."""
    stream = torch.Generator().manual_seed(seed)

    def draw(shape, low, high):
        return single(torch.rand(shape, generator=stream, dtype=torch.float64) * (high - low) + low)

    network = network.double().eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            reach = module.weight[0].numel() ** -0.5 * 1.5
            module.weight.copy_(draw(module.weight.shape, -reach, reach))
            if module.bias is not None:
                module.bias.copy_(draw(module.bias.shape, -0.3, 0.3))
                module.bias.mul_(biased)
        if isinstance(module, nn.BatchNorm2d):
            module.weight.copy_(draw(module.weight.shape, -0.5, 1.5))
            module.bias.copy_(draw(module.bias.shape, -0.3, 0.3))
            module.running_mean.copy_(draw(module.running_mean.shape, -0.3, 0.3))
            module.running_var.copy_(draw(module.running_var.shape, 0.3, 1.5))
    return network


def inputs(network, seed):
    stream = torch.Generator().manual_seed(seed)
    shape = (SAMPLES, *network.sample)
    return single(torch.rand(shape, generator=stream, dtype=torch.float64) * 2 - 1)


def zennit(network, x, linear, first=None, dense=None):
    """One rule for all layers with weights, but for the first and dense ones."""
    names = [name for name, module in network.named_modules() if isinstance(module, Linear)]
    special = {}
    if dense is not None:
        special |= {name: dense for name in names if name.startswith("fc")}
    if first is not None:
        special[names[0]] = first
    composite = NameLayerMapComposite(
        name_map=[((name,), rule) for name, rule in special.items()],
        layer_map=[
            (Activation, rules.Pass()),
            (Sum, rules.Norm(NONE)),
            (AvgPool, rules.Norm(NONE)),
            (BatchNorm, rules.Pass()),
            (Linear, linear),
        ],
        canonizers=[Merge()],
    )
    # The default is the output itself as the relevance to begin with.
    with Gradient(network, composite) as attribute:
        return attribute(x.clone())[1]


ZENNIT = {
    "epsilon": lambda: dict(linear=rules.Epsilon(EPSILON)),
    "gamma": lambda: dict(linear=rules.Gamma(0.25, NONE)),
    "z-plus": lambda: dict(linear=rules.ZPlus(NONE)),
    "alpha-beta": lambda: dict(linear=rules.AlphaBeta(2.0, 1.0, NONE)),
    "w-square": lambda: dict(linear=rules.WSquare(NONE)),
    "flat": lambda: dict(linear=rules.Flat(NONE)),
    "box": lambda: dict(linear=rules.Epsilon(EPSILON), first=rules.ZBox(-1.0, 1.0, NONE)),
    "first w-square": lambda: dict(linear=rules.Epsilon(EPSILON), first=rules.WSquare(NONE)),
    "first flat": lambda: dict(linear=rules.Epsilon(EPSILON), first=rules.Flat(NONE)),
    "mixed": lambda: dict(
        linear=rules.Gamma(0.25, NONE),
        first=rules.ZBox(-1.0, 1.0, NONE),
        dense=rules.Epsilon(EPSILON),
    ),
}


def captum(make, x, rule, **others):
    """One rule for all layers with weights, but for those named."""
    network = make()
    for name, module in network.named_modules():
        if isinstance(module, (nn.Conv2d, nn.Linear, nn.BatchNorm2d)):
            module.rule = others.get(name, rule)()
        elif isinstance(module, nn.LeakyReLU):
            module.rule = IdentityRule()
        elif isinstance(module, (nn.MaxPool2d, nn.AvgPool2d, Addition_Module)):
            module.rule = EpsilonRule(NONE)
    # One output at a time; the last, of every sample.
    return LRP(network).attribute(x.clone(), target=2).detach()


def write(name, make, seed, of_captum):
    network = make(Sum())
    x = inputs(network, seed + 100)
    tensors = dict(network.state_dict())
    tensors = {key: value for key, value in tensors.items() if not key.endswith("num_batches_tracked")}
    tensors["input"] = x
    tensors["output"] = network(x)
    for rule, settings in ZENNIT.items():
        tensors[f"zennit {rule}"] = zennit(network, x, **settings())
    for rule, (biased, call) in of_captum.items():
        tensors[f"captum {rule}"] = call(lambda: make(Addition_Module(), biased), x)
    packages = {package: version(package) for package in ["torch", "zennit", "captum"]}
    lines = []
    for key, value in tensors.items():
        assert value.isfinite().all(), key
        numbers = {"shape": list(value.shape), "values": value.flatten().tolist()}
        lines.append(f"{json.dumps(key)}: {json.dumps(numbers, separators=(',', ':'))}")
    with open(f"{name}.json", "w") as file:
        file.write(f'{{"versions": {json.dumps(packages)}, "tensors": {{\n')
        file.write(",\n".join(lines) + "\n}}\n")


def epsilon():
    return EpsilonRule(EPSILON)


def gamma():
    return without_stabiliser(GammaRule(0.25))


def alpha_1_beta_0():
    return without_stabiliser(Alpha1_Beta0_Rule())


def without_stabiliser(rule):
    rule.STABILITY_FACTOR = NONE
    return rule


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # captum's gamma and alpha-1-beta-0 are those of the literature where inputs and
    # outputs are not negative and there are no biases: between the first
    # layer and the last.
    def by(rule, **others):
        return lambda make, x: captum(make, x, rule, **others)

    ends = dict(conv1=epsilon, fc2=epsilon)
    write(
        "convolutions",
        lambda _, biased=True: made(Convolutions(), 1, biased),
        1,
        {
            "epsilon": (True, by(epsilon)),
            "gamma": (False, by(gamma, **ends)),
            "alpha-beta": (False, by(alpha_1_beta_0, **ends)),
        },
    )
    write(
        "residual",
        lambda addition, biased=True: made(Residual(addition), 2, biased),
        2,
        # Here a normalisation is a layer of its own.
        {"epsilon": (True, by(epsilon))},
    )
    write(
        "perceptron",
        lambda _, biased=True: made(Perceptron(), 3, biased),
        3,
        {"epsilon": (True, by(epsilon))},
    )


if __name__ == "__main__":
    main()
