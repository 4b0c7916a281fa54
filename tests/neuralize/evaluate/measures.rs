//! Measures against reference values of another program, loops from the definitions, and
//! methods that are perfect or useless by construction.

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::baseline::{
    Attribute, Attribution, Background, Method, PinnedTarget, Query, Reference, Subject, Tracked,
};
use neuralize::cluster::KMeans;
use neuralize::evaluate::{
    EvaluateConfig, Measure, agreement, conservation, continuity, flip, infidelity, invariance,
    random_band, randomisation,
};
use neuralize::explain::{Beta, Target};

use super::figures::{Figures, kernel, kmeans, wine};
use crate::suite::{Rows, Setup, assert_close, random_rows, rows};

/// f64 1e-9. f32 2e-3: nearly equal relevances may change places, which moves a curve a little.
fn near<B: Backend>(setup: &Setup<B>) -> f64 {
    if setup.tolerance < 1e-9 { 1e-9 } else { 2e-3 }
}

/// A method that is a function of the query.
struct By<F>(F);

impl<B: Backend, F: Fn(&Query<'_, B>) -> Tensor<B, 2>> Attribute<B> for By<F> {
    fn name(&self) -> String {
        "by hand".into()
    }

    fn attribute(&self, query: &Query<'_, B>) -> neuralize::Result<Attribution<B>> {
        Ok(self.0(query).into())
    }
}

fn by<B: Backend, F: Fn(&Query<'_, B>) -> Tensor<B, 2>>(f: F) -> By<F> {
    By(f)
}

fn relevance<B: Backend>(method: &dyn Attribute<B>, query: &Query<'_, B>) -> Tensor<B, 2> {
    method.attribute(query).expect("relevances").relevance
}

/// The measures of another program for the same relevances, method by method.
fn others<B: Backend>(setup: &Setup<B>) -> Vec<(&'static str, Tensor<B, 2>)> {
    let figures = Figures::of("measures.json");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/wine/relevance_beta1.csv");
    let mut reader = csv::Reader::from_path(path).expect("a reference file");
    let number = |cell: &str| cell.parse().expect("a number");
    let neon: Rows =
        reader.records().map(|row| row.expect("a row").iter().map(number).collect()).collect();
    vec![
        ("neon 1", setup.tensor(&neon)),
        ("neon hard", setup.tensor(&figures.table("neon hard"))),
        ("product", setup.tensor(&Figures::of("gradients.json").table("kmeans input"))),
        ("clusterxplain", setup.tensor(&figures.table("clusterxplain"))),
    ]
}

pub fn curves_of_another_program<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("measures.json");
    let subject = kmeans(setup);
    let x = setup.tensor(&wine());
    let background = Background::new(&subject, &x, 1).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    for (method, relevance) in others(setup) {
        for (to, name) in [(Reference::Competitor, "competing"), (Reference::Mean, "mean")] {
            let flips = flip(&query, &relevance, to, 50);
            let share: Vec<f64> = (0..=13).map(|l| f64::from(l) / 13.0).collect();
            assert_close(&flips.share, &share, 1e-15, "share");
            for (curve, order) in [(&flips.most, "most"), (&flips.least, "least")] {
                let expected =
                    |part: &str| figures.column(&format!("{method} {name} {part} {order}"));
                let what = format!("{method}, {name}, {order}");
                assert_close(&curve.kept, &expected("curve"), near(setup), &what);
                // A row of 178 is 0.0056.
                let few = if setup.tolerance < 1e-9 { 1e-12 } else { 0.012 };
                assert_close(&curve.changed, &expected("changed"), few, &what);
            }
            let area = figures.column(&format!("{method} {name} area"));
            let found = [flips.most.area(), flips.least.area(), flips.gain()];
            assert_close(&found, &area, near(setup), method);
        }
        let expected = figures.column(&format!("{method} conservation"))[0];
        let found = conservation(&query, &relevance.clone().into());
        // The published relevances for β = 1 miss the logit by their stabiliser, 1e-9.
        let near = near(setup).max(1e-8);
        assert!((found - expected).abs() < near, "{method}: {found}, {expected}");
    }
}

pub fn agreement_of_another_program<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("measures.json");
    let named: Vec<(String, Tensor<B, 2>)> =
        others(setup).into_iter().map(|(name, relevance)| (name.to_owned(), relevance)).collect();
    let found = agreement(&named, 3);
    let near = near(setup);
    for (row, expected) in found.rank_correlation.iter().zip(figures.table("spearman")) {
        assert_close(row, &expected, near, "rank correlation");
    }
    for (row, expected) in found.overlap.iter().zip(figures.table("top")) {
        assert_close(row, &expected, near, "overlap");
    }
}

/// Two clusters: f is linear, and the loss by every feature is known.
fn linear<B: Backend>(setup: &Setup<B>) -> (Tracked<Autodiff<B>>, Rows, Rows) {
    let centroids =
        setup.rounded(&vec![vec![0.0, 0.0, 0.0, 0.0, 0.0], vec![2.0, -1.0, 0.5, 1.5, 0.25]]);
    let x = setup.rounded(&random_rows(60, 5, 0.4, 7));
    let model = KMeans::from_centroids(setup.tensor(&centroids)).expect("centroids");
    let model = model.with_beta(0.5).expect("a beta");
    (Tracked::new(model).expect("two clusters"), centroids, x)
}

/// `2 (μ_c − μ_k)_i (x_i − μ_ki)`, the loss of logit with the feature.
fn losses(centroids: &Rows, x: &Rows) -> Rows {
    let distance =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    x.iter()
        .map(|x| {
            let own = usize::from(distance(x, &centroids[1]) < distance(x, &centroids[0]));
            let (c, k) = (&centroids[own], &centroids[1 - own]);
            (0..x.len()).map(|i| 2.0 * (c[i] - k[i]) * (x[i] - k[i])).collect()
        })
        .collect()
}

/// Curves by loops; the best order and the worst one enclose all others.
pub fn the_best_order_gains_most<B: Backend>(setup: &Setup<B>) {
    let (subject, centroids, table) = linear(setup);
    let x = setup.tensor(&table);
    let background = Background::new(&subject, &x, 5).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let losses = losses(&centroids, &table);
    let perfect = setup.tensor(&losses);
    let best = flip(&query, &perfect, Reference::Competitor, 50);

    // f(x) less the losses of the replaced features.
    let logits: Vec<f64> = rows(query.logit()).concat();
    let whole: f64 = logits.iter().sum();
    for level in 0..=5 {
        let lost: f64 = losses
            .iter()
            .map(|row| {
                let mut row = row.clone();
                row.sort_by(|a, b| b.total_cmp(a));
                row[..level].iter().sum::<f64>()
            })
            .sum();
        let expected = (whole - lost) / whole;
        assert!((best.most.kept[level] - expected).abs() < 1e3 * setup.tolerance, "{level}");
    }

    let gain = |relevance: &Tensor<B, 2>| flip(&query, relevance, Reference::Competitor, 50).gain();
    let worst = gain(&perfect.clone().neg());
    assert!(best.gain() > 0.0 && (best.gain() + worst).abs() < 1e3 * setup.tolerance);
    let band = random_band(&query, Reference::Competitor, 50, 20);
    assert!(band.gain_deviation > 0.0 && best.gain() > 5.0 * band.gain_deviation);
    for name in ["neon-hard", "sensitivity", "own-distance", "random", "gradient-times-input"] {
        let method: Method = name.parse().expect("a method");
        let found = gain(&relevance(&method, &query));
        assert!(found < best.gain() && found > worst, "{name}: {found}");
        if name == "random" {
            assert!(found.abs() < 4.0 * band.gain_deviation, "{found}");
        }
    }
    assert!(best.change_gain() > 0.0);
    // Every order has the same ends.
    for curve in [&best.most, &best.least, &band.mean] {
        assert_close(&[curve.kept[0], curve.changed[0]], &[1.0, 0.0], 1e-12, "start");
        assert!((curve.kept[5] - best.most.kept[5]).abs() < 1e-4 && curve.changed[5] == 1.0);
    }
    // Fewer levels take several features at a time.
    let coarse = flip(&query, &perfect, Reference::Competitor, 2);
    let halves = [best.most.kept[0], best.most.kept[3], best.most.kept[5]];
    assert_close(&coarse.most.kept, &halves, 1e3 * setup.tolerance, "levels");
}

/// Samples come from the competing cluster, the same ones for every method.
pub fn samples_are_the_same_for_all<B: Backend>(setup: &Setup<B>) {
    let subject = kmeans(setup);
    let x = setup.tensor(&wine());
    let background = Background::new(&subject, &x, 3).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let ends = |name: &str| {
        let method: Method = name.parse().expect("a method");
        let flips = flip(&query, &relevance(&method, &query), Reference::Sample, 50);
        (*flips.most.kept.last().expect("levels"), *flips.least.changed.last().expect("levels"))
    };
    assert_eq!(ends("neon"), ends("random"));
    // With all features of a member of another cluster, every point has changed its cluster.
    assert_eq!(ends("neon").1, 1.0);
}

pub fn conservation_tells<B: Backend>(setup: &Setup<B>) {
    let subject = kmeans(setup);
    let x = setup.tensor(&wine());
    let background = Background::new(&subject, &x, 3).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let of = |relevance: Tensor<B, 2>| conservation(&query, &relevance.into());
    let shape = query.x.dims();
    let perfect = query.logit().expand(shape) / 13.0;
    assert!(of(perfect.clone()) < 10.0 * setup.tolerance);
    assert_eq!(of(perfect.zeros_like()), 1.0);
    // Twice the logit: |2 f − f| / 2 f. The opposite: 2 f / f.
    assert!((of(perfect.clone() * 2.0) - 0.5).abs() < 1e-4);
    assert!((of(perfect.clone().neg()) - 2.0).abs() < 1e-3);
    // The absorbed part belongs to the sum.
    let part = Attribution::from(perfect * 0.5).with_absorbed(query.logit() * 0.5);
    assert!(conservation(&query, &part) < 10.0 * setup.tolerance);
    // On a boundary, without relevance.
    let (subject, centroids, _) = linear(setup);
    let middle = setup.tensor(&vec![(0..5).map(|i| centroids[1][i] / 2.0).collect()]);
    let background = Background::new(&subject, &middle, 3).expect("a background");
    let query = background.query(&middle, Target::Assigned).expect("a query");
    assert_eq!(rows(query.logit()), [[0.0]]);
    assert_eq!(conservation(&query, &middle.zeros_like().into()), 0.0);
}

pub fn continuity_tells<B: Backend>(setup: &Setup<B>) {
    let subject = kmeans(setup);
    let x = setup.tensor(&wine());
    let background = Background::new(&subject, &x, 3).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let of = |method: &dyn Attribute<B>| {
        continuity(&query, method, 40).expect("a measure").expect("ways")
    };
    let constant = of(&by(|query: &Query<'_, B>| query.x.zeros_like() + 1.0));
    assert_eq!(constant, 0.0);
    assert_eq!(of(&by(|query: &Query<'_, B>| query.x.zeros_like())), 0.0);
    let (neon, hard) = (of(&Method::Neon(Beta::Value(1.0))), of(&Method::Neon(Beta::Value(1e9))));
    let jumping = of(&Method::Random);
    assert!(constant < neon && neon < hard && hard < jumping, "{neon} {hard} {jumping}");
    // Linear in x: |R' − R|₁ = |x' − x|₁, at most √13 and at least once the length.
    let linear = of(&by(|query: &Query<'_, B>| query.x.clone()));
    let spread = rows(background.deviation()).concat().iter().map(|s| s * s).sum::<f64>().sqrt();
    let mean = rows(x.clone()).iter().map(|r| r.iter().sum::<f64>()).sum::<f64>() / 178.0;
    assert!((0.5..4.5).contains(&(linear / (spread / mean))), "{linear}");
    // Neither the scale of relevances nor the unit of the data matters.
    let tenfold = of(&by(|query: &Query<'_, B>| query.x.clone() * 10.0));
    assert!((tenfold / linear - 1.0).abs() < 1e-3);
}

pub fn infidelity_tells<B: Backend>(setup: &Setup<B>) {
    let (subject, centroids, table) = linear(setup);
    let x = setup.tensor(&table);
    let background = Background::new(&subject, &x, 5).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let of = |relevance: &Tensor<B, 2>| infidelity(&query, relevance, Reference::Competitor, 64);
    let perfect = setup.tensor(&losses(&centroids, &table));
    assert!(of(&perfect) < 1e3 * setup.tolerance, "{}", of(&perfect));
    // Neither its unit nor its sign matters.
    assert!(of(&(perfect.clone() * -3.0)) < 1e3 * setup.tolerance);
    assert_eq!(of(&perfect.zeros_like()), 1.0);
    let random = of(&relevance(&Method::Random, &query));
    let constant = of(&perfect.ones_like());
    assert!(random > 0.2 && constant > 0.05, "{random}, {constant}");
    for name in ["neon-hard", "own-distance"] {
        let method: Method = name.parse().expect("a method");
        let found = of(&relevance(&method, &query));
        assert!(found > 1e3 * setup.tolerance && found < random, "{name}: {found}");
    }
}

pub fn invariance_tells<B: Backend>(setup: &Setup<B>) {
    let near = if setup.tolerance < 1e-9 { 1e-9 } else { 1e-3 };
    for subject in [kmeans(setup), kernel(setup)] {
        let x = setup.tensor(&wine()[..40].to_vec());
        let background = Background::new(&subject, &x, 3).expect("a background");
        let query = background.query(&x, Target::Assigned).expect("a query");
        let of = |method: &dyn Attribute<B>, scale: f64, shift: f64| {
            let found = invariance(&query, method, &relevance(method, &query), scale, shift);
            found.expect("a measure").expect("such a network")
        };
        for (scale, shift) in [(1.0, 3.0), (2.5, 0.0)] {
            assert!(of(&Method::Neon(Beta::Heuristic), scale, shift) < near);
            let constant = by(|query: &Query<'_, B>| query.x.ones_like());
            assert!(of(&constant, scale, shift) < 1e-6);
        }
        assert!(of(&Method::GradientTimesInput, 1.0, 3.0) > 0.1);
        assert!(of(&Method::GradientTimesInput, 2.5, 0.0) < near);
        // Depends on where the data are, and changes its sign.
        let turning = by(|query: &Query<'_, B>| {
            let far = query.x.clone().sum_dim(1).expand(query.x.dims()).greater_elem(26.0);
            let ones = query.x.ones_like();
            ones.clone().mask_where(far, ones.neg())
        });
        assert!((of(&turning, 1.0, 3.0) - 2.0).abs() < 1e-6);
    }
}

pub fn randomisation_tells<B: Backend>(setup: &Setup<B>) {
    let subject = kmeans(setup);
    let x = setup.tensor(&wine());
    let background = Background::new(&subject, &x, 3).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let of = |method: &dyn Attribute<B>| {
        randomisation(&query, method, &relevance(method, &query))
            .expect("a measure")
            .expect("ranks")
    };
    // The data alone, and the same number everywhere, which ranks nothing.
    assert!((of(&by(|query: &Query<'_, B>| query.x.clone())) - 1.0).abs() < 1e-6);
    assert_eq!(of(&by(|query: &Query<'_, B>| query.x.ones_like())), 0.0);
    let neon = of(&Method::Neon(Beta::Heuristic));
    assert!(neon < 0.6, "{neon}");

    // Shuffling two clusters makes two other clusters, not the same ones in another order.
    let (subject, _, x) = linear(setup);
    let x = setup.tensor(&x);
    let background = Background::new(&subject, &x, 3).expect("a background");
    let query = background.query(&x, Target::Assigned).expect("a query");
    let method = Method::Neon(Beta::Heuristic);
    let found = randomisation(&query, &method, &relevance(&method, &query)).expect("a measure");
    assert!(found.is_some_and(|found| found < 0.95), "{found:?}");
}

pub fn agreement_tells<B: Backend>(setup: &Setup<B>) {
    let relevance = setup.tensor(&random_rows(30, 6, 0.0, 4));
    let other = setup.tensor(&random_rows(30, 6, 0.0, 5));
    let named = [
        ("a".to_owned(), relevance.clone()),
        ("same order".to_owned(), relevance.clone() * 2.0),
        ("opposite".to_owned(), relevance.neg()),
        ("other".to_owned(), other),
    ];
    let found = agreement(&named, 2);
    let of_a = &found.rank_correlation[0];
    assert_close(&of_a[..3], &[1.0, 1.0, -1.0], 1e-12, "rank correlation");
    assert!(of_a[3].abs() < 0.4);
    assert_close(&found.overlap[0][..3], &[1.0; 3], 1e-12, "overlap");
    // Two of six by chance: a third.
    assert!((found.overlap[0][3] - 1.0 / 3.0).abs() < 0.2);
    assert_eq!((found.top, found.methods.len()), (2, 4));
}

/// One row, one feature, points on boundaries, equal rows: always finite numbers.
pub fn measures_at_the_edges<B: Backend>(setup: &Setup<B>) {
    let model = |centroids: &Rows| {
        let model = KMeans::from_centroids(setup.tensor(centroids)).expect("centroids");
        Tracked::<Autodiff<B>>::new(model.with_beta(1.0).expect("a beta")).expect("clusters")
    };
    let narrow = vec![vec![0.0], vec![2.0]];
    let wide = vec![vec![0.0, 0.0, 1.0], vec![2.0, 0.0, 1.0], vec![0.0, 4.0, 1.0]];
    let cases: [(&Rows, Rows); 4] = [
        (&narrow, vec![vec![0.3]]),
        (&narrow, vec![vec![1.0], vec![1.0], vec![1.0]]),
        (&wide, vec![vec![0.1, 0.2, 1.0]]),
        (&wide, vec![vec![1.0, 0.0, 1.0], vec![1.0, 0.0, 1.0], vec![0.5, 0.5, 1.0]]),
    ];
    for (centroids, x) in cases {
        let subject = model(centroids);
        // Slow backends skip methods of many steps.
        let quick = |method: &Method| match method {
            Method::IntegratedGradients { .. }
            | Method::SmoothGrad { .. }
            | Method::LinearSurrogate { .. }
            | Method::ShapleySampling { .. } => setup.tolerance < 1e-9,
            _ => true,
        };
        let methods = Method::all().into_iter().filter(quick).collect();
        let config = EvaluateConfig { methods, draws: 2, ..EvaluateConfig::default() };
        let found = config.run(&subject, &setup.tensor(&x), &mut |_, _, _| {}).expect("measures");
        assert_eq!(found.points, x.len());
        for method in &found.methods {
            assert!(method.refused.is_none(), "{}: {:?}", method.name, method.refused);
            let known = |measure| method.values.contains_key(&measure);
            // One feature has no order, one point no path to itself.
            assert_eq!(known(Measure::GainMean), x[0].len() > 1, "{}", method.name);
            assert_eq!(known(Measure::Randomisation), x[0].len() > 1, "{}", method.name);
            assert!(x.len() > 1 || !known(Measure::Continuity));
            assert!(known(Measure::Conservation) && known(Measure::Infidelity));
            assert!(method.values.values().all(|value| value.is_finite()));
            for flips in &method.flips {
                let numbers = [&flips.most.kept, &flips.most.changed, &flips.least.kept];
                assert!(numbers.iter().all(|all| all.iter().all(|value| value.is_finite())));
            }
        }
    }
}

/// A contrast is flipped and measured as a contrast.
pub fn evaluations<B: Backend>(setup: &Setup<B>) {
    let subject = kmeans(setup);
    let x = setup.tensor(&wine());
    let names = ["neon", "shapley-pair:mean", "own-distance", "random"];
    let methods: Vec<Method> = names.iter().map(|name| name.parse().expect("a method")).collect();
    let config = EvaluateConfig { methods, draws: 3, ..EvaluateConfig::default() };
    let mut told = Vec::new();
    let run = |config: &EvaluateConfig, told: &mut Vec<usize>| {
        config.run(&subject, &x, &mut |done, _, _| told.push(done)).expect("an evaluation")
    };
    let found = run(&config, &mut told);
    assert_eq!(told, [0, 1, 2, 3, 4]);
    assert_eq!((found.points, found.features, found.clusters), (178, 13, 3));
    let value = |method: usize, measure| found.methods[method].values[&measure];
    assert!(value(0, Measure::GainCompetitor) > value(2, Measure::GainCompetitor));
    assert!(value(2, Measure::GainCompetitor) > value(3, Measure::GainCompetitor));
    assert!(value(0, Measure::Conservation) < 1e3 * setup.tolerance);
    // The same again, except for run times.
    let again = run(&config, &mut told);
    for (a, b) in found.methods.iter().zip(&again.methods) {
        assert_eq!(a.flips, b.flips, "{}", a.name);
        let timeless = |values: &std::collections::BTreeMap<Measure, f64>| {
            let mut values = values.clone();
            values.remove(&Measure::Seconds);
            values
        };
        assert_eq!(timeless(&a.values), timeless(&b.values), "{}", a.name);
    }
    // Some of the points, and a contrast.
    let target = Target::AssignedVersus(1);
    let some = EvaluateConfig { max_points: 20, target, ..config.clone() };
    let contrast = run(&some, &mut told);
    let assigned = run(&EvaluateConfig { target: Target::Assigned, ..some.clone() }, &mut told);
    // There is more to lose against a competitor that is not the nearest.
    assert_ne!(contrast.methods[0].flips, assigned.methods[0].flips);
    let found = contrast;
    assert_eq!((found.points, found.data), (20, 178));
    assert!(found.methods.iter().all(|method| method.refused.is_none()));

    let refused =
        EvaluateConfig { levels: 0, ..config.clone() }.run(&subject, &x, &mut |_, _, _| {});
    assert!(matches!(refused, Err(Error::Config { name: "levels", .. })));
    let unlike = kernel(setup);
    let found = config.run(&unlike, &x, &mut |_, _, _| {}).expect("an evaluation");
    let reason = found.methods[1].refused.as_deref().unwrap_or_default();
    assert!(reason.contains("k-means") && found.methods[1].values.is_empty(), "{reason}");
    assert_eq!(found.agreement.methods.len(), 3);
    let _: PinnedTarget<B> = subject.pin(&x, target).expect("a question");
}
