//! The house itself: its structure, and documents that show code.

mod architecture;
mod imports;
mod tutorial;
