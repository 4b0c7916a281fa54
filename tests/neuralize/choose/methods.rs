//! The methods of this library behind the rule.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use burn::backend::Flex;
use burn::tensor::DType;
use burn_ndarray::NdArray;
use neuralize::Error;
use neuralize::choose::{
    Choice, ChooseConfig, FittedBy, FittedPartition, Partition, Partitioner, Rows,
    cluster_stability,
};
use neuralize::cluster::{
    ClustererConfig, Distance, GaussianMixtureConfig, KMeansConfig, KernelKMeansConfig,
};

use super::support::{Random, blobs};

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
    crate::settle_precision();
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

/// A method that remembers the clusters it assigned.
struct Remembering {
    method: FittedBy<Flex>,
    assigned: Rc<RefCell<Vec<Vec<usize>>>>,
}

struct Remembered {
    partition: FittedPartition<Flex>,
    assigned: Rc<RefCell<Vec<Vec<usize>>>>,
}

impl Partitioner for Remembering {
    type Partition = Remembered;
    type Error = Error;

    fn fit(
        &mut self,
        rows: &[f64],
        width: usize,
        clusters: usize,
        starts: usize,
        seed: u64,
    ) -> Result<Remembered, Error> {
        let partition = self.method.fit(rows, width, clusters, starts, seed)?;
        Ok(Remembered { partition, assigned: self.assigned.clone() })
    }
}

impl Partition for Remembered {
    type Error = Error;

    fn labels(&self) -> &[usize] {
        self.partition.labels()
    }

    fn assign(&self, rows: &[f64]) -> Result<Vec<usize>, Error> {
        let labels = self.partition.assign(rows)?;
        self.assigned.borrow_mut().push(labels.clone());
        Ok(labels)
    }
}

/// By sets of rows, from the definition.
#[test]
fn stability_is_the_mean_of_jaccard_similarities() {
    let mut values = blobs(&mut Random(8), 2, 2, 60, 9.0);
    values.extend((0..60).flat_map(|i| [30.0 + f64::from(i % 8), f64::from(i / 8)]));
    let rows = Rows::new(&values, 2).expect("rows");
    let config: ClustererConfig = KMeansConfig::new(5).into();
    let mut method = Remembering {
        method: FittedBy::new(config, &Default::default(), DType::F64),
        assigned: Rc::default(),
    };
    let fit = method.fit(&values, 2, 5, 10, 1).expect("a fit");
    // A sixth cluster has no row.
    let labels = fit.labels().to_vec();
    let found = cluster_stability(&rows, &labels, 6, 3, &mut method);
    assert!(found.is_ok_and(|found| found[5].is_none() && found[..5].iter().all(Option::is_some)));

    method.assigned.borrow_mut().clear();
    let found = cluster_stability(&rows, &labels, 5, 3, &mut method).expect("stability");
    let assigned = method.assigned.borrow().clone();
    assert_eq!(assigned.len(), 20);
    let set = |labels: &[usize], cluster: usize| -> BTreeSet<usize> {
        (0..labels.len()).filter(|row| labels[*row] == cluster).collect()
    };
    for (cluster, found) in found.iter().enumerate() {
        let own = set(&labels, cluster);
        let best = |labels: &Vec<usize>| {
            let of = |other| {
                let there = set(labels, other);
                own.intersection(&there).count() as f64 / own.union(&there).count().max(1) as f64
            };
            (0..5).map(of).fold(0.0, f64::max)
        };
        let expected = assigned.iter().map(best).sum::<f64>() / 20.0;
        assert!((found.expect("a cluster with rows") - expected).abs() < 1e-12);
    }
    // The two blobs come back, the parts of the square do not all.
    let stable = found.iter().flatten().filter(|stability| **stability > 0.9).count();
    assert_eq!(stable, 2, "{found:?}");

    assert!(cluster_stability(&rows, &labels[1..], 5, 3, &mut method).is_err());
    assert!(cluster_stability(&rows, &labels, 4, 3, &mut method).is_err());
    let same = [1.0; 8];
    let same = Rows::new(&same, 1).expect("rows");
    let none = cluster_stability(&same, &[0, 0, 0, 0, 1, 1, 1, 1], 2, 3, &mut method);
    assert_eq!(none.expect("too few different rows"), [None, None]);
}
