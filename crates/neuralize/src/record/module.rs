use std::collections::BTreeMap;

use burn::module::{Module, ModuleDisplay, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::KMeans;
use crate::data::Scaler;
use crate::network::NeuralizedKMeans;
use crate::{Error, kernel, transfer, validate};

/// A module that this crate saves, and checks when it is loaded.
///
/// Burn loads whatever a record holds: other shapes, missing parameters,
/// damaged numbers. Hence the two steps around it, a blank module of the
/// shapes that the file states, and a check of what came in.
pub trait Stored<B: Backend>: Load<B> {}

impl<B: Backend, M: Load<B>> Stored<B> for M {}

/// The two steps, for this crate's modules alone.
pub trait Load<B: Backend>: Module<B> + ModuleDisplay {
    /// What the module is called in messages.
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

/// The module, if its parameters belong together and are finite.
pub(crate) fn check<B: Backend, M: Load<B>>(module: M) -> Result<M, Error> {
    module.checked().map_err(|detail| Error::Record { detail })
}

/// Shapes by parameter name, as a file states them. Recorder files do not
/// state any; then every dimension is 1.
#[derive(Debug, Clone, Default)]
pub struct Shapes {
    known: Option<BTreeMap<String, Vec<usize>>>,
}

impl Shapes {
    pub(crate) fn known(shapes: BTreeMap<String, Vec<usize>>) -> Self {
        Self { known: Some(shapes) }
    }

    /// Those of one part of the module, by their names in it.
    pub fn under(&self, part: &str) -> Self {
        let within = |(name, shape): (&String, &Vec<usize>)| {
            let name = name.strip_prefix(part)?.strip_prefix('.')?;
            Some((name.to_owned(), shape.clone()))
        };
        Self { known: self.known.as_ref().map(|known| known.iter().filter_map(within).collect()) }
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

impl<B: Backend> Load<B> for KMeans<B> {
    const NAME: &'static str = "k-means model";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [_] = shapes.dims("beta")?;
        Ok(Self::new(transfer::zeros(shapes.dims("centroids")?, device, dtype), None))
    }

    fn checked(self) -> Result<Self, String> {
        usable("centroids", &self.centroids.val())?;
        check_beta(self.beta.val())?;
        Ok(self)
    }
}

impl<B: Backend> Load<B> for NeuralizedKMeans<B> {
    const NAME: &'static str = "neuralized k-means network";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [_] = shapes.dims("beta")?;
        let zeros = |shape| transfer::zeros::<B, 1>(shape, device, dtype);
        Ok(Self::from_parts(
            zeros(shapes.dims("center")?),
            transfer::zeros(shapes.dims("linear.weight")?, device, dtype),
            zeros(shapes.dims("linear.bias")?),
            zeros([1]),
        ))
    }

    /// The bias follows from the weight; it is computed again, so that a
    /// recorder of half precision cannot put the two at odds.
    fn checked(self) -> Result<Self, String> {
        let weight = self.linear.weight.val();
        let [features, clusters] = weight.dims();
        let Some(bias) = self.linear.bias.as_ref().map(Param::val) else {
            return Err("its linear layer has no bias".into());
        };
        let (center, beta) = (self.center.val(), self.beta.val());
        agree("center", center.dims(), "features", features)?;
        agree("linear.bias", bias.dims(), "clusters", clusters)?;
        if clusters < 2 {
            return Err(format!("it has {clusters} cluster, a network needs at least 2"));
        }
        finite("center", center.clone())?;
        usable("linear.weight", &weight)?;
        finite("linear.bias", bias.clone())?;
        check_beta(beta.clone())?;
        let computed = kernel::bias_of(&weight);
        let error = transfer::download((computed.clone() - bias).abs().max())[0];
        let size = transfer::download(computed.clone().abs().max())[0];
        if error > 1e-2 * size {
            return Err(
                "its bias does not belong to its weight: it is damaged, or another network".into(),
            );
        }
        Ok(Self::from_parts(center, weight, computed, beta))
    }
}

impl<B: Backend> Load<B> for Scaler<B> {
    const NAME: &'static str = "scaler";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let zeros = |shape| transfer::zeros::<B, 1>(shape, device, dtype);
        Ok(Self::new(zeros(shapes.dims("offset")?), zeros(shapes.dims("factor")?)))
    }

    fn checked(self) -> Result<Self, String> {
        let (offset, factor) = (self.offset.val(), self.factor.val());
        agree("factor", factor.dims(), "features", offset.dims()[0])?;
        finite("offset", offset)?;
        finite("factor", factor)?;
        Ok(self)
    }
}

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

pub(crate) fn finite<B: Backend, const D: usize>(
    name: &str,
    tensor: Tensor<B, D>,
) -> Result<(), String> {
    let shape = tensor.dims();
    if shape.contains(&0) {
        return Err(format!("its tensor `{name}` is empty, shape {shape:?}"));
    }
    match transfer::download(tensor).iter().find(|value| !value.is_finite()) {
        None => Ok(()),
        Some(value) => Err(format!("its tensor `{name}` holds {value}")),
    }
}

/// Finite, and small enough to be squared.
pub(crate) fn usable<B: Backend>(name: &str, table: &Tensor<B, 2>) -> Result<(), String> {
    let shape = table.dims();
    if shape.contains(&0) {
        return Err(format!("its tensor `{name}` is empty, shape {shape:?}"));
    }
    validate::values("its table of centroids", table).map_err(|error| error.to_string())
}

/// NaN means that β is not known.
pub(crate) fn check_beta<B: Backend>(beta: Tensor<B, 1>) -> Result<(), String> {
    match transfer::download(beta).as_slice() {
        [beta] if beta.is_nan() || (beta.is_finite() && *beta >= 0.0) => Ok(()),
        [beta] => Err(format!("its beta is {beta}, it must be finite and at least 0")),
        values => Err(format!("its tensor `beta` has {} numbers, expected 1", values.len())),
    }
}

/// The module as it is written: parameters numbered in their order. Burn gives
/// every parameter a random number, which would make two files of one model
/// differ.
pub(super) fn numbered<B: Backend, M: Module<B>>(module: M) -> M {
    struct Number(u64);
    impl<B: Backend> ModuleMapper<B> for Number {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let (_, tensor, mapper) = param.consume();
            self.0 += 1;
            Param::from_mapped_value(ParamId::from(self.0), tensor, mapper)
        }
    }
    module.map(&mut Number(0))
}

/// The module as it was read, with every float parameter in the given
/// precision and a number of its own.
pub(crate) fn cast<B: Backend, M: Module<B>>(module: M, dtype: DType) -> M {
    struct Cast(DType);
    impl<B: Backend> ModuleMapper<B> for Cast {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let (_, tensor, mapper) = param.consume();
            Param::from_mapped_value(ParamId::new(), tensor.cast(self.0), mapper)
        }
    }
    module.map(&mut Cast(dtype))
}

/// All float parameters, one after the other.
pub(super) fn parameters<B: Backend, M: Module<B>>(module: &M) -> Vec<(DType, Vec<f64>)> {
    struct Collect(Vec<(DType, Vec<f64>)>);
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
