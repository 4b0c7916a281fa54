//! Slopes, and clusterers with other parameters.

use burn::tensor::backend::Backend;
use neuralize::baseline::Subject;
use neuralize::explain::Target;

use super::figures::{kernel, kmeans, wine};
use crate::suite::{Setup, rows};

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
