use burn::tensor::{DType, backend::Backend};

use crate::cluster::distance::centroids_inside;
use crate::cluster::{Distance, SeparableKMeans};
use crate::record::{Load, Shapes, agree, check_beta, finite, usable};
use crate::transfer;

impl<B: Backend> Load<B> for SeparableKMeans<B> {
    const NAME: &'static str = "k-means model with a distance";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let ([_], [_]) = (shapes.dims("beta")?, shapes.dims("distance")?);
        let weights = transfer::zeros(shapes.dims("weights")?, device, dtype);
        let centroids = transfer::zeros(shapes.dims("centroids")?, device, dtype);
        Ok(Self::new(centroids, Distance::default(), weights, None))
    }

    fn checked(self) -> Result<Self, String> {
        let (centroids, weights) = (self.centroids.val(), self.weights.val());
        usable("centroids", &centroids)?;
        agree("weights", weights.dims(), "features", centroids.dims()[1])?;
        finite("weights", weights.clone())?;
        let Some(distance) = self.decoded() else {
            let found = transfer::download(self.distance.val());
            return Err(format!("its tensor `distance` holds {found:?}, which is none"));
        };
        let wanted = match distance {
            Distance::Mahalanobis => "at least 0",
            _ => "1 for this distance",
        };
        let fits = |weight: &f64| match distance {
            Distance::Mahalanobis => *weight >= 0.0,
            _ => *weight == 1.0,
        };
        if let Some(weight) = transfer::download(weights.clone()).iter().find(|w| !fits(w)) {
            return Err(format!("its tensor `weights` holds {weight}, it must be {wanted}"));
        }
        centroids_inside("its table of centroids", &*distance.separable(&weights), &centroids)
            .map_err(|error| error.to_string())?;
        check_beta(self.beta.val())?;
        Ok(self)
    }
}
