//! What a layer is: the name of its type, and the family it belongs to.

use std::fmt;

/// A group of layers that a selector can choose together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// Fully connected layers.
    Dense,
    /// Convolutions, transposed ones included.
    Convolution,
    /// Batch, layer, group and other normalisations.
    Normalization,
    /// Activation functions, including gated ones and the softmax.
    Activation,
    /// Maximum, average and adaptive pooling.
    Pooling,
    /// Products of queries, keys and values.
    Attention,
    /// Layers that turn tokens into vectors.
    Embedding,
    /// Recurrent layers.
    Recurrent,
    /// Layers with several inputs: sums, concatenations, gates.
    Join,
    /// Layers that only change the shape.
    Shape,
    /// Distances, and pools over competing clusters.
    Competition,
    /// Any other layer.
    Other,
}

impl Family {
    /// All families.
    pub const ALL: &'static [Self] = &[
        Self::Dense,
        Self::Convolution,
        Self::Normalization,
        Self::Activation,
        Self::Pooling,
        Self::Attention,
        Self::Embedding,
        Self::Recurrent,
        Self::Join,
        Self::Shape,
        Self::Competition,
        Self::Other,
    ];
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dense => "dense",
            Self::Convolution => "convolution",
            Self::Normalization => "normalization",
            Self::Activation => "activation",
            Self::Pooling => "pooling",
            Self::Attention => "attention",
            Self::Embedding => "embedding",
            Self::Recurrent => "recurrent",
            Self::Join => "join",
            Self::Shape => "shape",
            Self::Competition => "competition",
            Self::Other => "other",
        })
    }
}

/// The name of a layer's type, and its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    name: &'static str,
    family: Family,
}

impl Kind {
    /// A kind of layer with the name of its type.
    pub const fn new(name: &'static str, family: Family) -> Self {
        Self { name, family }
    }

    /// The name of the type.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The family.
    pub const fn family(&self) -> Family {
        self.family
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
