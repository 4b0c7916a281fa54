//! Functions of values on a tape, as methods of [`Node`].

use burn::nn::{Gelu, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::Result;
use crate::graph::Node;
use crate::layers::{
    Add, Concat, Flatten, MeanOver, Multiply, Permute, Reshape, Select, Shift, Softmax, Subtract,
    SumOver,
};

impl<B: Backend> Node<'_, B> {
    /// The sum with another value: a skip connection.
    ///
    /// # Errors
    ///
    /// If the shapes differ.
    pub fn add(&self, other: &Self) -> Result<Self> {
        self.apply("add", Add, &[other])
    }

    /// Every sample plus a constant of the same shape, such as learned positions; the constant gets
    /// no relevance.
    ///
    /// # Errors
    ///
    /// If a sample has another shape.
    pub fn shift(&self, constant: impl Into<AnyTensor<B>>) -> Result<Self> {
        self.apply("shift", Shift { constant: constant.into() }, &[])
    }

    /// The difference to another value.
    ///
    /// # Errors
    ///
    /// If the shapes differ.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.apply("sub", Subtract, &[other])
    }

    /// The product with a gate, element by element; the gate may have size 1
    /// along any dimension.
    ///
    /// # Errors
    ///
    /// If the shapes do not fit.
    pub fn mul(&self, gate: &Self) -> Result<Self> {
        self.apply("mul", Multiply, &[gate])
    }

    /// The mean over a dimension, which is removed.
    ///
    /// # Errors
    ///
    /// If there is no such dimension, or it is the one of samples.
    pub fn mean_over(&self, dim: usize) -> Result<Self> {
        self.apply("mean", MeanOver { dim }, &[])
    }

    /// The sum over a dimension, which is removed.
    ///
    /// # Errors
    ///
    /// If there is no such dimension, or it is the one of samples.
    pub fn sum_over(&self, dim: usize) -> Result<Self> {
        self.apply("sum", SumOver { dim }, &[])
    }

    /// The softmax along a dimension.
    ///
    /// # Errors
    ///
    /// If there is no such dimension, or it is the one of samples.
    pub fn softmax(&self, dim: usize) -> Result<Self> {
        self.apply("softmax", Softmax { dim }, &[])
    }

    /// Values concatenated along a dimension.
    ///
    /// # Errors
    ///
    /// If other dimensions differ.
    pub fn concat(&self, others: &[&Self], dim: usize) -> Result<Self> {
        self.apply("concat", Concat { dim }, others)
    }

    /// All dimensions but the first as one.
    ///
    /// # Errors
    ///
    /// If there is only one dimension.
    pub fn flatten(&self) -> Result<Self> {
        self.apply("flatten", Flatten::default(), &[])
    }

    /// The positive part.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn relu(&self) -> Result<Self> {
        self.apply("relu", Relu, &[])
    }

    /// GELU, exactly.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn gelu(&self) -> Result<Self> {
        self.apply("gelu", Gelu::new(), &[])
    }

    /// The hyperbolic tangent.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn tanh(&self) -> Result<Self> {
        self.apply("tanh", Tanh, &[])
    }

    /// The logistic function.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn sigmoid(&self) -> Result<Self> {
        self.apply("sigmoid", Sigmoid, &[])
    }

    /// The value where it is positive, and `slope` times the value elsewhere.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn leaky_relu(&self, slope: f64) -> Result<Self> {
        self.apply("leaky_relu", LeakyRelu { negative_slope: slope }, &[])
    }

    /// `ln(1 + exp(β x)) / β`.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn softplus(&self, beta: f64) -> Result<Self> {
        self.apply("softplus", Softplus { beta }, &[])
    }

    /// Samples in another shape.
    ///
    /// # Errors
    ///
    /// If the shape has another number of elements.
    pub fn reshape(&self, sample: &[usize]) -> Result<Self> {
        self.apply("reshape", Reshape { sample: sample.to_vec() }, &[])
    }

    /// The dimensions in another order; samples stay first.
    ///
    /// # Errors
    ///
    /// If the order does not name every dimension once.
    pub fn permute(&self, axes: &[usize]) -> Result<Self> {
        self.apply("permute", Permute { axes: axes.to_vec() }, &[])
    }

    /// One place of a dimension, which is removed; −1 is the last place.
    ///
    /// # Errors
    ///
    /// If there is no such place, or the dimension is the one of samples.
    pub fn select(&self, dim: usize, place: isize) -> Result<Self> {
        self.apply("select", Select { dim, place }, &[])
    }
}
