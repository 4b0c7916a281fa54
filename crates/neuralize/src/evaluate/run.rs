// STUB, to be replaced whole by the real one.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Method, Reference, Subject};
use crate::error::Result;
use crate::evaluate::{Evaluation, Measure};
use crate::explain::Target;

/// How methods are compared.
#[derive(Debug, Clone)]
pub struct EvaluateConfig {
    /// The methods.
    pub methods: Vec<Method>,
    /// What is explained.
    pub target: Target,
    /// By what features are replaced.
    pub references: Vec<Reference>,
    /// Steps of the curves.
    pub levels: usize,
    /// Of the random numbers.
    pub seed: u64,
    /// Most points that are explained.
    pub most_points: usize,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        Self {
            methods: Method::usual(),
            target: Target::Assigned,
            references: vec![Reference::Competitor, Reference::Mean, Reference::Sample],
            levels: 20,
            seed: 0,
            most_points: 1000,
        }
    }
}

impl EvaluateConfig {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn run<B: Backend>(
        &self,
        _subject: &dyn Subject<B>,
        _x: &Tensor<B, 2>,
        _progress: &mut dyn FnMut(usize, usize, &str),
    ) -> Result<Evaluation> {
        unimplemented!()
    }
}

impl Evaluation {
    /// Those measures that at least one method has, in the order of tables.
    pub fn measures(&self) -> Vec<Measure> {
        let known = |measure: &Measure| self.methods.iter().any(|m| m.values.contains_key(measure));
        Measure::ALL.into_iter().filter(known).collect()
    }
}
