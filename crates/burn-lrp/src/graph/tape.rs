//! A tape that records which layer of a network received and returned which values.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use burn::tensor::{FloatDType, Int, Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::Layer;

/// A layer of a module, or one that was made for the tape.
#[derive(Clone, Debug)]
pub(crate) enum LayerRef<'m, B: Backend> {
    Borrowed(&'m dyn Layer<B>),
    Owned(Rc<dyn Layer<B> + 'm>),
}

impl<B: Backend> LayerRef<'_, B> {
    pub(crate) fn get(&self) -> &dyn Layer<B> {
        match self {
            Self::Borrowed(layer) => *layer,
            Self::Owned(layer) => layer.as_ref(),
        }
    }
}

/// A value on a tape, and the layer that computed it.
#[derive(Debug)]
pub(crate) struct TapeEntry<'m, B: Backend> {
    pub(crate) path: String,
    /// `None` for an input of the network.
    pub(crate) layer: Option<LayerRef<'m, B>>,
    pub(crate) inputs: Vec<usize>,
    pub(crate) value: AnyTensor<B>,
}

#[derive(Debug)]
pub(crate) struct Graph<'m, B: Backend> {
    pub(crate) entries: Vec<TapeEntry<'m, B>>,
    /// Names of the modules that are running, the outermost first.
    scope: Vec<String>,
    /// How often every path was used.
    uses: HashMap<String, usize>,
    /// Whether activations are kept.
    keeps: bool,
}

/// Records a network while it runs.
///
/// Any acyclic network can be recorded; values and layers may be used several times. Layers are
/// borrowed, never cloned or changed.
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

    /// A tape that keeps no activations: the network only runs, in inference mode.
    pub fn inference() -> Self {
        Self::keeping(false)
    }

    fn keeping(keeps: bool) -> Self {
        let graph = Graph { entries: Vec::new(), scope: Vec::new(), uses: HashMap::new(), keeps };
        Self { graph: Rc::new(RefCell::new(graph)) }
    }

    /// An input of the network.
    pub fn input(&self, name: &str, value: impl Into<AnyTensor<B>>) -> Node<'m, B> {
        record(&self.graph, Some(name), None, Vec::new(), value.into())
    }

    /// Token ids as an input of the network; their relevance has the shape of the ids.
    ///
    /// The ids are kept as floats of the given precision, which is exact up to 2^24.
    ///
    /// # Shapes
    ///
    /// - ids: `[samples, tokens]`
    pub fn tokens(&self, name: &str, ids: Tensor<B, 2, Int>, dtype: FloatDType) -> Node<'m, B> {
        self.input(name, ids.cast(dtype))
    }
}

fn record<'m, B: Backend>(
    graph: &Rc<RefCell<Graph<'m, B>>>,
    name: Option<&str>,
    layer: Option<LayerRef<'m, B>>,
    inputs: Vec<usize>,
    value: AnyTensor<B>,
) -> Node<'m, B> {
    let id = {
        let mut inner = graph.borrow_mut();
        if inner.keeps {
            let path = inner.path(name);
            inner.entries.push(TapeEntry { path, layer, inputs, value: value.clone() });
            inner.entries.len() - 1
        } else {
            0
        }
    };
    Node { graph: graph.clone(), id, value }
}

impl<B: Backend> Graph<'_, B> {
    /// The path of a new value; a second use of a path gets a number.
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
            // A module may have the same name.
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

    /// Where in the network the value was computed; empty on a tape that keeps no activations.
    pub fn path(&self) -> String {
        let graph = self.graph.borrow();
        graph.entries.get(self.id).map(|entry| entry.path.clone()).unwrap_or_default()
    }

    /// Runs a function on the value; the name becomes a part of the paths of all
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

    /// Records a layer at the current path. Layers call this themselves; networks use
    /// [`then`](Self::then).
    ///
    /// # Errors
    ///
    /// If the layer cannot take the value.
    pub fn layer(&self, layer: &'m dyn Layer<B>) -> Result<Self> {
        self.run(None, LayerRef::Borrowed(layer), &[])
    }

    /// Runs a layer that no module holds on this value, and on further ones if it has several
    /// inputs.
    ///
    /// # Errors
    ///
    /// If the layer cannot take the values, or they belong to another tape.
    pub fn apply(&self, name: &str, layer: impl Layer<B> + 'm, further: &[&Self]) -> Result<Self> {
        self.run(Some(name), LayerRef::Owned(Rc::new(layer)), further)
    }

    fn run(&self, name: Option<&str>, layer: LayerRef<'m, B>, further: &[&Self]) -> Result<Self> {
        if further.iter().any(|other| !Rc::ptr_eq(&other.graph, &self.graph)) {
            return Err(Error::ForeignNode);
        }
        let inputs: Vec<AnyTensor<B>> =
            std::iter::once(self).chain(further.iter().copied()).map(|n| n.value.clone()).collect();
        let at = || {
            let graph = self.graph.borrow();
            graph.scope.iter().map(String::as_str).chain(name).collect::<Vec<_>>().join(".")
        };
        // Burn's operations differ in what they do with empty tensors.
        if let Some(empty) = inputs.iter().find(|input| input.is_empty()) {
            return Err(Error::shape(
                at(),
                "at least one sample and no empty dimension",
                &empty.dims(),
            ));
        }
        let output = layer.get().forward(&inputs).map_err(|error| error.within(&at()))?;
        let ids = std::iter::once(self.id).chain(further.iter().map(|node| node.id)).collect();
        Ok(record(&self.graph, name, Some(layer), ids, output))
    }
}
