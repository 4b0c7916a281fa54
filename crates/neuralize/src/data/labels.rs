//! Labels of a table as numbers.

use std::collections::HashMap;

use crate::text::canonical;

/// The class of every row, and the names of the classes in the order of their
/// text. Rows without a label form a class of their own.
pub(crate) fn classes(labels: &[String]) -> (Vec<usize>, Vec<String>) {
    const NO_LABEL: &str = "(no label)";
    let text = |label: &String| if label.is_empty() { NO_LABEL.to_owned() } else { label.clone() };
    let mut names: Vec<String> = labels.iter().map(text).collect();
    names.sort();
    names.dedup();
    let numbers = numbers(&names);
    let of = labels.iter().map(|label| numbers[text(label).as_str()]).collect();
    drop(numbers);
    (of, names)
}

/// The cluster of every row (`None` for noise), and the names of the clusters:
/// ordered as numbers if all of them are numbers, as text otherwise.
pub(crate) fn clusters(
    labels: &[String],
    noise: &[impl AsRef<str>],
) -> (Vec<Option<usize>>, Vec<String>) {
    let kept = |label: &&String| !is_noise(label, noise);
    let mut names: Vec<String> = labels.iter().filter(kept).cloned().collect();
    names.sort_unstable();
    names.dedup();
    let number = |name: &str| name.parse::<f64>();
    let are_numbers = names.iter().all(|name| number(name).is_ok());
    // Equal numbers are one cluster, however they are written.
    let name = |label: &str| {
        if are_numbers { canonical(label).into_owned() } else { label.to_owned() }
    };
    if are_numbers {
        names = names.iter().map(|label| name(label)).collect();
        let number = |name: &str| number(name).unwrap_or(f64::NAN);
        names.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
        names.dedup();
    }
    let numbers = numbers(&names);
    let of = |label: &String| {
        if kept(&label) { numbers.get(name(label).as_str()).copied() } else { None }
    };
    let of = labels.iter().map(of).collect();
    drop(numbers);
    (of, names)
}

/// An empty label, or one that is given as noise: `-1` and `-1.0` are the same.
fn is_noise(label: &str, noise: &[impl AsRef<str>]) -> bool {
    let number = label.parse::<f64>().ok();
    let same =
        |noise: &str| noise == label || (number.is_some() && number == noise.parse::<f64>().ok());
    label.trim().is_empty() || noise.iter().any(|noise| same(noise.as_ref()))
}

fn numbers(names: &[String]) -> HashMap<&str, usize> {
    names.iter().enumerate().map(|(number, name)| (name.as_str(), number)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(labels: &[&str]) -> Vec<String> {
        labels.iter().map(|label| (*label).to_owned()).collect()
    }

    #[test]
    fn clusters_are_in_the_order_of_their_numbers() {
        let (of, names) = clusters(&owned(&["10", "9", "-1.0", "", "10"]), &["-1"]);
        assert_eq!(names, ["9", "10"]);
        assert_eq!(of, [Some(1), Some(0), None, None, Some(1)]);
        let (of, names) = clusters(&owned(&["b", "10", "9", " "]), &["none"]);
        assert_eq!(names, ["10", "9", "b"]);
        assert_eq!(of, [Some(2), Some(0), Some(1), None]);
        // Equal numbers are one cluster; integers that a float cannot hold are not equal.
        let (of, names) = clusters(&owned(&["1.0", "1", "0"]), &["-1"]);
        assert_eq!((of, names), (vec![Some(1), Some(1), Some(0)], owned(&["0", "1"])));
        let large = owned(&["9007199254740993", "9007199254740992"]);
        assert_eq!(clusters(&large, &["-1"]).0, [Some(1), Some(0)]);
    }

    #[test]
    fn rows_without_a_label_are_a_class() {
        let (of, names) = classes(&owned(&["b", "", "a"]));
        assert_eq!((of, names), (vec![2, 0, 1], owned(&["(no label)", "a", "b"])));
    }
}
