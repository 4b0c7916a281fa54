//! Means and deviations over seeds, and tables of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use neuralize::evaluate::{Better, Evaluation, Measure};

/// The value for every seed, by method and measure.
type Values = BTreeMap<(usize, Measure), Vec<f64>>;

/// The value for every seed, by data set, model, method and measure.
#[derive(Default)]
pub(crate) struct Results {
    values: BTreeMap<(usize, usize), Values>,
    sets: Vec<String>,
    models: Vec<String>,
    methods: Vec<String>,
    /// The largest Σ|R| / f of a point for every seed, by model, method and data set.
    sizes: BTreeMap<(usize, String), BTreeMap<usize, Vec<f64>>>,
}

impl Results {
    pub(crate) fn add(&mut self, set: &str, model: &str, evaluation: &Evaluation) {
        let at = (place(&mut self.sets, set), place(&mut self.models, model));
        for method in &evaluation.methods {
            let name = place(&mut self.methods, &method.name);
            for (measure, value) in &method.values {
                let values = self.values.entry(at).or_default();
                values.entry((name, *measure)).or_default().push(*value);
            }
        }
    }

    pub(crate) fn add_sizes(&mut self, set: &str, model: &str, sizes: &[(String, f64)]) {
        let (set, model) = (place(&mut self.sets, set), place(&mut self.models, model));
        for (method, size) in sizes {
            let of_method = self.sizes.entry((model, method.clone())).or_default();
            of_method.entry(set).or_default().push(*size);
        }
    }

    /// How large relevances are for the logit that they sum to, at the worst point.
    pub(crate) fn sizes(&self) -> String {
        let mut text = "### The largest Σ\\|R\\| / f of a point\n\n| model | method | median data set | worst data set |\n|---|---|---:|---:|\n".to_owned();
        for ((model, method), of_sets) in &self.sizes {
            let means: Vec<f64> = of_sets.values().map(|values| spread(values).0).collect();
            let worst = means.iter().copied().fold(0.0, f64::max);
            let (model, middle) = (&self.models[*model], median(means));
            let _ = writeln!(text, "| {model} | {method} | {middle:.1} | {worst:.0} |");
        }
        text
    }

    /// One line for every number. Run times are left out, so that the file is the same for
    /// every run.
    pub(crate) fn csv(&self) -> String {
        let mut text = "data,model,method,measure,mean,deviation,seeds\n".to_owned();
        for ((set, model), values) in &self.values {
            for ((method, measure), values) in values {
                if *measure == Measure::Seconds {
                    continue;
                }
                let (mean, deviation) = spread(values);
                let (set, model) = (&self.sets[*set], &self.models[*model]);
                let method = &self.methods[*method];
                let count = values.len();
                let _ = writeln!(
                    text,
                    "{set},{model},{method},{measure},{mean:.5},{deviation:.5},{count}"
                );
            }
        }
        text
    }

    /// A table for every model: methods by measures, medians over data sets.
    pub(crate) fn tables(&self) -> String {
        (0..self.models.len()).map(|model| self.table(model)).collect::<Vec<_>>().join("\n")
    }

    fn table(&self, model: usize) -> String {
        let of_model = || self.values.iter().filter(|((_, found), _)| *found == model);
        let measures: BTreeSet<Measure> =
            of_model().flat_map(|(_, values)| values.keys().map(|(_, measure)| *measure)).collect();
        let sets = of_model().count();
        // (median over data sets of means over seeds, and of deviations, data sets)
        let cell = |method: usize, measure: Measure| -> Option<(f64, f64, usize)> {
            let found = of_model().filter_map(|(_, values)| values.get(&(method, measure)));
            let found: Vec<(f64, f64)> = found.map(|values| spread(values)).collect();
            let count = found.len();
            let middle = |part: fn(&(f64, f64)) -> f64| median(found.iter().map(part).collect());
            (count > 0).then(|| (middle(|found| found.0), middle(|found| found.1), count))
        };
        let mut text = format!("### {}\n\n| method |", self.models[model]);
        for measure in &measures {
            let arrow = match measure.better() {
                Better::Higher => "↑",
                Better::Lower => "↓",
            };
            let _ = write!(text, " {} {arrow} |", measure.title());
        }
        text += "\n|---|";
        text += &"---:|".repeat(measures.len());
        text.push('\n');
        for (method, name) in self.methods.iter().enumerate() {
            let cells: Vec<_> = measures.iter().map(|measure| cell(method, *measure)).collect();
            let Some((_, _, count)) = cells.iter().flatten().next() else { continue };
            let few = if *count < sets { format!(" ({count} of {sets})") } else { String::new() };
            let _ = write!(text, "| {name}{few} |");
            for (found, measure) in cells.iter().zip(&measures) {
                match found {
                    None => text += " |",
                    Some((mean, deviation, count)) => {
                        let best = *count == sets
                            && name != "random"
                            && (0..self.methods.len()).all(|other| {
                                let is_random = self.methods[other] == "random";
                                let other = cell(other, *measure).filter(|cell| cell.2 == sets);
                                other.is_none_or(|(other, _, _)| match measure.better() {
                                    _ if is_random => true,
                                    Better::Higher => other <= *mean + 0.005,
                                    Better::Lower => other >= *mean - resolution(*measure),
                                })
                            });
                        let mark = if best { "**" } else { "" };
                        let _ =
                            write!(text, " {mark}{}{mark} |", shown(*measure, *mean, *deviation));
                    }
                }
            }
            text.push('\n');
        }
        text
    }
}

impl Results {
    /// The gain to the competitor of every method on every data set.
    pub(crate) fn gains(&self, model: &str) -> Vec<(String, Vec<f64>)> {
        let model = self.models.iter().position(|name| name == model);
        let of_model = || self.values.iter().filter(|((_, found), _)| Some(*found) == model);
        let gains = |method: usize| {
            let key = (method, Measure::GainCompetitor);
            of_model().filter_map(|(_, values)| values.get(&key)).map(|all| spread(all).0).collect()
        };
        let sets = of_model().count();
        let named = |(at, name): (usize, &String)| {
            let gains: Vec<f64> = gains(at);
            let few = if gains.len() < sets {
                format!(" ({} of {sets})", gains.len())
            } else {
                String::new()
            };
            (format!("{name}{few}"), gains)
        };
        self.methods.iter().enumerate().map(named).collect()
    }
}

/// The median.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = values.len() / 2;
    match values.len() % 2 {
        0 => 0.5 * (values[at - 1] + values[at]),
        _ => values[at],
    }
}

fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}

/// Mean, and standard deviation over seeds.
pub(crate) fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (mean, (square / (count - 1.0).max(1.0)).sqrt())
}

/// The difference that makes one value better than another, from the digits shown.
fn resolution(measure: Measure) -> f64 {
    match measure {
        Measure::Seconds => 0.0,
        Measure::Conservation | Measure::Shift | Measure::Scale => 1e-4,
        _ => 0.005,
    }
}

fn shown(measure: Measure, mean: f64, deviation: f64) -> String {
    match measure {
        Measure::Seconds => format!("{mean:.4}"),
        Measure::Conservation | Measure::Shift | Measure::Scale if mean < 1e-4 => {
            format!("{mean:.0e}")
        }
        _ => format!("{mean:.2} ± {deviation:.2}"),
    }
}
