//! A recurrent layer of one direction, unrolled over its steps.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::layers::recurrent::cell::{Cell, State, StepRule};
use crate::layers::recurrent::gate::both;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// A recurrent layer that runs over its steps in one direction.
#[derive(Debug)]
pub(super) struct Unrolled<'m, C> {
    pub(super) cell: &'m C,
    /// Whether samples are the first dimension, and steps the second.
    pub(super) batch_first: bool,
    pub(super) reverse: bool,
}

impl<C> Unrolled<'_, C> {
    /// Exchanges samples and steps unless samples are the first dimension.
    fn turned<B: Backend>(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        if self.batch_first { x } else { x.swap_dims(0, 1) }
    }

    fn order(&self, steps: usize) -> Vec<usize> {
        if self.reverse { (0..steps).rev().collect() } else { (0..steps).collect() }
    }

    /// The states after all steps, `[samples, steps, hidden]`, and the values of the
    /// steps, in the order in which they ran.
    fn run<B: Backend>(&self, x: &AnyTensor<B>) -> Result<(Tensor<B, 3>, Vec<C::Cache>)>
    where
        C: Cell<B>,
    {
        let (inputs, hidden) = self.cell.sizes()?;
        let dims = x.dims();
        if dims.len() != 3 || dims[2] != inputs || dims.contains(&0) {
            let first = if self.batch_first { "samples, steps" } else { "steps, samples" };
            let expected = format!("[{first}, {inputs}] without empty dimensions");
            return Err(Error::shape(C::NAME, expected, &dims));
        }
        let x = self.turned(x.tensor::<3>()?);
        let [samples, steps, _] = x.dims();
        let nothing = Tensor::zeros([samples, hidden], (&x.device(), x.dtype()));
        let mut state = State { hidden: nothing.clone(), cell: nothing };
        let mut states = vec![state.hidden.clone(); steps];
        let mut caches = Vec::with_capacity(steps);
        for at in self.order(steps) {
            let (after, cache) = self.cell.step(step_of(&x, at), state)?;
            states[at] = after.hidden.clone();
            caches.push(cache);
            state = after;
        }
        Ok((Tensor::stack(states, 1), caches))
    }
}

/// The numbers of one step, `[samples, size]`.
fn step_of<B: Backend>(x: &Tensor<B, 3>, at: usize) -> Tensor<B, 2> {
    x.clone().narrow(1, at, 1).squeeze_dim(1)
}

impl<B: Backend, C: Cell<B>> Layer<B> for Unrolled<'_, C> {
    fn kind(&self) -> Kind {
        Kind::new(C::NAME, Family::Recurrent)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let (states, _) = self.run(only(inputs)?)?;
        Ok(self.turned(states).into())
    }

    fn rules(&self) -> &'static [RuleName] {
        self.cell.rules()
    }

    fn default_rule(&self) -> Rule {
        self.cell.default_rule()
    }

    /// A report of what biases absorb has one row for every place of the first dimension; if
    /// samples come second, one per step, summed over samples.
    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let rule = StepRule::new(rule, step.report);
        let (_, caches) = self.run(step.input()?)?;
        let relevance = self.turned(step.relevance.tensor::<3>()?);
        let [samples, steps, hidden] = relevance.dims();
        let nothing = Tensor::zeros([samples, hidden], (&relevance.device(), relevance.dtype()));
        let mut state = State { hidden: nothing.clone(), cell: nothing };
        let mut inputs: Vec<Option<Tensor<B, 2>>> = vec![None; steps];
        let mut biases: Vec<Option<Tensor<B, 1>>> = vec![None; steps];
        for (at, cache) in self.order(steps).into_iter().zip(caches).rev() {
            state.hidden = state.hidden + step_of(&relevance, at);
            let found = self.cell.back(cache, state, &rule);
            inputs[at] = Some(found.input);
            biases[at] = found.bias;
            state = found.before;
        }
        // The state before the first step is 0: it contributed nothing and gets nothing.
        let bias = if self.batch_first {
            biases.into_iter().fold(None, both)
        } else {
            let sums: Vec<_> = biases.into_iter().flatten().map(Tensor::sum).collect();
            (!sums.is_empty()).then(|| Tensor::cat(sums, 0))
        };
        let inputs: Tensor<B, 3> = Tensor::stack(inputs.into_iter().flatten().collect(), 1);
        Ok(Redistribution::single(self.turned(inputs).into()).with_bias(bias))
    }

    fn has_secant(&self) -> bool {
        true
    }

    /// The state before the first step is 0 at both ends and gets nothing.
    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let [x, root] = step.input(0)?;
        let ((_, caches), (_, roots)) = (self.run(&x)?, self.run(&root)?);
        let m = self.turned(step.multiplier().tensor::<3>()?);
        let [samples, steps, hidden] = m.dims();
        let nothing = Tensor::zeros([samples, hidden], (&m.device(), m.dtype()));
        let mut state = State { hidden: nothing.clone(), cell: nothing };
        let mut inputs: Vec<Option<Tensor<B, 2>>> = vec![None; steps];
        let ends = caches.into_iter().zip(roots);
        for (at, (cache, root)) in self.order(steps).into_iter().zip(ends).rev() {
            state.hidden = state.hidden + step_of(&m, at);
            let (input, before) = self.cell.secant([cache, root], state)?;
            inputs[at] = Some(input);
            state = before;
        }
        let inputs: Tensor<B, 3> = Tensor::stack(inputs.into_iter().flatten().collect(), 1);
        Ok(vec![self.turned(inputs).into()])
    }
}

/// A recurrent layer of Burn: its documentation, its type, and whether samples come first and
/// steps run backwards.
macro_rules! recurrent {
    ($(#[$doc:meta])+ $layer:ident, |$this:ident| $direction:expr) => {
        /// The layer with its own settings.
        fn unrolled<B: Backend>(
            $this: &$layer<B>,
        ) -> $crate::layers::recurrent::unrolled::Unrolled<'_, $layer<B>> {
            let (batch_first, reverse) = $direction;
            $crate::layers::recurrent::unrolled::Unrolled { cell: $this, batch_first, reverse }
        }

        $(#[$doc])+
        impl<B: Backend> $crate::Layer<B> for $layer<B> {
            fn kind(&self) -> $crate::Kind {
                unrolled(self).kind()
            }

            fn forward(&self, inputs: &[$crate::AnyTensor<B>]) -> Result<$crate::AnyTensor<B>> {
                unrolled(self).forward(inputs)
            }

            fn rules(&self) -> &'static [RuleName] {
                Cell::rules(self)
            }

            fn default_rule(&self) -> Rule {
                Cell::default_rule(self)
            }

            fn relevance(
                &self,
                step: &$crate::Step<'_, B>,
                rule: &Rule,
            ) -> Result<$crate::Redistribution<B>> {
                unrolled(self).relevance(step, rule)
            }

            fn has_secant(&self) -> bool {
                true
            }

            fn secant(
                &self,
                step: &$crate::SecantStep<'_, B>,
            ) -> Result<Vec<$crate::AnyTensor<B>>> {
                unrolled(self).secant(step)
            }
        }

        $crate::leaf!($layer<B>);
    };
}
pub(super) use recurrent;
