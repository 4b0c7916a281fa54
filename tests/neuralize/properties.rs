//! Properties over random tables, small whole numbers among them so that ties,
//! duplicates and constant features are common.

use burn::backend::Flex;
use burn::tensor::DType;
use neuralize::cluster::KMeansConfig;
use neuralize::data::{TableOptions, TableReader};
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;
use proptest::prelude::*;

use crate::suite::naive::{self, Question};
use crate::suite::{Rows, Setup, indices, rows, values};

fn setup() -> Setup<Flex> {
    Setup::new(DType::F64)
}

/// Points and at least two centroids, of the same width.
fn points_and_centroids() -> impl Strategy<Value = (Rows, Rows)> {
    (1usize..12, 1usize..7, 2usize..7, any::<bool>()).prop_flat_map(|(n, d, k, whole)| {
        let value =
            if whole { (-3i32..4).prop_map(f64::from).boxed() } else { (-1e3..1e3f64).boxed() };
        let table =
            move |rows| prop::collection::vec(prop::collection::vec(value.clone(), d), rows);
        (table.clone()(n), table(k))
    })
}

fn beta() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), 1e-6..10.0f64, Just(1e300), Just(f64::INFINITY)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every target of every point: finite, conserving, and where no margin is
    /// near zero equal to the definition.
    #[test]
    fn neon_conserves_and_is_the_definition(
        (x, centroids) in points_and_centroids(),
        beta in beta(),
        a in 0usize..7,
        b in 0usize..7,
    ) {
        let setup = setup();
        let k = centroids.len();
        let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
        let tensor = setup.tensor(&x);
        let mut targets = vec![Target::Assigned, Target::Cluster(a % k), Target::AssignedVersus(b % k)];
        if a % k != b % k {
            targets.push(Target::Contrast { cluster: a % k, versus: b % k });
        }
        for target in targets {
            let found = network.explain(&tensor, target, Beta::Value(beta)).expect("valid");
            let (relevance, logit) = (rows(found.relevance.clone()), values(found.logit.clone()));
            let (cluster, shares) = (indices(found.cluster.clone()), rows(found.shares));
            for (i, x) in x.iter().enumerate() {
                prop_assert!(relevance[i].iter().all(|r| r.is_finite()));
                let size: f64 = centroids.iter().map(|c| naive::squared_distance(x, c)).sum();
                let error = (relevance[i].iter().sum::<f64>() - logit[i]).abs();
                prop_assert!(error <= 1e-10 * size.max(1e-9), "{target:?}: {error} of {size}");
                let share: f64 = shares[i].iter().sum();
                prop_assert!((share - 1.0).abs() < 1e-9 || (share == 0.0 && logit[i] == 0.0));
                prop_assert_eq!(shares[i][cluster[i]], 0.0);
                if target != Target::Assigned {
                    continue;
                }
                let margin = naive::margin(x, &centroids, cluster[i]);
                prop_assert!((logit[i] - margin).abs() <= 1e-10 * size.max(1e-9));
                // A stiffness that turns rounding into shares has no twin.
                if margin > 1e-6 * size && beta * size < 1e4 {
                    let twin = naive::neon(x, &centroids, &Question::Soft(cluster[i]), beta);
                    for (r, expected) in relevance[i].iter().zip(&twin) {
                        prop_assert!((r - expected).abs() <= 1e-6 * size, "{r} against {expected}");
                    }
                }
            }
        }
    }

    /// Any table and any K: a partition of which every part is told apart, or
    /// an error.
    #[test]
    fn a_fit_is_a_partition((x, _) in points_and_centroids(), k in 1usize..6, seed in any::<u64>()) {
        let tensor = setup().tensor(&x);
        match KMeansConfig::new(k).with_seed(seed).fit(&tensor) {
            Ok(fit) => {
                prop_assert_eq!(fit.sizes.iter().sum::<usize>(), x.len());
                prop_assert!(fit.sizes.iter().all(|size| *size > 0), "{:?}", fit.sizes);
                prop_assert!(fit.inertia.is_finite() && fit.inertia >= 0.0);
                let labels = indices(fit.labels);
                prop_assert_eq!(&labels, &indices(fit.model.predict(&tensor).expect("valid")));
                if k > 1 {
                    let network = fit.model.neuralize().expect("K > 1");
                    prop_assert_eq!(&labels, &indices(network.predict(&tensor).expect("valid")));
                }
            }
            Err(error) => {
                let mut distinct: Vec<Vec<u64>> =
                    x.iter().map(|row| row.iter().map(|v| (v + 0.0).to_bits()).collect()).collect();
                distinct.sort();
                distinct.dedup();
                prop_assert!(distinct.len() < k, "{error}");
            }
        }
    }

    /// Whatever bytes a file holds: a table of finite numbers, or an error.
    #[test]
    fn reading_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let read = TableReader::csv("f", bytes.as_slice(), &TableOptions::default())
            .and_then(|mut reader| reader.read_all());
        if let Ok(table) = read {
            for i in 0..table.rows() {
                prop_assert!(table.row(i).expect("a row").iter().all(|value| value.is_finite()));
            }
        }
    }

    /// The same with bytes that look like a table.
    #[test]
    fn reading_likely_text_never_panics(text in "a,b\n([0-9.e,\"\n -]|nan|inf){0,60}") {
        let _ = TableReader::csv("f", text.as_bytes(), &TableOptions::default())
            .and_then(|mut reader| reader.read_all());
    }
}
