use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::graph::report::{LayerReport, Report};
use crate::graph::{Node, Plan};
use crate::layer::{Handed, Step};

/// What a relevance pass found.
#[derive(Debug)]
pub struct Relevances<'m, B: Backend> {
    graph: Rc<std::cell::RefCell<crate::graph::Graph<'m, B>>>,
    of: HashMap<usize, AnyTensor<B>>,
    report: Option<Report>,
}

impl<B: Backend> Relevances<'_, B> {
    /// The relevance of an input of the network, in its shape; zeros if
    /// the output does not depend on it.
    ///
    /// # Errors
    ///
    /// If the node is of another tape, or no input.
    pub fn of(&self, node: &Node<'_, B>) -> Result<AnyTensor<B>> {
        let same = std::ptr::addr_eq(Rc::as_ptr(&self.graph), Rc::as_ptr(&node.graph));
        if !same {
            return Err(Error::ForeignNode);
        }
        match self.of.get(&node.id) {
            Some(relevance) => Ok(relevance.clone()),
            None if self.graph.borrow().records[node.id].layer.is_none() => {
                Ok(node.value().filled(0.0))
            }
            None => Err(Error::layer(node.path(), "only the relevance of inputs is kept")),
        }
    }

    /// What every layer was handed and handed on, if the pass was asked.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }
}

impl<'m, B: Backend> Plan<'m, B> {
    /// Hands relevance from the output down to every input.
    ///
    /// # Shapes
    ///
    /// - relevance: that of the node that the plan was made from
    ///
    /// # Errors
    ///
    /// If the relevance has another shape or precision, or is not finite.
    pub fn run(&self, relevance: impl Into<AnyTensor<B>>) -> Result<Relevances<'m, B>> {
        self.pass(relevance.into(), false)
    }

    /// As [`run`](Self::run), and tells what every layer absorbed.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with_report(&self, relevance: impl Into<AnyTensor<B>>) -> Result<Relevances<'m, B>> {
        self.pass(relevance.into(), true)
    }

    fn pass(&self, relevance: AnyTensor<B>, report: bool) -> Result<Relevances<'m, B>> {
        let graph = self.graph.borrow();
        let output = &graph.records[self.output].value;
        if relevance.dims() != output.dims() {
            let expected = format!("{:?}, that of the output", output.dims());
            return Err(Error::shape("relevance", expected, &relevance.dims()));
        }
        if relevance.dtype() != output.dtype() {
            let detail = format!("it is {:?}, the output {:?}", relevance.dtype(), output.dtype());
            return Err(Error::layer("relevance", detail));
        }
        if !relevance.is_finite() {
            let detail = "a number that the pass starts from is NaN or infinite";
            return Err(Error::NonFinite { at: "relevance".into(), detail: detail.into() });
        }
        let mut of: HashMap<usize, AnyTensor<B>> = HashMap::from([(self.output, relevance)]);
        let mut reports: Vec<LayerReport> = Vec::new();
        for (step, planned) in self.steps.iter().zip(self.layers()).rev() {
            let Some(relevance) = of.remove(&step.output) else { continue };
            let inputs: Vec<AnyTensor<B>> =
                step.inputs.iter().map(|id| graph.records[*id].value.clone()).collect();
            let view = Step {
                inputs: &inputs,
                output: &graph.records[step.output].value,
                relevance: &relevance,
                report,
            };
            let handed = step
                .held
                .layer()
                .relevance(&view, &step.rule)
                .map_err(|error| error.within(&planned.path))?;
            fits(&handed, &inputs).map_err(|error| error.within(&planned.path))?;
            if report {
                reports.push(LayerReport::of(planned, &relevance, &handed));
            }
            for (id, part) in step.inputs.iter().zip(handed.inputs) {
                let sum = match of.remove(id) {
                    Some(before) => before.plus(&part)?,
                    None => part,
                };
                of.insert(*id, sum);
            }
        }
        reports.reverse();
        Ok(Relevances {
            graph: self.graph.clone(),
            of,
            report: report.then(|| Report::new(reports)),
        })
    }
}

/// Whether every input was handed relevance in its shape.
fn fits<B: Backend>(handed: &Handed<B>, inputs: &[AnyTensor<B>]) -> Result<()> {
    let shapes = |all: &[AnyTensor<B>]| all.iter().map(AnyTensor::dims).collect::<Vec<_>>();
    let (found, expected) = (shapes(&handed.inputs), shapes(inputs));
    if found == expected {
        return Ok(());
    }
    let detail =
        format!("it hands down relevance of shapes {found:?}, its inputs have {expected:?}");
    Err(Error::layer("relevance", detail))
}
