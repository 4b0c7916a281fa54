//! The network with the weights that the Python package ships.

use std::path::Path;

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Shape, Tensor};
use burn_store::{ModuleSnapshot, PytorchStore};

use crate::network::EfficientNet;

/// Names in the file, and where they are in the network.
const NAMES: [(&str, &str); 11] = [
    (r"^_conv_stem\.", "features.stem.conv."),
    (r"^_bn0\.", "features.stem.norm."),
    (r"^_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", "features.blocks.$1.$2.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", "features.blocks.$1.expand.norm."),
    (r"^_blocks\.(\d+)\._bn1\.", "features.blocks.$1.depthwise.norm."),
    (r"^_blocks\.(\d+)\._bn2\.", "features.blocks.$1.project.norm."),
    (r"^_conv_head\.", "features.head.conv."),
    (r"^_bn1\.", "features.head.norm."),
    (r"^_fc\.", "classifier."),
    // The store knows these two, but lists them as left over if it renames them.
    (r"\.norm\.weight$", ".norm.gamma"),
    (r"\.norm\.bias$", ".norm.beta"),
];

/// Reads every weight; an error if one is missing, has another shape or is left
/// over.
pub fn load<B: Backend>(
    path: &Path,
    device: &B::Device,
) -> Result<EfficientNet<B>, Box<dyn std::error::Error>> {
    let mut network = EfficientNet::new(device);
    let mut store = NAMES.iter().fold(PytorchStore::from_file(path), |store, (from, to)| {
        store.with_key_remapping(from, *to)
    });
    // Missing weights and other shapes are errors of the store's own.
    let loaded = network.load_from(&mut store)?;
    // How often a normalisation was trained: PyTorch keeps it, nothing needs it.
    let left: Vec<&String> =
        loaded.unused.iter().filter(|name| !name.ends_with(".num_batches_tracked")).collect();
    if !left.is_empty() {
        return Err(format!("weights that the network has no place for: {left:?}").into());
    }
    println!("{} tensors read from {}", loaded.applied.len(), path.display());
    Ok(network.map(&mut InOrder))
}

/// Puts the numbers of convolutions and of the linear layer in order.
///
/// The file has them as TensorFlow had, output channels last: its tensors say so by
/// their strides, which burn-store 0.21 does not look at (burn#5383; later releases
/// do, and then this is to go). The comparison with PyTorch would find it out.
struct InOrder;

impl<B: Backend> ModuleMapper<B> for InOrder {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|weight| {
            let dims = weight.dims();
            match dims.as_slice() {
                [output, input, height, width] => {
                    let as_stored = weight.reshape([*height, *width, *input, *output]);
                    as_stored.permute([3, 2, 0, 1]).reshape(Shape::from(dims))
                }
                // The store has transposed it, as Burn wants linear layers.
                [_, _] => weight.transpose().reshape(Shape::from(dims)),
                _ => weight,
            }
        })
    }
}
