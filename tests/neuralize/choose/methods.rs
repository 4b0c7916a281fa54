//! The methods of this library behind the rule.

use burn::backend::Flex;
use burn::tensor::DType;
use burn_ndarray::NdArray;
use neuralize::choose::{Choice, ChooseConfig, FittedBy, Rows};
use neuralize::cluster::{
    ClustererConfig, Distance, GaussianMixtureConfig, KMeansConfig, KernelKMeansConfig,
};

use crate::support::{Random, blobs};

fn choice(config: impl Into<ClustererConfig>, values: &[f64], width: usize) -> Choice {
    let mut method = FittedBy::<Flex>::new(config.into(), &Default::default(), DType::F64);
    let rows = Rows::new(values, width).expect("rows");
    ChooseConfig::new().with_clusters(2..=5).choose(&rows, &mut method).expect("a choice")
}

#[test]
fn every_method_finds_clear_clusters() {
    let values = blobs(&mut Random(3), 3, 2, 150, 10.0);
    for config in [
        ClustererConfig::from(KMeansConfig::new(2)),
        KMeansConfig::new(2).with_distance(Distance::Manhattan).into(),
        KernelKMeansConfig::new(2).into(),
        GaussianMixtureConfig::new(2).into(),
    ] {
        let found = choice(config.clone(), &values, 2);
        assert_eq!(found.recommended, Some(3), "{config:?}: {}", found.sentence);
    }
}

/// The inertia of a number is that of a fit with it, and both backends choose alike.
#[test]
fn figures_are_those_of_a_fit() {
    let values = blobs(&mut Random(5), 3, 3, 120, 8.0);
    let found = choice(KMeansConfig::new(2), &values, 3);
    let device = Default::default();
    let data = burn::tensor::TensorData::new(values.clone(), [values.len() / 3, 3]);
    let x = burn::tensor::Tensor::<Flex, 2>::from_data(data, (&device, DType::F64));
    let fit = KMeansConfig::new(3).with_n_init(Some(20)).fit(&x).expect("a fit");
    let candidate = found.candidates.iter().find(|candidate| candidate.clusters == 3);
    let inertia = candidate.expect("three clusters").inertia;
    assert!((inertia - fit.inertia).abs() <= 1e-9 * fit.inertia, "{inertia} {}", fit.inertia);

    let mut method =
        FittedBy::<NdArray<f64>>::new(KMeansConfig::new(2).into(), &Default::default(), DType::F64);
    let rows = Rows::new(&values, 3).expect("rows");
    let config = ChooseConfig::new().with_clusters(2..=5);
    let other = config.choose(&rows, &mut method).expect("a choice");
    assert_eq!((other.recommended, &other.sentence), (found.recommended, &found.sentence));
    // The same again.
    assert_eq!(config.choose(&rows, &mut method).expect("a choice"), other);
}

/// What a method cannot be fitted to ends the choice in its own words.
#[test]
fn errors_of_the_method_are_handed_on() {
    let values: Vec<f64> = (0..60).map(|i| f64::from(i % 7) - 3.0).collect();
    let config = KMeansConfig::new(2).with_distance(Distance::KullbackLeibler);
    let mut method = FittedBy::<Flex>::new(config.into(), &Default::default(), DType::F64);
    let rows = Rows::new(&values, 2).expect("rows");
    let error = ChooseConfig::new().choose(&rows, &mut method).expect_err("negative counts");
    assert!(error.to_string().contains("row"), "{error}");
}
