use burn::tensor::{DType, backend::Backend};

use crate::cluster::KernelKMeans;
use crate::record::{Load, Shapes, check_beta, finite};
use crate::{transfer, validate};

impl<B: Backend> Load<B> for KernelKMeans<B> {
    const NAME: &'static str = "kernel k-means model";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let ([_], [_]) = (shapes.dims("gamma")?, shapes.dims("beta")?);
        let [clusters] = shapes.dims("sizes")?;
        let supports = transfer::zeros(shapes.dims("supports")?, device, dtype);
        Ok(Self::new(supports, &vec![1; clusters], 1.0, None))
    }

    fn checked(self) -> Result<Self, String> {
        consistent(&self)?;
        let supports = self.supports.val();
        validate::values("its table of supports", &supports).map_err(|error| error.to_string())?;
        check_beta(self.beta.val())?;
        Ok(self)
    }
}

/// Whether sizes and γ are those of the supports; the values of the supports
/// are not looked at.
pub(crate) fn consistent<B: Backend>(model: &KernelKMeans<B>) -> Result<(), String> {
    let shape = model.supports.val().dims();
    if shape.contains(&0) {
        return Err(format!("its tensor `supports` is empty, shape {shape:?}"));
    }
    let sizes = model.sizes.val();
    finite("sizes", sizes.clone())?;
    let sizes = transfer::download(sizes);
    if let Some(size) = sizes.iter().find(|size| !(**size >= 1.0 && size.fract() == 0.0)) {
        return Err(format!("its tensor `sizes` holds {size}, no number of supports"));
    }
    let total: f64 = sizes.iter().sum();
    if total != shape[0] as f64 {
        return Err(format!("its clusters have {total} supports together, there are {}", shape[0]));
    }
    match transfer::download(model.gamma.val()).as_slice() {
        [gamma] if *gamma > 0.0 => Ok(()),
        [gamma] => Err(format!("its gamma is {gamma}, it must be positive")),
        values => Err(format!("its tensor `gamma` has {} numbers, expected 1", values.len())),
    }
}
