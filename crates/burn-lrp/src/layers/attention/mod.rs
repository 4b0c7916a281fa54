//! Attention: scaled dot products, multi-head attention, transformer encoders and masks.

mod dot_product;
mod encoder;
mod masks;
mod multi_head;

pub use dot_product::Attention;
pub use masks::{Masked, Masks};
