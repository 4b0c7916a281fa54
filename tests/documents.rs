//! Compiles and runs the program that the README shows.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
