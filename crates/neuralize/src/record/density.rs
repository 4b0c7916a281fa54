use burn::tensor::{DType, backend::Backend};

use super::{Load, Shapes, usable};
use crate::outlier::KernelDensity;
use crate::transfer;

impl<B: Backend> Load<B> for KernelDensity<B> {
    const NAME: &'static str = "kernel density";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [_] = shapes.dims("gamma")?;
        Ok(Self::new(transfer::zeros(shapes.dims("supports")?, device, dtype), 0.0))
    }

    fn checked(self) -> Result<Self, String> {
        usable("supports", &self.supports.val())?;
        match transfer::download(self.gamma.val()).as_slice() {
            [gamma] if *gamma >= 0.0 => Ok(self),
            [gamma] => Err(format!("its gamma is {gamma}, it must be at least 0")),
            values => Err(format!("its tensor `gamma` has {} numbers, expected 1", values.len())),
        }
    }
}
