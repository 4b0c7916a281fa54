//! The rules of affine layers as loops over a matrix, from their definitions.

use burn_lrp::{Formula, Rule};

/// `z_k = Σ_j a_j w[k][j] + b[k]`.
#[derive(Debug, Clone)]
pub struct Matrix {
    pub weight: Vec<Vec<f64>>,
    pub bias: Vec<f64>,
}

/// The relevance of the inputs by a rule.
pub struct Found {
    pub inputs: Vec<f64>,
    /// What the bias absorbs.
    pub bias: f64,
    /// By how much rounding grows where numbers cancel in a denominator.
    pub condition: f64,
}

/// A term of a rule of a user.
pub struct Term {
    pub factor: f64,
    /// Whether an output counts.
    pub output: fn(f64) -> bool,
    /// What an input contributes through a weight.
    pub contribution: fn(f64, f64) -> f64,
    pub bias: fn(f64) -> f64,
}

/// The relevance of the inputs by a sum of terms.
pub fn by_terms(terms: &[Term], epsilon: f64, m: &Matrix, a: &[f64], r: &[f64]) -> Found {
    let mut found = Found { inputs: vec![0.0; a.len()], bias: 0.0, condition: 1.0 };
    for (k, row) in m.weight.iter().enumerate() {
        let z: f64 = a.iter().zip(row).map(|(a, w)| a * w).sum::<f64>() + m.bias[k];
        for term in terms.iter().filter(|term| (term.output)(z)) {
            let each: Vec<f64> =
                a.iter().zip(row).map(|(a, w)| (term.contribution)(*a, *w)).collect();
            let bias = (term.bias)(m.bias[k]);
            let below = each.iter().sum::<f64>() + bias;
            let below = if below < 0.0 { below - epsilon } else { below + epsilon };
            if below == 0.0 {
                continue;
            }
            let size = each.iter().map(|c| c.abs()).sum::<f64>() + bias.abs();
            found.condition = found.condition.max(size / below.abs());
            for (input, contribution) in found.inputs.iter_mut().zip(&each) {
                *input += term.factor * contribution / below * r[k];
            }
            found.bias += term.factor * bias / below * r[k];
        }
    }
    found
}

pub fn relevance(rule: &Rule, m: &Matrix, a: &[f64], r: &[f64]) -> Found {
    let mut inputs = vec![0.0; a.len()];
    let mut absorbed = 0.0;
    let mut condition = 1.0_f64;
    for (k, row) in m.weight.iter().enumerate() {
        let b = m.bias[k];
        let z: Vec<f64> = a.iter().zip(row).map(|(a, w)| a * w).collect();
        let sum: f64 = z.iter().sum::<f64>() + b;
        let up = |v: f64| v.max(0.0);
        let down = |v: f64| v.min(0.0);
        let parts = |f: &dyn Fn(f64) -> f64| (z.iter().map(|z| f(*z)).collect::<Vec<_>>(), f(b));
        // Numerators, that of the bias, and the factor of each such sum.
        let sides: Vec<((Vec<f64>, f64), f64)> = match *rule.formula() {
            Formula::Zero | Formula::Epsilon(_) => vec![(parts(&|v| v), 1.0)],
            Formula::Gamma(gamma) if sum > 0.0 => vec![(parts(&|v| v + gamma * up(v)), 1.0)],
            Formula::Gamma(gamma) if sum < 0.0 => vec![(parts(&|v| v + gamma * down(v)), 1.0)],
            Formula::Gamma(_) => Vec::new(),
            Formula::ZPlus => vec![(parts(&up), 1.0)],
            Formula::AlphaBeta { alpha, beta } => vec![(parts(&up), alpha), (parts(&down), -beta)],
            Formula::WSquare => {
                vec![((row.iter().map(|w| w * w).collect(), b * b), 1.0)]
            }
            Formula::Flat => {
                vec![((row.iter().map(|w| f64::from(u8::from(*w != 0.0))).collect(), 0.0), 1.0)]
            }
            Formula::Box { low, high } => {
                let each = a.iter().zip(row).map(|(a, w)| a * w - low * up(*w) - high * down(*w));
                vec![((each.collect(), 0.0), 1.0)]
            }
            ref other => panic!("{other:?} is not a rule of a matrix"),
        };
        for ((numerators, bias), factor) in sides {
            let below: f64 = numerators.iter().sum::<f64>() + bias;
            let below = match *rule.formula() {
                Formula::Epsilon(epsilon) if below < 0.0 => below - epsilon,
                Formula::Epsilon(epsilon) => below + epsilon,
                _ => below,
            };
            if below == 0.0 {
                continue;
            }
            let size: f64 = numerators.iter().map(|n| n.abs()).sum::<f64>() + bias.abs();
            condition = condition.max(size / below.abs());
            for (input, numerator) in inputs.iter_mut().zip(&numerators) {
                *input += factor * numerator / below * r[k];
            }
            absorbed += factor * bias / below * r[k];
        }
    }
    Found { inputs, bias: absorbed, condition }
}
