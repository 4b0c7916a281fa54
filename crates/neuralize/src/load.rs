//! How a module of this crate is loaded: a blank module of the stored shapes, and a check of what
//! was loaded into it.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleDisplay, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::{transfer, validate};

/// A module that this crate loads.
///
/// Burn loads whatever a record holds: other shapes, missing parameters, damaged numbers. Hence
/// these two steps around it. Each type implements them in its own file.
pub trait Load<B: Backend>: Module<B> + ModuleDisplay {
    /// What messages call the module.
    const NAME: &'static str;

    /// A module to load into.
    ///
    /// # Errors
    ///
    /// If the shapes are not those of such a module, in words.
    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String>;

    /// The loaded module, if its parameters belong together and are finite.
    ///
    /// # Errors
    ///
    /// If they do not, in words.
    fn checked(self) -> Result<Self, String>;
}

/// The module, if its parameters belong together and are finite; with floats in place of
/// quantised parameters.
pub(crate) fn check<B: Backend, M: Load<B>>(module: M) -> Result<M> {
    struct Dequantise;
    impl<B: Backend> ModuleMapper<B> for Dequantise {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            match param.val().dtype() {
                DType::QFloat(_) => param.map(transfer::dequantised),
                _ => param,
            }
        }
    }
    module.map(&mut Dequantise).checked().map_err(|detail| Error::Record { detail })
}

/// A linear layer of two tensors.
pub(crate) fn linear<B: Backend>(weight: Tensor<B, 2>, bias: Tensor<B, 1>) -> Linear<B> {
    Linear {
        weight: Param::initialized(ParamId::new(), weight),
        bias: Some(Param::initialized(ParamId::new(), bias)),
    }
}

/// A blank module of given shapes.
pub(crate) fn blank<B: Backend, M: Load<B>>(shapes: &[(&str, &[usize])], device: &B::Device) -> M {
    let named = |(name, dims): &(&str, &[usize])| ((*name).to_owned(), dims.to_vec());
    let shapes = Shapes::known(shapes.iter().map(named).collect());
    M::blank(&shapes, device, DType::F32).expect("the shapes of such a module")
}

/// Shapes by parameter name, as a file states them. Files of Burn's recorders state none; then
/// every dimension is 1.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    known: Option<BTreeMap<String, Vec<usize>>>,
}

impl Shapes {
    pub(crate) fn known(shapes: BTreeMap<String, Vec<usize>>) -> Self {
        Self { known: Some(shapes) }
    }

    /// The shapes of one part of the module, by their names in it.
    pub fn under(&self, part: &str) -> Self {
        let within = |(name, shape): (&String, &Vec<usize>)| {
            let name = name.strip_prefix(part)?.strip_prefix('.')?;
            Some((name.to_owned(), shape.clone()))
        };
        Self { known: self.known.as_ref().map(|known| known.iter().filter_map(within).collect()) }
    }

    /// Blank numbers, NaN: nothing that was loaded and checked holds it.
    ///
    /// # Errors
    ///
    /// As [`dims`](Self::dims).
    pub fn blank<B: Backend, const D: usize>(
        &self,
        name: &str,
        device: &B::Device,
        dtype: DType,
    ) -> Result<Tensor<B, D>, String> {
        Ok(Tensor::full(self.dims::<D>(name)?, f64::NAN, (device, dtype)))
    }

    /// A blank parameter, in a module.
    ///
    /// # Errors
    ///
    /// As [`dims`](Self::dims).
    pub fn param<B: Backend, const D: usize>(
        &self,
        name: &str,
        device: &B::Device,
        dtype: DType,
    ) -> Result<Param<Tensor<B, D>>, String> {
        Ok(Param::initialized(ParamId::new(), self.blank(name, device, dtype)?))
    }

    /// Whether there is such a parameter, as far as is known.
    pub fn has(&self, name: &str) -> bool {
        self.known.as_ref().is_none_or(|known| known.contains_key(name))
    }

    /// The dimensions of one parameter.
    ///
    /// # Errors
    ///
    /// If the file lacks it or states another rank.
    pub fn dims<const D: usize>(&self, name: &str) -> Result<[usize; D], String> {
        let Some(known) = &self.known else { return Ok([1; D]) };
        let Some(shape) = known.get(name) else {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(format!("it has no tensor `{name}`, only {names:?}"));
        };
        <[usize; D]>::try_from(shape.as_slice()).map_err(|_| {
            format!("its tensor `{name}` has shape {shape:?}, expected {D} dimensions")
        })
    }
}

/// Whether a vector has one number for each of `expected` things.
pub(crate) fn agree(
    name: &str,
    [found]: [usize; 1],
    what: &str,
    expected: usize,
) -> Result<(), String> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("its tensor `{name}` has {found} numbers for {expected} {what}"))
    }
}

/// Whether a tensor has elements and all of them are finite.
pub(crate) fn finite<B: Backend, const D: usize>(
    name: &str,
    tensor: Tensor<B, D>,
) -> Result<(), String> {
    not_empty(name, &tensor)?;
    finite_numbers(name, &transfer::download(tensor))
}

/// Whether all numbers are finite.
pub(crate) fn finite_numbers(name: &str, values: &[f64]) -> Result<(), String> {
    match values.iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(_) if values.iter().all(|value| value.is_nan()) => Err(unloaded(name)),
        Some(value) => Err(format!("its tensor `{name}` holds {value}")),
    }
}

/// Whether a table has elements that are finite and small enough to be squared.
pub(crate) fn usable<B: Backend>(name: &str, table: &Tensor<B, 2>) -> Result<(), String> {
    not_empty(name, table)?;
    let found = validate::values("its table of centroids", table);
    found.map_err(|error| match not_blank(name, table) {
        Ok(()) => error.to_string(),
        Err(blank) => blank,
    })
}

fn unloaded(name: &str) -> String {
    format!("its tensor `{name}` is blank: load a record into it first")
}

/// Precision and values of a parameter.
pub(crate) type Numbers = (DType, Vec<f64>);

/// Precision and values of all float parameters, in order.
pub(crate) fn parameters<B: Backend, M: Module<B>>(module: &M) -> Vec<Numbers> {
    struct Collect(Vec<Numbers>);
    impl<B: Backend> ModuleVisitor<B> for Collect {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
            let tensor = param.val();
            self.0.push((tensor.dtype(), transfer::download(tensor)));
        }
    }
    let mut collect = Collect(Vec::new());
    module.visit(&mut collect);
    collect.0
}

/// Whether the parameters of a module are nearly those that they follow from. A recorder of half
/// precision rounds every number by itself.
pub(crate) fn alike<B: Backend, M: Load<B>>(module: &M, expected: &M) -> Result<(), String> {
    let close = |((_, found), (_, expected)): (&Numbers, &Numbers)| {
        let finite = expected.iter().filter(|value| value.is_finite());
        let size = finite.fold(0.0, |size: f64, value| size.max(value.abs()));
        let close = |(a, b): (&f64, &f64)| {
            a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-2 * size
        };
        found.len() == expected.len() && found.iter().zip(expected).all(close)
    };
    let (found, expected) = (parameters(module), parameters(expected));
    if found.len() == expected.len() && found.iter().zip(&expected).all(close) {
        return Ok(());
    }
    Err("its layers do not belong together: it is damaged, or parts of several".into())
}

/// Whether anything was loaded into a parameter.
pub(crate) fn not_blank<B: Backend, const D: usize>(
    name: &str,
    tensor: &Tensor<B, D>,
) -> Result<(), String> {
    not_empty(name, tensor)?;
    if transfer::all_true(transfer::is_nan(tensor.clone())) { Err(unloaded(name)) } else { Ok(()) }
}

/// Whether a tensor has elements.
pub(crate) fn not_empty<B: Backend, const D: usize>(
    name: &str,
    tensor: &Tensor<B, D>,
) -> Result<(), String> {
    let shape = tensor.dims();
    if shape.contains(&0) {
        return Err(format!("its tensor `{name}` is empty, shape {shape:?}"));
    }
    Ok(())
}

/// Whether a stored β is one number that may be kept; NaN means that β is not known.
pub(crate) fn check_beta<B: Backend>(beta: &HostParam<B>) -> Result<(), String> {
    match sole("beta", beta)? {
        beta if beta.is_nan() || (beta.is_finite() && beta >= 0.0) => Ok(()),
        beta => Err(format!("its beta is {beta}, it must be finite and at least 0")),
    }
}

/// Whether a stored γ is one number that a soft pool may have.
pub(crate) fn check_stiffness<B: Backend>(name: &str, gamma: &HostParam<B>) -> Result<(), String> {
    match sole(name, gamma)? {
        gamma if gamma >= 0.0 => Ok(()),
        gamma => Err(format!("its gamma is {gamma}, it must be at least 0")),
    }
}

/// The number that a parameter of one element holds.
pub(crate) fn sole<B: Backend>(name: &str, param: &HostParam<B>) -> Result<f64, String> {
    match param.values() {
        [value] => Ok(*value),
        values => Err(format!("its tensor `{name}` has {} numbers, expected 1", values.len())),
    }
}
