//! Every suite on every CPU backend, in both precisions.

use burn::backend::{Autodiff, Flex};
use burn::tensor::DType;
use burn_ndarray::NdArray;

use crate::{evaluate, evaluate_on, models, models_on, suite, suite_on};

suite_on!(flex_f32, Flex, DType::F32, true);
suite_on!(flex_f64, Flex, DType::F64, true);
suite_on!(ndarray_f32, NdArray<f32>, DType::F32, true);
suite_on!(ndarray_f64, NdArray<f64>, DType::F64, true);
suite_on!(autodiff_flex_f64, Autodiff<Flex>, DType::F64, true);
suite_on!(autodiff_ndarray_f32, Autodiff<NdArray<f32>>, DType::F32, true);

suite_on!(@gradients gradients_flex_f32, Flex, DType::F32, true);
suite_on!(@gradients gradients_flex_f64, Flex, DType::F64, true);
suite_on!(@gradients gradients_ndarray_f32, NdArray<f32>, DType::F32, true);
suite_on!(@gradients gradients_ndarray_f64, NdArray<f64>, DType::F64, true);

suite_on!(@kernels kernels_flex_f32, Flex, DType::F32, true);
suite_on!(@kernels kernels_flex_f64, Flex, DType::F64, true);
suite_on!(@kernels kernels_ndarray_f32, NdArray<f32>, DType::F32, true);
suite_on!(@kernels kernels_ndarray_f64, NdArray<f64>, DType::F64, true);

models_on!(models_flex_f32, Flex, DType::F32, true);
models_on!(models_flex_f64, Flex, DType::F64, true);
models_on!(models_ndarray_f32, NdArray<f32>, DType::F32, true);
models_on!(models_ndarray_f64, NdArray<f64>, DType::F64, true);

#[cfg(feature = "pytorch")]
mod files_of_pytorch {
    use super::*;
    use crate::weights_on;

    weights_on!(flex_f32, Flex, DType::F32, true);
    weights_on!(flex_f64, Flex, DType::F64, true);
    weights_on!(ndarray_f32, NdArray<f32>, DType::F32, true);
    weights_on!(ndarray_f64, NdArray<f64>, DType::F64, true);
}

evaluate_on!(evaluate_flex_f32, Flex, DType::F32, true);
evaluate_on!(evaluate_flex_f64, Flex, DType::F64, true);
evaluate_on!(evaluate_ndarray_f32, NdArray<f32>, DType::F32, true);
evaluate_on!(evaluate_ndarray_f64, NdArray<f64>, DType::F64, true);

#[cfg(feature = "ndarray")]
#[test]
fn kernels_are_the_same_on_every_backend() {
    suite::kernels::same_bits::<Flex, NdArray<f32>>(DType::F32);
    suite::kernels::same_bits::<Flex, NdArray<f64>>(DType::F64);
}

/// On one backend: the iterations are those of all (`fit_from_given_centroids`).
#[test]
fn momentum_saves_iterations() {
    suite::kmeans::momentum_saves_iterations(&suite::Setup::<Flex>::new(DType::F32));
}

/// Seeding and Lloyd's iterations take the same way on every backend, so the
/// results differ by rounding alone; and so do the explanations of wine.
#[test]
fn backends_agree() {
    use burn::tensor::backend::Backend;
    use neuralize::cluster::KMeansConfig;
    use neuralize::explain::Beta;
    use suite::{Setup, values};

    fn fit<B: Backend>(dtype: DType) -> (Vec<usize>, Vec<f64>, f64, usize) {
        let setup = Setup::<B>::new(dtype);
        let x = setup.tensor(&suite::random_rows(700, 5, 3.0, 21));
        let fit = KMeansConfig::new(9).with_seed(4).fit(&x).expect("a fit");
        let centroids = values(fit.model.centroids());
        (suite::indices(fit.labels), centroids, fit.inertia, fit.n_iter)
    }
    for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
        let flex = fit::<Flex>(dtype);
        let ndarray = match dtype {
            DType::F64 => fit::<NdArray<f64>>(dtype),
            _ => fit::<NdArray<f32>>(dtype),
        };
        assert_eq!((&flex.0, flex.3), (&ndarray.0, ndarray.3));
        suite::assert_close(&flex.1, &ndarray.1, tolerance, "centroids");
        assert!((flex.2 - ndarray.2).abs() <= tolerance * flex.2);
    }
    for beta in [Beta::Value(0.0), Beta::Value(1.0), Beta::Heuristic] {
        let flex = suite::wine::explanation(&Setup::<Flex>::new(DType::F32), beta).relevance;
        let ndarray = suite::wine::explanation(&Setup::<NdArray<f32>>::new(DType::F32), beta);
        suite::assert_close(&values(flex), &values(ndarray.relevance), 2e-5, "relevance");
    }
}
