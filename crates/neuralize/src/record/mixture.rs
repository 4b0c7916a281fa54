use burn::tensor::{DType, backend::Backend};

use super::{Load, Shapes, agree, check_beta, finite, usable};
use crate::cluster::GaussianMixture;
use crate::transfer;

impl<B: Backend> Load<B> for GaussianMixture<B> {
    const NAME: &'static str = "mixture of Gaussians";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [_] = shapes.dims("beta")?;
        let (means, variances) = (shapes.dims("means")?, shapes.dims("variances")?);
        Ok(Self::blank(means, variances, shapes.dims("log_weights")?, device, dtype))
    }

    fn checked(self) -> Result<Self, String> {
        let (means, variances) = (self.means.val(), self.variances.val());
        let log_weights = self.log_weights.val();
        usable("means", &means)?;
        if variances.dims() != means.dims() {
            let (found, expected) = (variances.dims(), means.dims());
            return Err(format!("its variances have shape {found:?}, its means {expected:?}"));
        }
        agree("log_weights", log_weights.dims(), "components", means.dims()[0])?;
        finite("variances", variances)?;
        finite("log_weights", log_weights.clone())?;
        // A recorder of half precision rounds weights by a thousandth each.
        let total: f64 = transfer::download(log_weights).into_iter().map(f64::exp).sum();
        if (total - 1.0).abs() > 1e-2 {
            return Err(format!("its weights sum to {total}, not to 1: it is damaged"));
        }
        self.check_spread().map_err(|error| error.to_string())?;
        check_beta(self.beta.val())?;
        Ok(self)
    }
}
