//! The project itself: the structure of its crates, and documents that show code.

mod architecture;
mod imports;
mod tutorial;
