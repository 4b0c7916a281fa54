//! The method in plain loops over `Vec<f64>`, one line a formula.

use super::Rows;

pub fn squared_distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

pub fn nearest(x: &[f64], centroids: &Rows) -> usize {
    let distances: Vec<f64> = centroids.iter().map(|c| squared_distance(x, c)).collect();
    (0..centroids.len()).fold(0, |best, k| if distances[k] < distances[best] { k } else { best })
}

/// f_c = min over k≠c of ‖x−μ_k‖² − ‖x−μ_c‖².
pub fn margin(x: &[f64], centroids: &Rows, c: usize) -> f64 {
    let own = squared_distance(x, &centroids[c]);
    (0..centroids.len())
        .filter(|k| *k != c)
        .map(|k| squared_distance(x, &centroids[k]) - own)
        .fold(f64::INFINITY, f64::min)
}

/// What the question asks: cluster, and the only competitor if there is one.
pub enum Question {
    Soft(usize),
    Against(usize, usize),
}

/// NEON by its definition: softmin shares, then the midpoint rule competitor by
/// competitor.
pub fn neon(x: &[f64], centroids: &Rows, question: &Question, beta: f64) -> Vec<f64> {
    stabilised_neon(x, centroids, question, beta, 0.0)
}

/// The same with the denominator z replaced by `z + epsilon sign(z)`.
pub fn stabilised_neon(
    x: &[f64],
    centroids: &Rows,
    question: &Question,
    beta: f64,
    epsilon: f64,
) -> Vec<f64> {
    let (c, competitors): (usize, Vec<usize>) = match question {
        Question::Soft(c) => (*c, (0..centroids.len()).filter(|k| k != c).collect()),
        Question::Against(c, k) => (*c, vec![*k]),
    };
    let terms: Vec<Vec<f64>> = competitors
        .iter()
        .map(|&k| {
            (0..x.len())
                .map(|i| {
                    let weight = 2.0 * (centroids[c][i] - centroids[k][i]);
                    let midpoint = 0.5 * (centroids[c][i] + centroids[k][i]);
                    (x[i] - midpoint) * weight
                })
                .collect()
        })
        .collect();
    let h: Vec<f64> = terms.iter().map(|term| term.iter().sum()).collect();
    let f = h.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = h.iter().map(|h| (-beta * (h - f)).exp()).collect();
    let total: f64 = weights.iter().sum();
    (0..x.len())
        .map(|i| {
            (0..h.len())
                .map(|k| terms[k][i] / (h[k] + epsilon * h[k].signum()) * (weights[k] / total) * f)
                .sum::<f64>()
        })
        .collect()
}

/// The secant pass of k-means by its definition: the same shares, and what made every contrast on
/// the way from a root, which bisection finds on the line to the competitor (to c, from outside).
pub fn from_root(
    x: &[f64],
    centroids: &Rows,
    question: &Question,
    beta: f64,
    lambda: f64,
) -> Vec<f64> {
    let (c, competitors): (usize, Vec<usize>) = match question {
        Question::Soft(c) => (*c, (0..centroids.len()).filter(|k| k != c).collect()),
        Question::Against(c, k) => (*c, vec![*k]),
    };
    let contrast = |x: &[f64], k: usize| {
        squared_distance(x, &centroids[k]) - squared_distance(x, &centroids[c])
    };
    let between = |a: &[f64], b: &[f64], t: f64| -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| a + t * (b - a)).collect()
    };
    let h: Vec<f64> = competitors.iter().map(|k| contrast(x, *k)).collect();
    let f = h.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = h.iter().map(|h| (-beta * (h - f)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let mut sum = vec![0.0; x.len()];
    for ((k, h), weight) in competitors.iter().zip(&h).zip(&weights) {
        let start = between(&centroids[c], x, lambda);
        let inside = contrast(&start, *k) >= 0.0;
        let end = &centroids[if inside { *k } else { c }];
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            let same = (contrast(&between(&start, end, middle), *k) >= 0.0) == inside;
            if same { low = middle } else { high = middle }
        }
        let root = between(&start, end, low);
        for i in 0..x.len() {
            let slope = 2.0 * (centroids[c][i] - centroids[*k][i]);
            sum[i] += weight / total * f / h * slope * (x[i] - root[i]);
        }
    }
    sum
}

/// softmax over k of −b ‖x−μ_k‖².
pub fn soft_assignment(x: &[f64], centroids: &Rows, stiffness: f64) -> Vec<f64> {
    let least = centroids.iter().map(|c| squared_distance(x, c)).fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> =
        centroids.iter().map(|c| (-stiffness * (squared_distance(x, c) - least)).exp()).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

fn minus(a: &Rows, b: &Rows) -> Rows {
    let row = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a - b).collect();
    a.iter().zip(b).map(row).collect()
}

fn dot(a: &Rows, b: &Rows) -> f64 {
    a.iter().flatten().zip(b.iter().flatten()).map(|(a, b)| a * b).sum()
}

/// Lloyd's algorithm until no label changes, plain or with momentum: centroids, labels and inertia. With
/// momentum, centroid t + 1 is m_t + μ_t (m_t − m_{t−1}) of the means m, where μ_t = (s_t − 1) / s_{t+1}, at
/// most 0.9, s_{t+1} = (1 + √(1 + 4 s_t²)) / 2 and s_1 = 1; it starts again where the last step points back.
/// No cluster may run empty.
pub fn lloyd(x: &Rows, mut centroids: Rows, momentum: bool) -> (Rows, Vec<usize>, f64) {
    let mut labels = Vec::new();
    let (mut before, mut s): (Option<Rows>, f64) = (None, 1.0);
    let mut is_plain = true;
    loop {
        let new: Vec<usize> = x.iter().map(|row| nearest(row, &centroids)).collect();
        let is_same = new == labels;
        if is_same && is_plain {
            let inertia = x
                .iter()
                .zip(&labels)
                .map(|(row, &k): (&Vec<f64>, &usize)| squared_distance(row, &centroids[k]))
                .sum();
            return (centroids, labels, inertia);
        }
        labels = new;
        let mut means = centroids.clone();
        for (k, mean) in means.iter_mut().enumerate() {
            let members: Vec<&Vec<f64>> = x
                .iter()
                .zip(&labels)
                .filter(|(_, label)| **label == k)
                .map(|(row, _)| row)
                .collect();
            assert!(!members.is_empty(), "cluster {k} ran empty");
            for (i, value) in mean.iter_mut().enumerate() {
                *value = members.iter().map(|row| row[i]).sum::<f64>() / members.len() as f64;
            }
        }
        let mut next = means.clone();
        let way = before.filter(|_| momentum && !is_same).map(|before| minus(&means, &before));
        let way = way.filter(|way| dot(&minus(&means, &centroids), way) >= 0.0);
        let from = if way.is_some() { s } else { 1.0 };
        s = (1.0 + (1.0 + 4.0 * from * from).sqrt()) / 2.0;
        let part = ((from - 1.0) / s).min(0.9);
        for (next, way) in next.iter_mut().zip(way.iter().flatten()) {
            next.iter_mut().zip(way).for_each(|(next, way)| *next += part * way);
        }
        is_plain = next == means;
        (before, centroids) = (Some(means), next);
    }
}
