//! Burn's layers and functions between layers, with their rules.

mod activation;
mod attention;
mod dropout;
mod embedding;
mod gated;
mod join;
mod node;
mod norm;
mod pool;
mod product;
mod recurrent;
mod reduce;
mod rooted;
mod shape;
mod shift;
mod softmax;
mod squared_distance;

pub use activation::Silu;
pub use attention::{Attention, Masked, Masks};
pub use join::{Add, Concat, Subtract};
pub use product::Multiply;
pub use reduce::{MeanOver, SumOver};
pub use rooted::RootedLinear;
pub use shape::{Flatten, Permute, Reshape, Select};
pub use shift::Shift;
pub use softmax::Softmax;
pub use squared_distance::SquaredDistance;
