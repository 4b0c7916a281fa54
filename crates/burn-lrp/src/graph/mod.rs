//! A network as it was run: which layer saw what.
//!
//! Burn's modules keep no record of a forward pass, so a [`Tape`] does.

mod network;
mod pass;
mod plan;
mod report;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use burn::nn::{Gelu, LeakyRelu, Relu, Sigmoid, Softplus, Tanh};
use burn::tensor::{Int, Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Add, Concat, Flatten, Layer, Permute, Reshape, Select};
use crate::layer::{MeanOver, Multiply, Softmax, Subtract, SumOver};

pub use network::Relevance;
pub use pass::Relevances;
pub use plan::{Plan, Planned};
pub use report::{LayerReport, Report};

/// A layer of somebody else, or one that was made on the way.
#[derive(Clone, Debug)]
pub(crate) enum Held<'m, B: Backend> {
    Borrowed(&'m dyn Layer<B>),
    Owned(Rc<dyn Layer<B> + 'm>),
}

impl<B: Backend> Held<'_, B> {
    pub(crate) fn layer(&self) -> &dyn Layer<B> {
        match self {
            Self::Borrowed(layer) => *layer,
            Self::Owned(layer) => layer.as_ref(),
        }
    }
}

/// What was done at one place of the network.
#[derive(Debug)]
pub(crate) struct Record<'m, B: Backend> {
    pub(crate) path: String,
    /// None for an input of the network.
    pub(crate) layer: Option<Held<'m, B>>,
    pub(crate) inputs: Vec<usize>,
    pub(crate) value: AnyTensor<B>,
}

#[derive(Debug)]
pub(crate) struct Graph<'m, B: Backend> {
    pub(crate) records: Vec<Record<'m, B>>,
    /// Names of the modules around the one that is being run.
    scope: Vec<String>,
    /// How often every path was used.
    uses: HashMap<String, usize>,
    /// Whether activations are kept.
    keeps: bool,
}

/// Records a network while it runs.
///
/// Any acyclic network can be recorded: values may be used more than once,
/// layers too. Layers are borrowed, never cloned or changed.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig, Relu};
/// use burn::tensor::{Distribution, Tensor};
/// use burn_lrp::{Composite, Tape};
///
/// let device = Default::default();
/// let first: Linear<Flex> = LinearConfig::new(4, 8).init(&device);
/// let second: Linear<Flex> = LinearConfig::new(8, 4).init(&device);
/// let x = Tensor::<Flex, 2>::random([3, 4], Distribution::Default, &device);
///
/// let tape = Tape::new();
/// let input = tape.input("x", x);
/// let hidden = input.then("first", &first)?.then("relu", &Relu)?;
/// // A skip connection.
/// let output = hidden.then("second", &second)?.add(&input)?;
///
/// let plan = output.plan(&Composite::default())?;
/// let relevances = plan.run(output.value().clone())?;
/// assert_eq!(relevances.of(&input)?.dims(), [3, 4]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
#[derive(Debug)]
pub struct Tape<'m, B: Backend> {
    graph: Rc<RefCell<Graph<'m, B>>>,
}

/// A value on a [`Tape`].
#[derive(Clone)]
pub struct Node<'m, B: Backend> {
    pub(crate) graph: Rc<RefCell<Graph<'m, B>>>,
    pub(crate) id: usize,
    value: AnyTensor<B>,
}

impl<B: Backend> fmt::Debug for Node<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("path", &self.path())
            .field("dims", &self.value.dims())
            .finish_non_exhaustive()
    }
}

impl<'m, B: Backend> Tape<'m, B> {
    /// A tape that keeps activations, for a relevance pass.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self::keeping(true)
    }

    /// A tape that keeps nothing: the network only runs, in inference mode.
    pub fn forgetful() -> Self {
        Self::keeping(false)
    }

    fn keeping(keeps: bool) -> Self {
        let graph = Graph { records: Vec::new(), scope: Vec::new(), uses: HashMap::new(), keeps };
        Self { graph: Rc::new(RefCell::new(graph)) }
    }

    /// A value that the network is given.
    pub fn input(&self, name: &str, value: impl Into<AnyTensor<B>>) -> Node<'m, B> {
        record(&self.graph, Some(name), None, Vec::new(), value.into())
    }

    /// Token ids that the network is given; their relevance has their shape.
    ///
    /// # Shapes
    ///
    /// - ids: `[samples, tokens]`
    ///
    /// The ids are kept as floats of the given tensor's precision, which is exact
    /// up to 2^24.
    pub fn tokens(
        &self,
        name: &str,
        ids: Tensor<B, 2, Int>,
        dtype: burn::tensor::FloatDType,
    ) -> Node<'m, B> {
        self.input(name, ids.cast(dtype))
    }
}

fn record<'m, B: Backend>(
    graph: &Rc<RefCell<Graph<'m, B>>>,
    name: Option<&str>,
    layer: Option<Held<'m, B>>,
    inputs: Vec<usize>,
    value: AnyTensor<B>,
) -> Node<'m, B> {
    let id = {
        let mut inner = graph.borrow_mut();
        if inner.keeps {
            let path = inner.path(name);
            inner.records.push(Record { path, layer, inputs, value: value.clone() });
            inner.records.len() - 1
        } else {
            0
        }
    };
    Node { graph: graph.clone(), id, value }
}

impl<B: Backend> Graph<'_, B> {
    /// Where in the network we are; a second use of a path gets a number.
    fn path(&mut self, name: Option<&str>) -> String {
        let parts: Vec<&str> = self.scope.iter().map(String::as_str).chain(name).collect();
        let path = parts.join(".");
        loop {
            let uses = self.uses.entry(path.clone()).or_insert(0);
            *uses += 1;
            if *uses == 1 {
                return path;
            }
            let numbered = format!("{path}#{uses}");
            // A module may have this very name.
            if !self.uses.contains_key(&numbered) {
                self.uses.insert(numbered.clone(), 1);
                return numbered;
            }
        }
    }
}

impl<'m, B: Backend> Node<'m, B> {
    /// The value.
    pub fn value(&self) -> &AnyTensor<B> {
        &self.value
    }

    /// The value as a tensor of known rank.
    ///
    /// # Errors
    ///
    /// If it has another rank.
    pub fn tensor<const D: usize>(&self) -> Result<Tensor<B, D>> {
        self.value.tensor()
    }

    /// Where in the network the value was made; empty on a forgetful tape.
    pub fn path(&self) -> String {
        let graph = self.graph.borrow();
        graph.records.get(self.id).map(|record| record.path.clone()).unwrap_or_default()
    }

    /// Runs a module on the value. The name is a part of the paths of all its
    /// layers.
    ///
    /// # Errors
    ///
    /// If the module cannot take the value.
    pub fn then<M: Relevance<B> + ?Sized>(&self, name: &str, module: &'m M) -> Result<Self> {
        self.scoped(name, |node| module.trace(node))
    }

    /// Runs a function on the value; the name is a part of the paths of all
    /// layers in it.
    ///
    /// # Errors
    ///
    /// If the function fails.
    pub fn scoped(&self, name: &str, f: impl FnOnce(Self) -> Result<Self>) -> Result<Self> {
        self.graph.borrow_mut().scope.push(name.to_string());
        let result = f(self.clone());
        self.graph.borrow_mut().scope.pop();
        result
    }

    /// Records a layer at the present path. Modules call this for a layer that
    /// is theirs; [`then`](Self::then) is what networks use.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn layer(&self, layer: &'m dyn Layer<B>) -> Result<Self> {
        self.run(None, Held::Borrowed(layer), &[])
    }

    /// Records a layer that was made on the way, and that no module holds.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the values.
    pub fn made(&self, name: &str, layer: impl Layer<B> + 'm, further: &[&Self]) -> Result<Self> {
        self.run(Some(name), Held::Owned(Rc::new(layer)), further)
    }

    /// The sum with another value: a skip connection.
    ///
    /// # Errors
    ///
    /// If the shapes differ.
    pub fn add(&self, other: &Self) -> Result<Self> {
        self.made("add", Add, &[other])
    }

    /// The difference to another value.
    ///
    /// # Errors
    ///
    /// If the shapes differ.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.made("sub", Subtract, &[other])
    }

    /// The product with a gate, element by element; the gate may have size 1
    /// along dimensions where this value has more.
    ///
    /// # Errors
    ///
    /// If the shapes do not fit.
    pub fn mul(&self, gate: &Self) -> Result<Self> {
        self.made("mul", Multiply, &[gate])
    }

    /// The mean over a dimension, which is gone afterwards.
    ///
    /// # Errors
    ///
    /// If there is no such dimension, or it is that of samples.
    pub fn mean_over(&self, dim: usize) -> Result<Self> {
        self.made("mean", MeanOver { dim }, &[])
    }

    /// The sum over a dimension, which is gone afterwards.
    ///
    /// # Errors
    ///
    /// If there is no such dimension, or it is that of samples.
    pub fn sum_over(&self, dim: usize) -> Result<Self> {
        self.made("sum", SumOver { dim }, &[])
    }

    /// The softmax along a dimension.
    ///
    /// # Errors
    ///
    /// If there is no such dimension, or it is that of samples.
    pub fn softmax(&self, dim: usize) -> Result<Self> {
        self.made("softmax", Softmax { dim }, &[])
    }

    /// Values side by side along a dimension.
    ///
    /// # Errors
    ///
    /// If other dimensions differ.
    pub fn concat(&self, others: &[&Self], dim: usize) -> Result<Self> {
        self.made("concat", Concat { dim }, others)
    }

    /// All dimensions but the first as one.
    ///
    /// # Errors
    ///
    /// If there is one dimension only.
    pub fn flatten(&self) -> Result<Self> {
        self.made("flatten", Flatten::default(), &[])
    }

    /// The positive part.
    ///
    /// # Errors
    ///
    /// On values that the layer cannot take.
    pub fn relu(&self) -> Result<Self> {
        self.made("relu", Relu, &[])
    }

    /// GELU, exactly.
    ///
    /// # Errors
    ///
    /// On values that the layer cannot take.
    pub fn gelu(&self) -> Result<Self> {
        self.made("gelu", Gelu::new(), &[])
    }

    /// The hyperbolic tangent.
    ///
    /// # Errors
    ///
    /// On values that the layer cannot take.
    pub fn tanh(&self) -> Result<Self> {
        self.made("tanh", Tanh, &[])
    }

    /// The logistic function.
    ///
    /// # Errors
    ///
    /// On values that the layer cannot take.
    pub fn sigmoid(&self) -> Result<Self> {
        self.made("sigmoid", Sigmoid, &[])
    }

    /// The value where it is positive, `slope` times it where it is not.
    ///
    /// # Errors
    ///
    /// On values that the layer cannot take.
    pub fn leaky_relu(&self, slope: f64) -> Result<Self> {
        self.made("leaky_relu", LeakyRelu { negative_slope: slope }, &[])
    }

    /// `ln(1 + exp(β x)) / β`.
    ///
    /// # Errors
    ///
    /// On values that the layer cannot take.
    pub fn softplus(&self, beta: f64) -> Result<Self> {
        self.made("softplus", Softplus { beta }, &[])
    }

    /// Samples in another shape.
    ///
    /// # Errors
    ///
    /// If the shape has another number of elements.
    pub fn reshape(&self, sample: &[usize]) -> Result<Self> {
        self.made("reshape", Reshape { sample: sample.to_vec() }, &[])
    }

    /// The dimensions in another order; samples stay first.
    ///
    /// # Errors
    ///
    /// If the order does not name every dimension once.
    pub fn permute(&self, axes: &[usize]) -> Result<Self> {
        self.made("permute", Permute { axes: axes.to_vec() }, &[])
    }

    /// One place of a dimension, which goes; −1 is the last.
    ///
    /// # Errors
    ///
    /// If there is no such place, or the dimension is that of samples.
    pub fn select(&self, dim: usize, place: isize) -> Result<Self> {
        self.made("select", Select { dim, place }, &[])
    }

    fn run(&self, name: Option<&str>, held: Held<'m, B>, further: &[&Self]) -> Result<Self> {
        if further.iter().any(|other| !Rc::ptr_eq(&other.graph, &self.graph)) {
            return Err(Error::ForeignNode);
        }
        let inputs: Vec<AnyTensor<B>> =
            std::iter::once(self).chain(further.iter().copied()).map(|n| n.value.clone()).collect();
        let at = || {
            let graph = self.graph.borrow();
            graph.scope.iter().map(String::as_str).chain(name).collect::<Vec<_>>().join(".")
        };
        // Burn's operations differ in what they do with nothing at all.
        if let Some(empty) = inputs.iter().find(|input| input.is_empty()) {
            return Err(Error::shape(
                at(),
                "at least one sample and no empty dimension",
                &empty.dims(),
            ));
        }
        let output = held.layer().forward(&inputs).map_err(|error| error.within(&at()))?;
        let ids = std::iter::once(self.id).chain(further.iter().map(|node| node.id)).collect();
        Ok(record(&self.graph, name, Some(held), ids, output))
    }
}
