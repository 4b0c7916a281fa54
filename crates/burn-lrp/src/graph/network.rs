//! Modules that run on a tape, layer by layer, and the output of a network alone.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::graph::tape::{Node, Tape};

/// A module that relevance can be propagated through: how it runs, layer by layer.
///
/// All layers implement it. A network that runs its fields in their order derives it
/// with `#[derive(Relevance)]`; any other network implements how it runs:
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Linear, Relu};
/// use burn::tensor::backend::Backend;
/// use burn_lrp::{Node, Relevance, Result};
///
/// #[derive(Module, Debug)]
/// struct Block<B: Backend> {
///     first: Linear<B>,
///     second: Linear<B>,
/// }
///
/// impl<B: Backend> Relevance<B> for Block<B> {
///     fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
///         let hidden = x.then("first", &self.first)?.then("relu", &Relu)?;
///         hidden.then("second", &self.second)?.add(&x)
///     }
/// }
/// ```
///
/// # Deriving it
///
/// Fields run in their order, each under its name; fields of tuple structs run under their number.
/// Of an enum, the module of the current variant runs, and the variant adds nothing to
/// paths.
///
/// | attribute of a field or variant | |
/// |---|---|
/// | `#[relevance(then(relu))]` | functions after the field, in their order: `then(relu, flatten)` |
/// | `#[relevance(before(flatten))]` | functions before it |
/// | `#[relevance(residual)]` | `field(x) + x`; `before` applies to x, `then` to the sum |
/// | `#[relevance(skip)]` | the field does not run |
///
/// The functions are methods of [`Node`]: `relu`, `gelu`, `tanh`, `sigmoid`,
/// `leaky_relu(slope)`, `softplus(beta)`, `flatten`, `reshape(sizes of a sample, ..)` and
/// `permute(dimensions, ..)`. Each becomes a layer with the name of the function.
///
/// Fields that are never layers are skipped: numbers, strings, `bool`, `PhantomData` and `Ignored`,
/// and tuples, arrays and options of them. A field that is a `Param` or a `Tensor` is
/// refused: a module that uses one implements how it runs, for constants such as positions with
/// [`Node::shift`].
///
/// The backend is the type parameter that is bounded by `Backend`, whatever its name; fields of
/// other type parameters must implement `Relevance` too. If this crate has another path,
/// add `#[relevance(crate = "path::to::burn_lrp")]` to the type.
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Dropout, Linear};
/// use burn::tensor::backend::Backend;
/// use burn_lrp::Relevance;
///
/// #[derive(Module, Debug, Relevance)]
/// struct Mlp<B: Backend> {
///     #[relevance(before(flatten), then(relu))]
///     first: Linear<B>,
///     dropout: Dropout,
///     #[relevance(residual, then(relu))]
///     second: Linear<B>,
///     head: Head<B>,
///     classes: usize,
/// }
///
/// #[derive(Module, Debug, Relevance)]
/// enum Head<B: Backend> {
///     Scores(Linear<B>),
///     #[relevance(then(sigmoid))]
///     Probabilities(Linear<B>),
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "relevance cannot be propagated through `{Self}`",
    label = "`Relevance<{B}>` is not implemented",
    note = "derive `Relevance` for a module that runs its fields in their order, or implement it",
    note = "in a derived module, mark a field that is not a layer with `#[relevance(skip)]`"
)]
pub trait Relevance<B: Backend> {
    /// Runs the module on a value, recording its layers.
    ///
    /// # Errors
    ///
    /// If the module cannot take the value.
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>>;
}

/// Implements [`Relevance`] for types that are a [`Layer`](crate::Layer), so that they can be part
/// of a network. Types with a backend are written `Name<B>`.
#[macro_export]
macro_rules! leaf {
    ($($layer:ident $(<$backend:ident>)?),+ $(,)?) => {$(
        $crate::leaf!(@one $layer $($backend)?);
    )+};
    (@one $layer:ident) => {
        impl<B: ::burn::tensor::backend::Backend> $crate::Relevance<B> for $layer {
            fn trace<'m>(&'m self, input: $crate::Node<'m, B>) -> $crate::Result<$crate::Node<'m, B>> {
                input.layer(self)
            }
        }
    };
    (@one $layer:ident $backend:ident) => {
        impl<$backend: ::burn::tensor::backend::Backend> $crate::Relevance<$backend> for $layer<$backend> {
            fn trace<'m>(&'m self, input: $crate::Node<'m, $backend>) -> $crate::Result<$crate::Node<'m, $backend>> {
                input.layer(self)
            }
        }
    };
}

impl<'m, B: Backend> Node<'m, B> {
    /// Runs a module on the value. The name becomes a part of the paths of all its
    /// layers.
    ///
    /// # Errors
    ///
    /// If the module cannot take the value.
    pub fn then<M: Relevance<B> + ?Sized>(&self, name: &str, module: &'m M) -> Result<Self> {
        self.scoped(name, |node| module.trace(node))
    }
}

/// The output of a network in inference mode, whatever the backend is: no
/// dropout, and normalisation by running statistics.
///
/// # Errors
///
/// If the network cannot take the input.
pub fn infer<B: Backend>(
    network: &(impl Relevance<B> + ?Sized),
    x: impl Into<AnyTensor<B>>,
) -> Result<AnyTensor<B>> {
    let tape = Tape::inference();
    let output = network.trace(tape.input("input", x))?;
    Ok(output.value().clone())
}

/// Checks whether a network, traced, is the one that runs: whether its output is that of its own
/// forward pass, up to rounding. It is meant for tests: a [`trace`](Relevance::trace) written by hand
/// may differ from `forward`, and so may a derived one that lacks a function between two fields. It
/// compares outputs only.
///
/// On a backend with gradients, the forward pass of a network with dropout or batch normalisation is
/// that of training, and another one.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Distribution, Tensor};
///
/// let device = Default::default();
/// let net: Linear<Flex> = LinearConfig::new(4, 3).init(&device);
/// let x = Tensor::<Flex, 2>::random([5, 4], Distribution::Default, &device);
/// burn_lrp::verify(&net, x.clone(), |x| net.forward(x))?;
/// assert!(burn_lrp::verify(&net, x, |x| net.forward(x) + 1.0).is_err());
/// # Ok::<(), burn_lrp::Error>(())
/// ```
///
/// # Errors
///
/// If the outputs differ, or the network cannot be traced.
pub fn verify<B: Backend, const I: usize, const O: usize>(
    network: &(impl Relevance<B> + ?Sized),
    x: Tensor<B, I>,
    forward: impl FnOnce(Tensor<B, I>) -> Tensor<B, O>,
) -> Result<()> {
    let traced = infer(network, x.clone())?;
    let own = AnyTensor::from(forward(x));
    if traced.dims() != own.dims() {
        let expected = format!("{:?}, that of its own forward pass", own.dims());
        return Err(Error::shape("the traced network", expected, &traced.dims()));
    }
    let numbers = |x: &AnyTensor<B>| x.flat().into_data().iter::<f64>().collect::<Vec<f64>>();
    let (traced_numbers, own_numbers) = (numbers(&traced), numbers(&own));
    let size = own_numbers.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    let precision = traced.dtype().finfo().map_or(1e-3, |info| info.epsilon);
    // Rounding grows along a network, and some of Burn's layers round to single precision; a layer
    // that is missing shows at once.
    let slack = size * precision.sqrt().max(1e-6);
    let differs = |(a, b): (&f64, &f64)| {
        let difference = (a - b).abs();
        difference > slack || difference.is_nan()
    };
    let at = traced_numbers.iter().zip(&own_numbers).position(differs);
    let Some(at) = at else { return Ok(()) };
    let detail = format!(
        "element {at} of its output is {} when it is traced and {} in its own forward pass: `trace` runs other layers",
        traced_numbers[at], own_numbers[at]
    );
    Err(Error::layer("network", detail))
}

impl<B: Backend, M: Relevance<B> + ?Sized> Relevance<B> for Box<M> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.as_ref().trace(input)
    }
}

impl<B: Backend, M: Relevance<B> + ?Sized> Relevance<B> for &M {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        (**self).trace(input)
    }
}

/// `None` returns its input.
impl<B: Backend, M: Relevance<B>> Relevance<B> for Option<M> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        match self {
            Some(module) => module.trace(input),
            None => Ok(input),
        }
    }
}

/// The modules run in their order and are named by their index.
impl<B: Backend, M: Relevance<B>> Relevance<B> for [M] {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.iter()
            .enumerate()
            .try_fold(input, |node, (index, module)| node.then(&index.to_string(), module))
    }
}

impl<B: Backend, M: Relevance<B>> Relevance<B> for Vec<M> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.as_slice().trace(input)
    }
}

impl<B: Backend, M: Relevance<B>, const N: usize> Relevance<B> for [M; N] {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.as_slice().trace(input)
    }
}

macro_rules! tuple {
    ($($module:ident $index:tt),+) => {
        impl<B: Backend, $($module: Relevance<B>),+> Relevance<B> for ($($module,)+) {
            fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
                let node = input;
                $(let node = node.then(stringify!($index), &self.$index)?;)+
                Ok(node)
            }
        }
    };
}

tuple!(M0 0);
tuple!(M0 0, M1 1);
tuple!(M0 0, M1 1, M2 2);
tuple!(M0 0, M1 1, M2 2, M3 3);
tuple!(M0 0, M1 1, M2 2, M3 3, M4 4);
tuple!(M0 0, M1 1, M2 2, M3 3, M4 4, M5 5);
tuple!(M0 0, M1 1, M2 2, M3 3, M4 4, M5 5, M6 6);
tuple!(M0 0, M1 1, M2 2, M3 3, M4 4, M5 5, M6 6, M7 7);
tuple!(M0 0, M1 1, M2 2, M3 3, M4 4, M5 5, M6 6, M7 7, M8 8);
tuple!(M0 0, M1 1, M2 2, M3 3, M4 4, M5 5, M6 6, M7 7, M8 8, M9 9);
