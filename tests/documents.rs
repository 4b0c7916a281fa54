//! Compiles and runs the programs that the documents show.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(doctest)]
#[doc = include_str!("../docs/BURN.md")]
struct Burn;
