//! How many clusters: the rule, its indices, and every method of clustering behind it.

mod indices;
mod methods;
mod numbers;
mod support;
