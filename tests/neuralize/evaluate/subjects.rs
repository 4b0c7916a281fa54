//! Slopes, pinned targets, backgrounds, and transformed and shuffled clusterers.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use neuralize::baseline::{Background, Reference, Subject, Tracked};
use neuralize::cluster::{Clusterer, Distance, GaussianMixture, KernelKMeans, SeparableKMeans};
use neuralize::explain::{Beta, Target};

use super::figures::{kernel, kmeans, wine};
use crate::suite::{Rows, Setup, assert_close, assert_rows_close, largest, random_rows, rows};

const NO_CLUSTER: &str = "K > 1";

fn numbers<B: Backend>(index: Tensor<B, 2, Int>) -> Vec<usize> {
    index.into_data().iter::<i64>().map(|number| number as usize).collect()
}

/// A clusterer of every kind with the β of some data, four clusters in three
/// dimensions; and the power p of its logits, |a|^p for data times a.
fn every_kind<B: Backend>(setup: &Setup<B>, x: &Tensor<B, 2>) -> Vec<(Clusterer<B>, f64)> {
    let centroids = random_rows(4, 3, 0.5, 11);
    let by = |distance| {
        SeparableKMeans::from_centroids(setup.tensor(&centroids), distance).expect("centroids")
    };
    let weighted = by(Distance::Mahalanobis).with_weights(setup.column(&[0.5, 2.0, 1.25]));
    let separable = [
        (by(Distance::Manhattan), 1.0),
        (by(Distance::Power(1.5)), 1.5),
        (weighted.expect("weights"), 2.0),
    ];
    let kmeans = setup.kmeans(&centroids).with_heuristic_beta(x).expect("a beta");
    let supports = setup.tensor(&random_rows(9, 3, 0.5, 12));
    let kernel = KernelKMeans::from_supports(supports, &[0, 1, 2, 3, 0, 1, 2, 3, 0], 0.75);
    let kernel = kernel.and_then(|model| model.with_heuristic_beta(x)).expect("supports");
    let mut kinds: Vec<(Clusterer<B>, f64)> = vec![(kmeans.into(), 2.0), (kernel.into(), 2.0)];
    kinds.extend(
        separable
            .map(|(model, power)| (model.with_heuristic_beta(x).expect("a beta").into(), power)),
    );
    // A logit in nats does not change.
    kinds.push((mixture(setup).with_heuristic_beta(x).expect("a beta").into(), 0.0));
    kinds
}

fn mixture<B: Backend>(setup: &Setup<B>) -> GaussianMixture<B> {
    let variances: Rows = random_rows(4, 3, 0.0, 13)
        .iter()
        .map(|row| row.iter().map(|value| 0.5 + value.abs()).collect())
        .collect();
    GaussianMixture::from_parts(
        setup.tensor(&random_rows(4, 3, 0.5, 11)),
        setup.tensor(&variances),
        setup.column(&[0.1, 0.2, 0.3, 0.4]),
    )
    .expect("a mixture")
}

/// Slopes of a smooth and of a piecewise linear function.
pub fn slopes_are_central_differences<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&wine()[..12].to_vec());
    let subjects: [Box<dyn Subject<B>>; 2] = [Box::new(kmeans(setup)), Box::new(kernel(setup))];
    let (step, near) = if setup.tolerance < 1e-9 { (1e-5, 1e-7) } else { (1e-2, 2e-2) };
    for subject in subjects {
        let pinned = subject.pin(&setup.tensor(&x), Target::Assigned).expect("valid");
        let slope = rows(subject.slope(&setup.tensor(&x), &pinned));
        for feature in 0..13 {
            let logit = |by: f64| {
                let mut x = x.clone();
                x.iter_mut().for_each(|row| row[feature] += by);
                rows(subject.logit(&setup.tensor(&x), &pinned))
            };
            let (above, below) = (logit(step), logit(-step));
            for row in 0..12 {
                let difference = (above[row][0] - below[row][0]) / (2.0 * step);
                assert!(
                    (difference - slope[row][feature]).abs() < near * (1.0 + difference.abs()),
                    "row {row}, feature {feature}: {difference}, {}",
                    slope[row][feature]
                );
            }
        }
    }
}

/// The slope of every kind of clusterer, where it has one: away from kinks.
pub fn slopes_of_every_kind<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(25, 3, 0.5, 14));
    let (step, near): (f64, f64) = if setup.tolerance < 1e-9 { (1e-5, 1e-6) } else { (1e-2, 2e-2) };
    for (clusterer, _) in every_kind(setup, &setup.tensor(&x)) {
        let words = format!("{clusterer:?}");
        let words = words.split('(').next().unwrap_or_default();
        let subject = Tracked::<Autodiff<B>>::new(clusterer).expect(NO_CLUSTER);
        for target in [Target::Assigned, Target::Cluster(2), Target::AssignedVersus(1)] {
            let pinned = subject.pin(&setup.tensor(&x), target).expect("valid");
            let slope = rows(subject.slope(&setup.tensor(&x), &pinned));
            let mut compared = 0;
            for feature in 0..3 {
                let logit = |by: f64| {
                    let mut x = x.clone();
                    x.iter_mut().for_each(|row| row[feature] += by);
                    rows(subject.logit(&setup.tensor(&x), &pinned))
                };
                let (above, here, below) = (logit(step), logit(0.0), logit(-step));
                for row in 0..25 {
                    let right = (above[row][0] - here[row][0]) / step;
                    let left = (here[row][0] - below[row][0]) / step;
                    let expected = (right + left) / 2.0;
                    let size = 1.0 + expected.abs();
                    // A kink, or too much curvature for differences.
                    if (right - left).abs() > (1e4 * step).min(0.15) * size {
                        continue;
                    }
                    compared += 1;
                    let found = slope[row][feature];
                    // The slope of |d|^1.5 has no derivative at d = 0.
                    let near = near.max((right - left).abs() / 2.0);
                    assert!(
                        (found - expected).abs() <= near * size,
                        "{words}, {target:?}, row {row}, feature {feature}: {found}, {expected}"
                    );
                }
            }
            assert!(compared > 55, "{words}, {target:?}: {compared} of 75");
        }
    }
}

/// The slopes of kernel k-means and of a mixture, by loops and to the precision, which a
/// processor's estimate of a reciprocal would miss.
pub fn slopes_of_formulas<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(25, 3, 0.5, 14));
    let check = |subject: &dyn Subject<B>, slope: &dyn Fn(&[f64], usize) -> Vec<f64>| {
        let pinned = subject.pin(&setup.tensor(&x), Target::Assigned).expect("valid");
        let found = rows(subject.slope(&setup.tensor(&x), &pinned));
        let pairs = numbers(pinned.cluster()).into_iter().zip(numbers(pinned.competitor()));
        let expected: Rows = x
            .iter()
            .zip(pairs)
            .map(|(row, (own, other))| {
                let (own, other) = (slope(row, own), slope(row, other));
                own.iter().zip(other).map(|(a, b)| a - b).collect()
            })
            .collect();
        assert_rows_close(&found, &expected, setup.tolerance, "slopes");
    };

    // Neither f32 nor f64 holds the stiffness or its inverse exactly.
    let gamma = 0.7;
    let supports = setup.rounded(&random_rows(9, 3, 0.5, 12));
    let labels = [0, 1, 2, 3, 0, 1, 2, 3, 0];
    let kernel = KernelKMeans::from_supports(setup.tensor(&supports), &labels, gamma);
    let kernel = Tracked::<Autodiff<B>>::new(kernel.expect("supports")).expect(NO_CLUSTER);
    check(&kernel, &|row, cluster| {
        let members: Vec<&Vec<f64>> =
            supports.iter().zip(labels).filter(|(_, k)| *k == cluster).map(|(u, _)| u).collect();
        let weights: Vec<f64> = members
            .iter()
            .map(|u| (-gamma * u.iter().zip(row).map(|(u, x)| (x - u).powi(2)).sum::<f64>()).exp())
            .collect();
        let total: f64 = weights.iter().sum();
        (0..3)
            .map(|i| {
                let parts = members.iter().zip(&weights).map(|(u, w)| 2.0 * (u[i] - row[i]) * w);
                parts.sum::<f64>() / total
            })
            .collect()
    });

    let mixture = mixture(setup);
    let (means, variances) = (rows(mixture.means()), rows(mixture.variances()));
    let mixture = Tracked::<Autodiff<B>>::new(mixture).expect(NO_CLUSTER);
    check(&mixture, &|row, cluster| {
        (0..3).map(|i| (means[cluster][i] - row[i]) / variances[cluster][i]).collect()
    });
}

/// Data and clusterer scaled and shifted: the same clusters, logits times a power of the
/// scale, and the same explanation relative to its sum.
pub fn moved_data_and_moved_clusterers<B: Backend>(setup: &Setup<B>) {
    let close = if setup.tolerance < 1e-9 { 1e-9 } else { 1e-4 };
    let table = setup.rounded(&random_rows(60, 3, 0.5, 15));
    let x = setup.tensor(&table);
    for (clusterer, power) in every_kind(setup, &x) {
        let subject = Tracked::<Autodiff<B>>::new(clusterer).expect(NO_CLUSTER);
        let pinned = subject.pin(&x, Target::Assigned).expect("valid");
        let logit = rows(subject.logit(&x, &pinned)).concat();
        let here = subject.network().explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
        let here = rows(here.relevance);
        let middle = logit.iter().sum::<f64>() / 60.0;
        for (scale, shift) in [(2.5, -3.0), (-0.5, 1.0), (1.0, 0.0)] {
            let moved =
                subject.transformed(scale, shift).expect("numbers").expect("no such change");
            let there: Rows = table
                .iter()
                .map(|row| row.iter().map(|value| scale * value + shift).collect())
                .collect();
            let there = setup.tensor(&there);
            let again = moved.pin(&there, Target::Assigned).expect("valid");
            let (old, new) = (numbers(pinned.cluster()), numbers(again.cluster()));
            let found = rows(moved.logit(&there, &again)).concat();
            let explained = moved.network().explain(&there, Target::Assigned, Beta::Heuristic);
            let explained = rows(explained.expect("valid").relevance);
            let most = largest(logit.iter().copied());
            let mut compared = 0;
            for row in 0..60 {
                let expected = scale.abs().powf(power) * logit[row];
                let size = scale.abs().powf(power) * most;
                assert!(
                    (found[row] - expected).abs() <= close * size,
                    "power {power}, row {row}: {} against {expected}",
                    found[row]
                );
                // Near a boundary, rounding decides, and shares of a sum near 0 mean nothing.
                if logit[row] < 0.05 * middle {
                    continue;
                }
                compared += 1;
                assert_eq!(old[row], new[row]);
                let parts = |row: &Vec<f64>| -> Vec<f64> {
                    let sum: f64 = row.iter().map(|value| value.abs()).sum();
                    row.iter().map(|value| value / sum).collect()
                };
                for (a, b) in parts(&explained[row]).iter().zip(parts(&here[row])) {
                    assert!((a - b).abs() <= 20.0 * close, "power {power}, row {row}: {a}, {b}");
                }
            }
            assert!(compared > 40, "{compared}");
        }
        // Out of the range of the precision.
        for scale in [1e300, 0.0] {
            assert!(subject.transformed(scale, 0.0).is_err() || (power == 0.0 && scale != 0.0));
        }
    }
    // A divergence that starts at zero cannot be shifted.
    let positive = setup.tensor(&vec![vec![0.2, 0.8], vec![0.6, 0.4]]);
    for distance in [Distance::KullbackLeibler, Distance::ItakuraSaito, Distance::Logistic] {
        let model = SeparableKMeans::from_centroids(positive.clone(), distance).expect("positive");
        let subject = Tracked::<Autodiff<B>>::new(model).expect(NO_CLUSTER);
        assert!(subject.transformed(2.5, -3.0).expect("no number is wrong").is_none());
    }
}

/// Columns hold the same values, none in its place; the same seed gives the same
/// table; and the result is a clusterer.
pub fn shuffled_columns_hold_the_same_values<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(40, 3, 0.5, 16));
    for (clusterer, _) in every_kind(setup, &x) {
        let table = |clusterer: &dyn Subject<B>| rows(clusterer.network().centroids());
        let is_kernel = matches!(clusterer, Clusterer::Kernel(_));
        let subject = Tracked::<Autodiff<B>>::new(clusterer).expect(NO_CLUSTER);
        let shuffle = |seed| subject.randomised(seed).expect("a clusterer").expect("a table");
        let shuffled = shuffle(7);
        let (old, new) = (table(&subject), table(&*shuffled));
        assert_eq!(new, table(&*shuffle(7)));
        let others = (8..12).map(|seed| table(&*shuffle(seed)));
        assert!(others.filter(|other| *other != new).count() >= 3, "every seed is the same");
        for feature in 0..3 {
            let column = |table: &Rows| table.iter().map(|row| row[feature]).collect::<Vec<_>>();
            let (mut old, mut new) = (column(&old), column(&new));
            let stays = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-3;
            assert!(!old.iter().zip(&new).any(stays), "feature {feature} stays");
            // A kernel's supports are shuffled, and its centroids are their means.
            if !is_kernel {
                old.sort_by(f64::total_cmp);
                new.sort_by(f64::total_cmp);
                // A network holds its centroids relative to their mean.
                assert_close(&old, &new, 10.0 * setup.tolerance, "a column");
            }
        }
        let explained = shuffled.network().explain(&x, Target::Assigned, Beta::Heuristic);
        let explained = explained.expect("a network");
        assert!(rows(explained.relevance).concat().iter().all(|value| value.is_finite()));
        let pinned = shuffled.pin(&x, Target::Assigned).expect("valid");
        assert!(rows(shuffled.logit(&x, &pinned)).concat().iter().all(|logit| *logit >= 0.0));
    }
    // Two clusters that changed their values in every feature would be the same two.
    let two = setup.rounded(&random_rows(2, 5, 0.0, 17));
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&two)).expect(NO_CLUSTER);
    for seed in 0..20 {
        let shuffled = subject.randomised(seed).expect("a clusterer").expect("a table");
        let shuffled = rows(shuffled.network().centroids());
        let stays = |i: &usize| (shuffled[0][*i] - two[0][*i]).abs() < 1e-4;
        let swaps = |i: &usize| (shuffled[0][*i] - two[1][*i]).abs() < 1e-4;
        assert!((0..5).all(|i| stays(&i) || swaps(&i)));
        let changed = (0..5).filter(swaps).count();
        assert!((1..5).contains(&changed), "{changed} of 5 change");
    }
}

/// |y − μ|² for every centroid.
fn distances(y: &[f64], centroids: &Rows) -> Vec<f64> {
    let square = |(a, b): (&f64, &f64)| (a - b) * (a - b);
    centroids.iter().map(|centroid| y.iter().zip(centroid).map(square).sum()).collect()
}

/// The smallest number except one; the first of equal ones.
fn smallest(numbers: &[f64], but: Option<usize>) -> usize {
    let mut others = (0..numbers.len()).filter(|at| Some(*at) != but);
    let first = others.next().expect("two clusters");
    others.fold(first, |best, at| if numbers[at] < numbers[best] { at } else { best })
}

/// Cluster and competitor are those where a row was pinned, the logit is that where
/// it is now; by loops.
pub fn pinned_questions_stay<B: Backend>(setup: &Setup<B>) {
    let centroids = setup.rounded(&random_rows(4, 3, 0.0, 18));
    let (here, there) = (random_rows(20, 3, 0.0, 19), random_rows(20, 3, 0.0, 20));
    let (here, there) = (setup.rounded(&here), setup.rounded(&there));
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&centroids)).expect(NO_CLUSTER);
    let naive = |target: Target, pair: bool, at: &Rows| -> (Vec<usize>, Vec<usize>, Rows) {
        let (mut clusters, mut competitors, mut logits) = (Vec::new(), Vec::new(), Vec::new());
        for (from, at) in here.iter().zip(at) {
            let before = distances(from, &centroids);
            let assigned = smallest(&before, None);
            let (cluster, versus) = match target {
                Target::Cluster(cluster) => (cluster, None),
                Target::Contrast { cluster, versus } => (cluster, Some(versus)),
                Target::AssignedVersus(versus) => (assigned, Some(versus)),
                _ => (assigned, None),
            };
            let competitor = versus.unwrap_or_else(|| smallest(&before, Some(cluster)));
            let now = distances(at, &centroids);
            let other =
                if versus.is_some() || pair { competitor } else { smallest(&now, Some(cluster)) };
            clusters.push(cluster);
            competitors.push(competitor);
            logits.push(vec![now[other] - now[cluster]]);
        }
        (clusters, competitors, logits)
    };
    let near = |found: Tensor<B, 2>, expected: &Rows| {
        let size = largest(expected.concat().iter().map(|value| value.abs()));
        for (a, b) in rows(found).concat().iter().zip(expected.concat()) {
            assert!((a - b).abs() <= 5.0 * setup.tolerance * size, "{a} against {b}");
        }
    };
    for target in [
        Target::Assigned,
        Target::Cluster(2),
        Target::Contrast { cluster: 1, versus: 3 },
        Target::AssignedVersus(0),
    ] {
        let pinned = subject.pin(&setup.tensor(&here), target).expect("valid");
        assert_eq!((pinned.len(), pinned.is_empty()), (20, false));
        assert_eq!(pinned.is_pair(), target != Target::Assigned && target != Target::Cluster(2));
        for at in [&here, &there] {
            let (clusters, competitors, logits) = naive(target, false, at);
            assert_eq!(numbers(pinned.cluster()), clusters, "{target:?}");
            assert_eq!(numbers(pinned.competitor()), competitors, "{target:?}");
            let x = setup.tensor(at);
            near(subject.logit(&x, &pinned), &logits);
            near(pinned.logit(&subject.network().scores(x.clone())), &logits);

            let part = pinned.rows(5..9);
            near(subject.logit(&x.clone().narrow(0, 5, 4), &part), &logits[5..9].to_vec());

            let pair = pinned.as_pair();
            assert!(pair.is_pair());
            near(subject.logit(&x, &pair), &naive(target, true, at).2);

            let thrice = pinned.repeated(3);
            let many = |table: &Rows| -> Rows {
                table.iter().flat_map(|row| [row.clone(), row.clone(), row.clone()]).collect()
            };
            assert_eq!(thrice.len(), 60);
            near(subject.logit(&setup.tensor(&many(at)), &thrice), &many(&logits));
            assert_eq!(pinned.repeated(0).len(), 0);
        }
    }
}

/// A cluster against itself is 0, at any place; no rows; clusters that do not exist.
pub fn contrasts_and_no_rows<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(15, 3, 0.5, 21));
    for (clusterer, _) in every_kind(setup, &x) {
        let subject = Tracked::<Autodiff<B>>::new(clusterer).expect(NO_CLUSTER);
        for target in [Target::AssignedVersus(1), Target::Contrast { cluster: 3, versus: 0 }] {
            let pinned = subject.pin(&x, target).expect("valid");
            let (own, other) = (numbers(pinned.cluster()), numbers(pinned.competitor()));
            let logit = rows(subject.logit(&x, &pinned));
            let slope = rows(subject.slope(&x, &pinned));
            for row in (0..15).filter(|row| own[*row] == other[*row]) {
                assert_eq!(logit[row], [0.0]);
                assert_eq!(slope[row], [0.0; 3]);
            }
            // One row alone, whose graph may end before x.
            let row = pinned.rows(4..5);
            let slopes = rows(subject.slope(&x.clone().narrow(0, 4, 1), &row));
            assert_rows_close(&slopes, &slope[4..5].to_vec(), 10.0 * setup.tolerance, "one row");
        }
        let none = x.clone().slice([0..0, 0..3]);
        for target in [Target::Assigned, Target::AssignedVersus(1)] {
            let pinned = subject.pin(&none, target).expect("no rows");
            assert!(pinned.is_empty() && pinned.as_pair().is_empty());
            assert_eq!(pinned.repeated(4).len(), 0);
            assert_eq!(subject.logit(&none, &pinned).dims(), [0, 1]);
            assert_eq!(subject.slope(&none, &pinned).dims(), [0, 3]);
        }
        assert!(subject.pin(&x, Target::Cluster(4)).is_err());
        assert!(subject.pin(&x, Target::AssignedVersus(4)).is_err());
        assert!(subject.pin(&setup.tensor(&random_rows(3, 2, 0.0, 1)), Target::Assigned).is_err());
    }
}

/// Mean, deviation and members by loops; references of every kind.
pub fn backgrounds_are_counted_by_loops<B: Backend>(setup: &Setup<B>) {
    let centroids = setup.rounded(&random_rows(3, 4, 0.0, 22));
    let data: Rows = random_rows(37, 4, 1.0, 23)
        .into_iter()
        .map(|row| vec![row[0], 0.1, row[2], row[3]])
        .collect();
    let data = setup.rounded(&data);
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&centroids)).expect(NO_CLUSTER);
    let background = Background::new(&subject, &setup.tensor(&data), 4).expect("data");
    let (mean, deviation) = (rows(background.mean()), rows(background.deviation()));
    assert_eq!((mean.len(), deviation.len(), background.seed()), (1, 1, 4));
    for feature in 0..4 {
        let expected = data.iter().map(|row| row[feature]).sum::<f64>() / 37.0;
        let square = data.iter().map(|row| (row[feature] - expected).powi(2)).sum::<f64>() / 37.0;
        assert!((mean[0][feature] - expected).abs() <= 10.0 * setup.tolerance);
        assert!((deviation[0][feature] - square.sqrt()).abs() <= 10.0 * setup.tolerance);
    }
    // The deviation of 37 equal numbers is 0, however their mean is rounded.
    assert_eq!((mean[0][1], deviation[0][1]), (data[0][1], 0.0));
    let mut members = vec![Vec::new(); 3];
    for (row, x) in data.iter().enumerate() {
        members[smallest(&distances(x, &centroids), None)].push(row);
    }
    assert_eq!(background.members(), members);

    let x = setup.tensor(&data[..9].to_vec());
    let query = background.query(&x, Target::Assigned).expect("valid");
    let competitors = numbers(query.pinned.competitor());
    let expected: Rows = competitors.iter().map(|k| centroids[*k].clone()).collect();
    let found = rows(query.reference(Reference::Competitor));
    assert_rows_close(&found, &expected, setup.tolerance, "competitor");
    assert_eq!(rows(query.reference(Reference::Mean)), vec![mean[0].clone(); 9]);
    assert_eq!(rows(query.reference(Reference::Zero)), vec![vec![0.0; 4]; 9]);
    let part = query.rows(2..5);
    assert_eq!((part.len(), rows(part.x.clone())), (3, data[2..5].to_vec()));
    assert_eq!(rows(part.reference(Reference::Competitor)), found[2..5]);

    let none = x.clone().slice([0..0, 0..4]);
    let nothing = background.query(&none, Target::Assigned).expect("no rows");
    assert!(nothing.is_empty());
    for reference in Reference::ALL {
        assert_eq!(nothing.reference(reference).dims(), [0, 4], "{reference}");
    }
    assert_eq!((nothing.logit().dims(), nothing.slope().dims()), ([0, 1], [0, 4]));
    assert!(Background::new(&subject, &none, 0).is_err());
}

/// Samples are rows of the competing cluster, not always the same one; a cluster
/// without rows gives its centroid.
pub fn samples_are_members_of_the_competitor<B: Backend>(setup: &Setup<B>) {
    let mut centroids = random_rows(3, 2, 0.0, 24);
    centroids.push(vec![100.0, 100.0]);
    let centroids = setup.rounded(&centroids);
    let data = setup.rounded(&random_rows(60, 2, 0.0, 25));
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&centroids)).expect(NO_CLUSTER);
    let background = Background::new(&subject, &setup.tensor(&data), 4).expect("data");
    assert!(background.members()[3].is_empty());
    let x = setup.tensor(&data);

    let query = background.query(&x, Target::Assigned).expect("valid");
    let samples = rows(query.reference(Reference::Sample));
    let mut drawn = std::collections::BTreeSet::new();
    for (sample, competitor) in samples.iter().zip(numbers(query.pinned.competitor())) {
        let row = data.iter().position(|row| row == sample).expect("a row of the data");
        assert!(background.members()[competitor].contains(&row), "row {row}, cluster {competitor}");
        drawn.insert(row);
    }
    assert!(drawn.len() > 15, "{drawn:?}");
    assert_eq!(samples, rows(query.reference(Reference::Sample)), "the same seed, other rows");

    // A single row has no sample; those beside it have.
    let empty = background.query(&x, Target::Contrast { cluster: 0, versus: 3 }).expect("valid");
    let found = rows(empty.reference(Reference::Sample));
    assert_rows_close(&found, &vec![centroids[3].clone(); 60], setup.tolerance, "no sample");
    let mut mixed = data[..4].to_vec();
    // Between the far cluster and its neighbour, so that the far one competes.
    mixed.push(vec![45.0, 45.0]);
    let query = background.query(&setup.tensor(&mixed), Target::Assigned).expect("valid");
    let far = numbers(query.pinned.competitor());
    let samples = rows(query.reference(Reference::Sample));
    for (sample, competitor) in samples.iter().zip(far) {
        if background.members()[competitor].is_empty() {
            assert_close(sample, &centroids[competitor], 1e-4, "no sample")
        } else {
            assert!(data.contains(sample))
        }
    }
}
