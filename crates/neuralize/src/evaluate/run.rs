use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Attribution, Case, Method, Reference, Scene, Subject};
use crate::error::{Error, Result};
use crate::evaluate::{
    Agreement, Evaluation, Flips, Measure, MethodResult, agreement, conservation, continuity, flip,
    infidelity, invariance, random_band, randomisation,
};
use crate::explain::Target;
use crate::random::{Stream, subset};
use crate::transfer;

/// Which methods are measured, and how.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::DType;
/// use neuralize::baseline::{Method, Tracked};
/// use neuralize::evaluate::{EvaluateConfig, Measure};
/// use neuralize::prelude::*;
///
/// let x = Table::wine().to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let x = Scale::MinMax.fit(&x)?.transform(x)?;
/// let subject = Tracked::<Autodiff<Flex>>::new(KMeansConfig::new(3).fit(&x)?.model)?;
///
/// let methods = ["neon", "own-distance", "random"];
/// let methods = methods.iter().map(|name| name.parse()).collect::<Result<_, _>>()?;
/// let config = EvaluateConfig { methods, ..EvaluateConfig::default() };
/// let evaluation = config.run(&subject, &x, &mut |_, _, _| {})?;
/// let gain = |method: usize| evaluation.methods[method].values[&Measure::GainCompetitor];
/// assert!(gain(0) > gain(1) && gain(1) > gain(2));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateConfig {
    /// The methods.
    pub methods: Vec<Method>,
    /// What is asked of every point.
    pub target: Target,
    /// What flipped features are set to.
    pub references: Vec<Reference>,
    /// Most levels of a flipping curve; fewer where there are fewer features.
    pub levels: usize,
    /// Random orders of features that make the band.
    pub draws: usize,
    /// What all random numbers are drawn from.
    pub seed: u64,
    /// Most points that are explained and flipped, drawn at random from more.
    pub most_points: usize,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        Self {
            methods: Method::usual(),
            target: Target::Assigned,
            references: vec![Reference::Competitor, Reference::Mean, Reference::Sample],
            levels: 50,
            draws: 10,
            seed: 0,
            most_points: 10_000,
        }
    }
}

/// Points for the measures that explain points again.
const EXPLAINED_AGAIN: usize = 200;
/// Ways that continuity walks.
const WAYS: usize = 64;
/// Points and sets of features for infidelity.
const SETS_POINTS: usize = 2_000;
const SETS: usize = 64;
/// By how much data and model are moved: in root mean square deviations of a
/// feature, and as a factor.
const SHIFT: f64 = 3.0;
const SCALE: f64 = 2.5;
/// Features whose agreement is looked at.
const TOP: usize = 5;

impl EvaluateConfig {
    /// Measures all methods on the same points.
    ///
    /// A method that is not for this model or these data is listed with the
    /// reason. `progress` is told how many methods are done, of how many, and
    /// which is next.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, the data that the clusterer was fitted to or like them
    ///
    /// # Errors
    ///
    /// If x is empty or does not fit the network, the target names a cluster that
    /// does not exist, there are no methods, levels or points or fewer than two
    /// draws, or a method's own settings cannot be used.
    pub fn run<B: Backend>(
        &self,
        subject: &dyn Subject<B>,
        x: &Tensor<B, 2>,
        progress: &mut dyn FnMut(usize, usize, &str),
    ) -> Result<Evaluation> {
        let methods: Vec<(&dyn Attribute<B>, &str)> = self
            .methods
            .iter()
            .map(|method| (method as &dyn Attribute<B>, method.words()))
            .collect();
        self.run_methods(&methods, subject, x, progress)
    }

    /// The same for methods of any kind, each with a sentence about it;
    /// [`methods`](Self::methods) is not looked at.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_methods<B: Backend>(
        &self,
        methods: &[(&dyn Attribute<B>, &str)],
        subject: &dyn Subject<B>,
        x: &Tensor<B, 2>,
        progress: &mut dyn FnMut(usize, usize, &str),
    ) -> Result<Evaluation> {
        for (name, value) in
            [("methods", methods.len()), ("levels", self.levels), ("points", self.most_points)]
        {
            if value == 0 {
                let rule = "it must be at least 1".into();
                return Err(Error::Config { name, value: "0".into(), rule });
            }
        }
        if self.draws < 2 {
            let (value, rule) = (self.draws.to_string(), "a band needs at least 2".into());
            return Err(Error::Config { name: "draws", value, rule });
        }
        let scene = Scene::new(subject, x, self.seed)?;
        let [rows, features] = x.dims();
        let chosen =
            subset(rows, self.most_points, &mut Stream::EvaluatedPoints.generator(self.seed));
        let points = if chosen.len() == rows {
            x.clone()
        } else {
            x.clone().select(0, transfer::upload_indices(&chosen, &x.device()))
        };
        let case = scene.ask(&points, self.target)?;
        let samples = Samples::of(&case, self.seed);
        let mut results = Vec::with_capacity(methods.len());
        let mut relevances = Vec::new();
        for (done, (method, words)) in methods.iter().enumerate() {
            progress(done, methods.len(), &method.name());
            let start = Instant::now();
            let mut result = MethodResult {
                name: method.name(),
                words: (*words).to_owned(),
                refused: None,
                values: BTreeMap::new(),
                flips: Vec::new(),
            };
            match method.attribute(&case) {
                Err(Error::Config { name: "method", rule, .. }) => result.refused = Some(rule),
                Err(error) => return Err(error),
                Ok(found) if !is_usable(&found, &case) => {
                    let shape = case.x.dims();
                    result.refused =
                        Some(format!("it gave other than finite numbers of shape {shape:?}"));
                }
                Ok(found) => {
                    // Reading a number waits for what a GPU has still to do.
                    let _ = transfer::download(found.relevance.clone().sum());
                    let seconds = start.elapsed().as_secs_f64() * 1e3 / case.len() as f64;
                    result.values.insert(Measure::Seconds, seconds);
                    self.measure(&case, &samples, *method, &found, &mut result)?;
                    let part = selected(&found.relevance, &samples.many);
                    relevances.push((result.name.clone(), part));
                }
            }
            results.push(result);
        }
        progress(methods.len(), methods.len(), "");
        let bands =
            self.references.iter().map(|to| random_band(&case, *to, self.levels, self.draws));
        Ok(Evaluation {
            points: case.len(),
            data: rows,
            features,
            clusters: subject.network().n_clusters(),
            seed: self.seed,
            methods: results,
            bands: bands.collect(),
            agreement: if relevances.is_empty() {
                Agreement::default()
            } else {
                agreement(&relevances, TOP.min(features / 2).max(1))
            },
        })
    }

    fn measure<B: Backend>(
        &self,
        case: &Case<'_, B>,
        samples: &Samples,
        method: &dyn Attribute<B>,
        found: &Attribution<B>,
        result: &mut MethodResult,
    ) -> Result<()> {
        let relevance = &found.relevance;
        for to in &self.references {
            let flips = flip(case, relevance, *to, self.levels);
            // One feature has no order.
            if case.x.dims()[1] > 1 {
                result.values.extend(measures_of(&flips));
            }
            result.flips.push(flips);
        }
        let mut values = vec![(Measure::Conservation, Some(conservation(case, found)))];
        let (part, of_part) = (case.select(&samples.many), selected(relevance, &samples.many));
        let value = infidelity(&part, &of_part, Reference::Competitor, SETS);
        values.push((Measure::Infidelity, Some(value)));
        let part = case.select(&samples.few);
        // Explained for themselves: some methods draw numbers row by row.
        let of_part = method.attribute(&part)?.relevance;
        let deviation = transfer::download(case.scene.deviation().square());
        let spread = (deviation.iter().sum::<f64>() / deviation.len() as f64).sqrt();
        let shift = if spread > 0.0 { SHIFT * spread } else { SHIFT };
        let moved = |scale, shift| {
            match invariance(&part, method, &of_part, scale, shift) {
                // Numbers that the precision cannot hold are no fault of a method.
                Err(Error::TooLarge { .. } | Error::NonFinite { .. } | Error::Record { .. }) => {
                    Ok(None)
                }
                other => other,
            }
        };
        values.push((Measure::Continuity, continuity(&part, method, WAYS)?));
        values.push((Measure::Shift, moved(1.0, shift)?));
        values.push((Measure::Scale, moved(SCALE, 0.0)?));
        values.push((Measure::Randomisation, randomisation(&part, method, &of_part)?));
        let known = values.into_iter().filter_map(|(measure, value)| Some((measure, value?)));
        // What cannot be a number is no measure, and no number in JSON either.
        result.values.extend(known.filter(|(_, value)| value.is_finite()));
        Ok(())
    }
}

/// Which of the points the costly measures look at, drawn at random: files are
/// often in the order of classes.
struct Samples {
    few: Vec<usize>,
    many: Vec<usize>,
}

impl Samples {
    fn of<B: Backend>(case: &Case<'_, B>, seed: u64) -> Self {
        let mut rng = Stream::MeasuredPoints.generator(seed);
        let mut draw = |most| subset(case.len(), most, &mut rng);
        Self { few: draw(EXPLAINED_AGAIN), many: draw(SETS_POINTS) }
    }
}

fn selected<B: Backend>(table: &Tensor<B, 2>, rows: &[usize]) -> Tensor<B, 2> {
    table.clone().select(0, transfer::upload_indices(rows, &table.device()))
}

/// Whether a method gave a finite number for every feature of every row.
fn is_usable<B: Backend>(found: &Attribution<B>, case: &Case<'_, B>) -> bool {
    found.relevance.dims() == case.x.dims()
        && transfer::all_true(found.relevance.clone().is_finite())
}

/// What flipping to a reference measures.
fn measures_of(flips: &Flips) -> Vec<(Measure, f64)> {
    match flips.reference {
        Reference::Competitor => vec![
            (Measure::GainCompetitor, flips.gain()),
            (Measure::ChangeGain, flips.change_gain()),
        ],
        Reference::Mean => vec![(Measure::GainMean, flips.gain())],
        Reference::Sample => vec![(Measure::GainSample, flips.gain())],
        Reference::Zero => Vec::new(),
    }
}

impl Evaluation {
    /// The measures that at least one method has, in the order of tables.
    pub fn measures(&self) -> Vec<Measure> {
        let known = |measure: &Measure| {
            self.methods.iter().any(|method| method.values.contains_key(measure))
        };
        Measure::ALL.into_iter().filter(known).collect()
    }
}
