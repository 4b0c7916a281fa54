//! What the kernels answer on a backend.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use neuralize_kernels::transfer::{download, download_indices, upload};
use neuralize_kernels::{
    Affine, Flag, Kernels, Question, Scores, TensorAnswer, assign_and_sum, explain,
    explain_supports, kernels, logits, nearest_with_logit, own_distances, sums_and_squares,
    support_scores, within,
};

/// Every kernel that a backend has, or a panic where one does not serve it.
pub fn answers<B: Backend>(dtype: DType) -> Vec<Vec<f64>> {
    crate::settle_precision();
    let is_host = match kernels::<B>() {
        Kernels::Cpu { .. } => true,
        Kernels::Gpu { .. } => false,
        other => panic!("there are no kernels: {other}"),
    };
    let device = B::Device::default();
    let numbers = |count: usize, step: f64| -> Vec<f64> {
        (0..count).map(|i| (step * i as f64 * i as f64).sin()).collect()
    };
    let table = |rows, step| upload::<B, 2>(numbers(rows * 7, step), [rows, 7], &device, dtype);
    let (x, centroids, center) = (table(37, 0.1), table(6, 0.3), table(1, 0.7));
    let affine = Affine::new(center.clone(), Scores::of(centroids.clone() - center.clone()));
    let weights: Tensor<B, 1> = upload(vec![0.5; 37], [37], &device, dtype);
    let question = Question { cluster: None, versus: None, beta: 1.5 };
    let mut found = Vec::new();

    let (labels, margins) = nearest_with_logit(&x, &affine);
    found.push(download_indices(labels.clone()).iter().map(|&label| label as f64).collect());
    found.push(download(margins));
    let (_, totals) = assign_and_sum(&x, &weights, &affine);
    found.extend([download(totals.sums), download(totals.weights)]);
    let mut push = |answer: TensorAnswer<B>| {
        found.extend([answer.relevance, answer.shares].map(download));
        found.push(download(answer.logit));
    };
    push(explain(&x, &affine, question).expect("explanations"));
    if !is_host {
        return found;
    }
    let sizes = [2, 1, 3];
    let (answer, absorbed) =
        explain_supports(&x, &affine, &sizes, 0.5, question).expect("of supports");
    push(answer);
    found.push(download(absorbed));
    let scores = support_scores(&x, &affine, &sizes, 0.5).expect("scores of supports");
    found.push(download(scores));
    found.push(download(logits(&x, &affine).expect("logits of all clusters")));
    found.push(download(own_distances(&x, Some(&center), &centroids, &labels)));
    let (sums, squares) = sums_and_squares(&x, &center, &weights);
    found.extend([sums, squares]);
    assert!(matches!(within(&x, 2.0), Flag::Known(true)), "a check on the host");
    found
}
