//! An evaluation: every method by every measure, on the same points.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Attribution, Background, Method, Query, Reference, Subject};
use crate::error::{Error, Result};
use crate::evaluate::{
    Agreement, Evaluation, Flips, Measure, MethodResult, agreement, conservation, continuity, flip,
    infidelity, invariance, random_band, randomisation,
};
use crate::explain::Target;
use crate::random::{Stream, subset};
use crate::transfer;

/// Settings of an evaluation: which methods are measured, and how.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::DType;
/// use neuralize::baseline::{Method, Tracked};
/// use neuralize::evaluate::{EvaluateConfig, Measure};
/// use neuralize::prelude::*;
///
/// let x = Table::wine().to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let x = Scale::MinMax.fit(&x)?.transform(&x)?;
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
    /// The target of every point.
    pub target: Target,
    /// What replaces flipped features.
    pub references: Vec<Reference>,
    /// The maximum number of levels of a flipping curve; with fewer features there are fewer.
    pub levels: usize,
    /// Random orders of features in a band, at least 2.
    pub draws: usize,
    /// The seed of all random numbers.
    pub seed: u64,
    /// The maximum number of points that are explained and flipped; of more, a random sample
    /// is taken.
    pub max_points: usize,
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
            max_points: 10_000,
        }
    }
}

/// Points for the measures that explain points again.
const EXPLAINED_AGAIN: usize = 200;
/// Paths of the continuity.
const PATHS: usize = 64;
/// Points and sets of features of the infidelity.
const SETS_POINTS: usize = 2_000;
const SETS: usize = 64;
/// The shift of data and model, in root mean square deviations of a feature, and their
/// scale.
const SHIFT: f64 = 3.0;
const SCALE: f64 = 2.5;
/// Features whose agreement is compared.
const TOP: usize = 5;

impl EvaluateConfig {
    /// Measures all methods on the same points.
    ///
    /// A method that does not work for this model or these data is listed with the
    /// reason. `progress` gets the number of methods done, the number of methods, and the
    /// name of the next one.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, the data that the clusterer was fitted to, or similar data
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
            .map(|method| (method as &dyn Attribute<B>, method.description()))
            .collect();
        self.run_methods(&methods, subject, x, progress)
    }

    /// The same for methods of any kind, each with a description;
    /// [`methods`](Self::methods) is ignored.
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
            [("methods", methods.len()), ("levels", self.levels), ("points", self.max_points)]
        {
            if value == 0 {
                let rule = "it must be at least 1".into();
                return Err(Error::Config { name, value: "0".into(), rule });
            }
        }
        if self.draws < 2 {
            let (value, rule) =
                (self.draws.to_string(), "it must be at least 2, for a standard deviation".into());
            return Err(Error::Config { name: "draws", value, rule });
        }
        let background = Background::new(subject, x, self.seed)?;
        let [rows, features] = x.dims();
        let chosen =
            subset(rows, self.max_points, &mut Stream::EvaluatedPoints.generator(self.seed));
        let points = if chosen.len() == rows {
            x.clone()
        } else {
            x.clone().select(0, transfer::upload_indices(&chosen, &x.device()))
        };
        let query = background.query(&points, self.target)?;
        let samples = Samples::of(&query, self.seed);
        let mut results = Vec::with_capacity(methods.len());
        let mut relevances = Vec::new();
        for (done, (method, description)) in methods.iter().enumerate() {
            progress(done, methods.len(), &method.name());
            let (result, relevance) = self.result(&query, &samples, *method, description)?;
            relevances.extend(relevance.map(|relevance| (result.name.clone(), relevance)));
            results.push(result);
        }
        progress(methods.len(), methods.len(), "");
        let bands =
            self.references.iter().map(|to| random_band(&query, *to, self.levels, self.draws));
        Ok(Evaluation {
            points: query.len(),
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

    /// The result of one method, and the relevances of the larger sample of points
    /// unless the method was refused.
    fn result<B: Backend>(
        &self,
        query: &Query<'_, B>,
        samples: &Samples,
        method: &dyn Attribute<B>,
        description: &str,
    ) -> Result<(MethodResult, Option<Tensor<B, 2>>)> {
        let start = Instant::now();
        let mut result = MethodResult {
            name: method.name(),
            description: description.to_owned(),
            refused: None,
            values: BTreeMap::new(),
            flips: Vec::new(),
        };
        let attribution = match method.attribute(query) {
            Err(Error::Config { name: "method", rule, .. }) => {
                result.refused = Some(rule);
                return Ok((result, None));
            }
            other => other?,
        };
        if !is_usable(&attribution, query) {
            let shape = query.x.dims();
            let rule = format!("its relevances are not finite numbers of shape {shape:?}");
            result.refused = Some(rule);
            return Ok((result, None));
        }
        // Downloading a number waits for the work of a GPU.
        let _ = transfer::download(attribution.relevance.clone().sum());
        let seconds = start.elapsed().as_secs_f64() * 1e3 / query.len() as f64;
        result.values.insert(Measure::Seconds, seconds);
        self.measure(query, samples, method, &attribution, &mut result)?;
        let part = selected(&attribution.relevance, &samples.many);
        Ok((result, Some(part)))
    }

    fn measure<B: Backend>(
        &self,
        query: &Query<'_, B>,
        samples: &Samples,
        method: &dyn Attribute<B>,
        attribution: &Attribution<B>,
        result: &mut MethodResult,
    ) -> Result<()> {
        let relevance = &attribution.relevance;
        for to in &self.references {
            let flips = flip(query, relevance, *to, self.levels);
            // A single feature has no order.
            if query.x.dims()[1] > 1 {
                result.values.extend(measures_of(&flips));
            }
            result.flips.push(flips);
        }
        let mut values = vec![(Measure::Conservation, Some(conservation(query, attribution)))];
        let (part, of_part) = (query.select(&samples.many), selected(relevance, &samples.many));
        let value = infidelity(&part, &of_part, Reference::Competitor, SETS);
        values.push((Measure::Infidelity, Some(value)));
        let part = query.select(&samples.few);
        // Explained anew, because some methods draw random numbers row by row.
        let of_part = method.attribute(&part)?.relevance;
        let deviation = transfer::download(query.background.deviation().square());
        let spread = (deviation.iter().sum::<f64>() / deviation.len() as f64).sqrt();
        let shift = if spread > 0.0 { SHIFT * spread } else { SHIFT };
        let invariance = |scale, shift| {
            match invariance(&part, method, &of_part, scale, shift) {
                // The method is not to blame if the precision cannot hold the numbers.
                Err(Error::TooLarge { .. } | Error::NonFinite { .. } | Error::Record { .. }) => {
                    Ok(None)
                }
                other => other,
            }
        };
        values.push((Measure::Continuity, continuity(&part, method, PATHS)?));
        values.push((Measure::Shift, invariance(1.0, shift)?));
        values.push((Measure::Scale, invariance(SCALE, 0.0)?));
        values.push((Measure::Randomisation, randomisation(&part, method, &of_part)?));
        let known = values.into_iter().filter_map(|(measure, value)| Some((measure, value?)));
        // JSON has no infinity and no NaN.
        result.values.extend(known.filter(|(_, value)| value.is_finite()));
        Ok(())
    }
}

/// The points of the costly measures, drawn at random because files are often in
/// the order of classes.
struct Samples {
    few: Vec<usize>,
    many: Vec<usize>,
}

impl Samples {
    fn of<B: Backend>(query: &Query<'_, B>, seed: u64) -> Self {
        let mut rng = Stream::MeasuredPoints.generator(seed);
        let mut draw = |count| subset(query.len(), count, &mut rng);
        Self { few: draw(EXPLAINED_AGAIN), many: draw(SETS_POINTS) }
    }
}

fn selected<B: Backend>(table: &Tensor<B, 2>, rows: &[usize]) -> Tensor<B, 2> {
    table.clone().select(0, transfer::upload_indices(rows, &table.device()))
}

/// Whether there is a finite relevance for every feature of every row.
fn is_usable<B: Backend>(attribution: &Attribution<B>, query: &Query<'_, B>) -> bool {
    let relevance = &attribution.relevance;
    relevance.dims() == query.x.dims() && transfer::all_true(relevance.clone().is_finite())
}

/// The measures of flipping to a reference.
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
