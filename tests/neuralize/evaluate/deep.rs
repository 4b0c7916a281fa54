//! Deep k-means as a network of rows, and as a subject.

use burn::backend::Autodiff;
use burn::module::{Module, Param, ParamId};
use burn::nn::{Linear, Relu};
use burn::tensor::backend::Backend;
use burn_lrp::{Node, Relevance};
use neuralize::baseline::{Subject, Tracked, TrackedDeepKMeans};
use neuralize::cluster::KMeans;
use neuralize::deep::{DeepKMeans, DeepQuestion, NeuralizedDeepKMeans, Pass};
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;

use crate::suite::{
    Rows, Setup, assert_close, assert_rows_close, indices, random_rows, rows, values,
};

#[derive(Module, Debug)]
pub struct Encoder<B: Backend> {
    hidden: Linear<B>,
    code: Linear<B>,
}

impl<B: Backend> Relevance<B> for Encoder<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("hidden", &self.hidden)?.then("relu", &Relu)?.then("code", &self.code)
    }
}

fn model<B: Backend>(setup: &Setup<B>) -> DeepKMeans<B, Encoder<B>> {
    let linear = |from: usize, to: usize, seed: u64| Linear {
        weight: Param::initialized(ParamId::new(), setup.tensor(&random_rows(from, to, 0.0, seed))),
        bias: Some(Param::initialized(
            ParamId::new(),
            setup.column(&random_rows(1, to, 0.0, seed + 1)[0]),
        )),
    };
    let encoder = Encoder { hidden: linear(5, 6, 10), code: linear(6, 3, 12) };
    let head = setup.kmeans(&random_rows(4, 3, 0.0, 14)).with_beta(0.7).expect("a beta");
    DeepKMeans::new(encoder, head)
}

fn data<B: Backend>(setup: &Setup<B>) -> Rows {
    setup.rounded(&random_rows(40, 5, 0.3, 20))
}

/// Logits are those of the codes, the pass is that of the model, centroids are means of members.
pub fn a_deep_network_is_its_model<B: Backend>(setup: &Setup<B>) {
    let (model, table) = (model(setup), data(setup));
    let x = setup.tensor(&table);
    let model = model.with_roots([x.clone()]).unwrap();
    let network = NeuralizedDeepKMeans::new(model.clone(), &x, DeepQuestion::default()).unwrap();
    let head = model.neuralize().unwrap();
    let codes = model.codes(x.clone()).unwrap();
    let of_codes = rows(head.forward(codes).unwrap());
    let found = rows(network.forward(x.clone()).unwrap());
    assert_rows_close(&found, &of_codes, 10.0 * setup.tolerance, "logits");

    for target in [Target::Assigned, Target::Contrast { cluster: 2, versus: 0 }] {
        let question = DeepQuestion::default().with_target(target).with_beta(0.7);
        let whole = model.explain(&x, &question).unwrap();
        let found = network.explain(&x, target, Beta::Heuristic).unwrap();
        let near = 10.0 * setup.tolerance;
        assert_rows_close(
            &rows(found.relevance.clone()),
            &rows(whole.relevance),
            near,
            "relevance",
        );
        let amount = values(found.absorbed[0].amount.clone());
        assert_close(&amount, &values(whole.absorbed), near, "absorbed");
        let error = values(found.conservation_error()).into_iter().fold(0.0, f64::max);
        assert!(error < 100.0 * setup.tolerance, "{error}");
    }

    let labels = indices(model.predict(x).unwrap());
    let places = rows(network.centroids());
    for (cluster, place) in places.iter().enumerate() {
        let members: Vec<usize> = (0..40).filter(|row| labels[*row] == cluster).collect();
        let members = if members.is_empty() { (0..40).collect() } else { members };
        for (feature, found) in place.iter().enumerate() {
            let mean: f64 =
                members.iter().map(|row| table[*row][feature]).sum::<f64>() / members.len() as f64;
            assert!((mean - found).abs() < 10.0 * setup.tolerance, "{mean}, {found}");
        }
    }
}

/// Slopes go through the encoder; a shuffled head keeps it.
pub fn slopes_through_an_encoder<B: Backend>(setup: &Setup<B>) {
    let (model, table) = (model(setup), data(setup));
    let x = setup.tensor(&table);
    let subject = TrackedDeepKMeans::<Autodiff<B>, Encoder<Autodiff<B>>>::new(
        model.clone(),
        &x,
        DeepQuestion::default(),
    )
    .unwrap();
    let pinned = subject.pin(&x, Target::Assigned).unwrap();
    let slope = rows(subject.slope(&x, &pinned));
    let (step, near) = if setup.tolerance < 1e-9 { (1e-6, 1e-6) } else { (1e-2, 3e-2) };
    let mut compared = 0;
    for feature in 0..5 {
        let logit = |by: f64| {
            let mut table = table.clone();
            table.iter_mut().for_each(|row| row[feature] += by);
            rows(subject.logit(&setup.tensor(&table), &pinned))
        };
        let (above, at, below) = (logit(step), logit(0.0), logit(-step));
        for row in 0..40 {
            let (up, down) = (above[row][0] - at[row][0], at[row][0] - below[row][0]);
            // A kink between the two points has no slope.
            if (up - down).abs() < near * step * (1.0 + up.abs() / step) {
                let found = slope[row][feature];
                let difference = (up + down) / (2.0 * step);
                assert!((found - difference).abs() < near * (1.0 + difference.abs()));
                compared += 1;
            }
        }
    }
    assert!(compared > 120, "{compared}");

    assert!(subject.transformed(2.0, 1.0).unwrap().is_none());
    let shuffled = subject.randomised(3).unwrap().unwrap();
    let network = shuffled.network();
    assert_eq!((network.n_features(), network.n_clusters()), (5, 4));
    let logits = |network: &dyn Network<B>| rows(network.forward(x.clone()).unwrap());
    assert_ne!(logits(network), logits(subject.network()));
}

/// Deep k-means with an encoder that does nothing is plain k-means.
pub fn an_encoder_that_does_nothing<B: Backend>(setup: &Setup<B>) {
    #[derive(Module, Debug)]
    struct Nothing<B: Backend> {
        same: Linear<B>,
    }
    impl<B: Backend> Relevance<B> for Nothing<B> {
        fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
            x.then("same", &self.same)
        }
    }
    let identity: Rows =
        (0..5).map(|i| (0..5).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let weight = Param::initialized(ParamId::new(), setup.tensor(&identity));
    let head: KMeans<B> = setup.kmeans(&random_rows(3, 5, 0.0, 30)).with_beta(0.5).unwrap();
    let x = setup.tensor(&data(setup));
    let deep = DeepKMeans::new(Nothing { same: Linear { weight, bias: None } }, head.clone());
    let deep = TrackedDeepKMeans::<Autodiff<B>, Nothing<Autodiff<B>>>::new(
        deep,
        &x,
        // By secants it is NEON from midway between means of rows, which are not the centroids here.
        DeepQuestion::default().with_pass(Pass::gamma()),
    )
    .unwrap();
    let plain = Tracked::<Autodiff<B>>::new(head).unwrap();
    let pinned = plain.pin(&x, Target::Assigned).unwrap();
    let near = 10.0 * setup.tolerance;
    let both = |of: &dyn Fn(&dyn Subject<B>) -> Rows| (of(&deep), of(&plain));
    let (found, expected) = both(&|subject| rows(subject.slope(&x, &pinned)));
    assert_rows_close(&found, &expected, near, "slopes");
    let (found, expected) = both(&|subject| rows(subject.logit(&x, &pinned)));
    assert_rows_close(&found, &expected, near, "logits");
    let explained = |subject: &dyn Subject<B>| {
        let network = subject.network();
        rows(network.explain(&x, Target::Assigned, Beta::Heuristic).unwrap().relevance)
    };
    let (found, expected) = both(&explained);
    assert_rows_close(&found, &expected, near, "relevances");
}
