//! Pooling over height and width; a length is an image of one row.

mod average;
mod envelope;
mod max;
mod window_sum;
mod windows;
