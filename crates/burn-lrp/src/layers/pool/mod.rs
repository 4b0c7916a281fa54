//! Pooling over height and width; a length is an image of one row.

mod average;
mod max;
mod window_sum;
mod windows;
