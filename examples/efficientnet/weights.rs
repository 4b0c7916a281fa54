//! The weights from the Python package.

use std::path::Path;

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::deep::Weights;

use crate::network::EfficientNet;

/// Patterns of names in the file, and their names in the network.
const NAMES: [(&str, &str); 9] = [
    (r"^_conv_stem\.", "features.stem.conv."),
    (r"^_bn0\.", "features.stem.norm."),
    (r"^_blocks\.(\d+)\._(expand|depthwise|project)_conv\.", "features.blocks.$1.$2.conv."),
    (r"^_blocks\.(\d+)\._bn0\.", "features.blocks.$1.expand.norm."),
    (r"^_blocks\.(\d+)\._bn1\.", "features.blocks.$1.depthwise.norm."),
    (r"^_blocks\.(\d+)\._bn2\.", "features.blocks.$1.project.norm."),
    (r"^_conv_head\.", "features.head.conv."),
    (r"^_bn1\.", "features.head.norm."),
    (r"^_fc\.", "classifier."),
];

/// Reads every weight; fails if one is missing, has another shape or is left over.
pub fn load<B: Backend>(path: &Path, device: &B::Device) -> neuralize::Result<EfficientNet<B>> {
    let weights =
        NAMES.iter().fold(Weights::of(path), |weights, (pattern, by)| weights.rename(pattern, by));
    weights.load(EfficientNet::new(device), DType::F32)
}
