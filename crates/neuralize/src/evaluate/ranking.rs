//! Orders and ranks of features.
