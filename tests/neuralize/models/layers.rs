//! NEON as layers of `burn_lrp`, against NEON's own pass and against loops.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_lrp::{AnyTensor, Composite, Layer, Relevance, Rule, Selector, Step, Tape};
use neuralize::explain::{Beta, Target};
use neuralize::network::{Network, SoftMaxPool, SoftMinPool};

use super::super::suite::*;

/// The relevance of the logit of one cluster in every row.
fn pass<B: Backend>(
    network: &impl Relevance<B>,
    x: &Tensor<B, 2>,
    clusters: &[usize],
    beta: f64,
) -> (Rows, Rows) {
    let tape = Tape::new();
    let input = tape.input("x", x.clone());
    let logits = input.then("network", network).unwrap();
    let composite =
        Composite::new().with(Selector::kind("MinPool"), Rule::take_most(beta).unwrap());
    let plan = logits.plan(&composite).unwrap();
    let table = rows(logits.tensor().unwrap());
    let mut seed = vec![0.0; table.len() * table[0].len()];
    for (n, cluster) in clusters.iter().enumerate() {
        seed[n * table[0].len() + cluster] = table[n][*cluster];
    }
    let seed = Tensor::<B, 1>::from_data(
        burn::tensor::TensorData::new(seed, [table.concat().len()]).convert_dtype(x.dtype()),
        (&x.device(), x.dtype()),
    );
    let seed = AnyTensor::from(seed).reshape(&logits.value().dims()).unwrap();
    let relevances = plan.run(seed).unwrap();
    (table, rows(relevances.of(&input).unwrap().tensor().unwrap()))
}

/// Distances with min-pooling, and the two layers of the literature, are NEON.
pub fn neon_layer_by_layer<B: Backend>(setup: &Setup<B>) {
    let centroids = setup.rounded(&random_rows(4, 6, 0.3, 91));
    let x = setup.rounded(&random_rows(12, 6, 0.3, 92));
    let kmeans = setup.kmeans(&centroids);
    let network = kmeans.neuralize().unwrap();
    let dense = network.dense_layers().unwrap();
    let table = setup.tensor(&x);
    for beta in [0.0, 0.8, 50.0, f64::INFINITY] {
        for target in [Target::Assigned, Target::Cluster(1)] {
            let explanation = network.explain(&table, target, Beta::Value(beta)).unwrap();
            let clusters = indices(explanation.cluster);
            let expected = rows(explanation.relevance);
            for (name, (logits, found)) in [
                ("distances", pass(&network, &table, &clusters, beta)),
                ("two layers", pass(&dense, &table, &clusters, beta)),
            ] {
                let margins: Rows = x
                    .iter()
                    .map(|x| (0..4).map(|c| naive::margin(x, &centroids, c)).collect())
                    .collect();
                assert_rows_close(&logits, &margins, 5.0 * setup.tolerance, name);
                // f32 divides by distances and margins that may be small.
                let tolerance = 50.0 * setup.tolerance;
                assert_rows_close(
                    &found,
                    &expected,
                    tolerance,
                    &format!("{name}, {target:?}, {beta}"),
                );
            }
        }
    }
}

/// Relevance of several clusters at once is the sum of that of each.
pub fn min_pool_is_linear_in_relevance<B: Backend>(setup: &Setup<B>) {
    let network = setup.kmeans(&random_rows(3, 4, 0.0, 93)).neuralize().unwrap();
    let x = setup.tensor(&random_rows(5, 4, 0.0, 94));
    let tape = Tape::new();
    let input = tape.input("x", x);
    let logits = input.then("network", &network).unwrap();
    let plan = logits.plan(&Composite::default()).unwrap();
    let run =
        |seed: Tensor<B, 2>| rows(plan.run(seed).unwrap().of(&input).unwrap().tensor().unwrap());
    let seed = setup.tensor(&random_rows(5, 3, 1.0, 95));
    let whole = run(seed.clone());
    let mut sum = vec![vec![0.0; 4]; 5];
    for cluster in 0..3 {
        let only = Tensor::cat(
            (0..3)
                .map(|c| {
                    let column = seed.clone().narrow(1, c, 1);
                    if c == cluster { column } else { column.zeros_like() }
                })
                .collect(),
            1,
        );
        for (sum, part) in sum.iter_mut().zip(run(only)) {
            sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    }
    assert_rows_close(&whole, &sum, 50.0 * setup.tolerance, "relevance");
}

/// Softmax shares of the inputs, by the definition; and refused inputs.
pub fn soft_pools_as_layers<B: Backend>(setup: &Setup<B>) {
    let h = setup.rounded(&random_rows(4, 5, 0.0, 96));
    let input = [AnyTensor::from(setup.tensor(&h))];
    let r = setup.rounded(&random_rows(4, 1, 0.0, 97));
    let max = SoftMaxPool::<B>::new(1.5, &setup.device, setup.dtype).unwrap();
    let min = SoftMinPool::<B>::new(1.5, &setup.device, setup.dtype).unwrap();
    for (sign, layer) in [(1.0, &max as &dyn Layer<B>), (-1.0, &min)] {
        for (rule, gamma) in [(layer.default_rule(), 1.5), (Rule::take_most(0.3).unwrap(), 0.3)] {
            let output = layer.forward(&input).unwrap();
            assert_eq!(output.dims(), [4, 1]);
            let relevance = AnyTensor::from(setup.tensor(&r));
            let step = Step::new(&input, &output, &relevance).with_report(true);
            let found = rows(layer.relevance(&step, &rule).unwrap().inputs[0].tensor().unwrap());
            let pooled = rows(output.tensor().unwrap());
            for n in 0..4 {
                let weights: Vec<f64> = h[n].iter().map(|h| (sign * gamma * h).exp()).collect();
                let total: f64 = weights.iter().sum();
                let shares: Rows = vec![weights.iter().map(|w| w / total * r[n][0]).collect()];
                assert_rows_close(
                    &vec![found[n].clone()],
                    &shares,
                    10.0 * setup.tolerance,
                    "shares",
                );
                let mean = h[n].iter().map(|h| (sign * 1.5 * h).exp()).sum::<f64>() / 5.0;
                assert_close(&pooled[n], &[sign * mean.ln() / 1.5], 10.0 * setup.tolerance, "pool");
            }
        }
    }
    let flat = [AnyTensor::from(setup.column(&[1.0, 2.0]))];
    assert!(Layer::<B>::forward(&max, &flat).is_err());
    assert!(Layer::<B>::forward(&neuralize::network::MinPool, &flat).is_err());
    let one = [AnyTensor::from(setup.tensor(&vec![vec![1.0]]))];
    assert!(Layer::<B>::forward(&neuralize::network::MinPool, &one).is_err());
}
