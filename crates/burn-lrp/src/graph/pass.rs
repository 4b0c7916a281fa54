//! The relevance pass: from the output of a network back to its inputs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::graph::plan::Plan;
use crate::graph::report::{LayerReport, Report};
use crate::graph::tape::{Graph, Node};
use crate::layer::{Redistribution, Step};

/// The relevance of the inputs of a network, from one pass.
#[derive(Debug)]
pub struct Relevances<'m, B: Backend> {
    graph: Rc<RefCell<Graph<'m, B>>>,
    of: HashMap<usize, AnyTensor<B>>,
    report: Option<Report>,
}

impl<B: Backend> Relevances<'_, B> {
    /// The relevance of an input of the network, in its shape; zeros if
    /// the output does not depend on it.
    ///
    /// # Errors
    ///
    /// If the node belongs to another tape, or is not an input.
    pub fn of(&self, node: &Node<'_, B>) -> Result<AnyTensor<B>> {
        let same = std::ptr::addr_eq(Rc::as_ptr(&self.graph), Rc::as_ptr(&node.graph));
        if !same {
            return Err(Error::ForeignNode);
        }
        match self.of.get(&node.id) {
            Some(relevance) => Ok(relevance.clone()),
            None if self.graph.borrow().entries[node.id].layer.is_none() => {
                Ok(node.value().filled(0.0))
            }
            None => Err(Error::layer(node.path(), "only the relevance of inputs is kept")),
        }
    }

    /// How much relevance every layer received and passed on, if a report was requested.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }
}

impl<'m, B: Backend> Plan<'m, B> {
    /// Propagates relevance from the output to every input.
    ///
    /// # Shapes
    ///
    /// - relevance: the shape of the node that the plan was made for
    ///
    /// # Errors
    ///
    /// If the relevance has another shape or precision, or is not finite; or if a layer fails.
    pub fn run(&self, relevance: impl Into<AnyTensor<B>>) -> Result<Relevances<'m, B>> {
        self.pass(relevance.into(), false)
    }

    /// As [`run`](Self::run), with a report of what every layer absorbed.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_with_report(&self, relevance: impl Into<AnyTensor<B>>) -> Result<Relevances<'m, B>> {
        self.pass(relevance.into(), true)
    }

    fn pass(&self, relevance: AnyTensor<B>, report: bool) -> Result<Relevances<'m, B>> {
        let graph = self.graph.borrow();
        let output = &graph.entries[self.output].value;
        if relevance.dims() != output.dims() {
            let expected = format!("{:?}, that of the output", output.dims());
            return Err(Error::shape("relevance", expected, &relevance.dims()));
        }
        if relevance.dtype() != output.dtype() {
            let detail = format!("it is {:?}, the output {:?}", relevance.dtype(), output.dtype());
            return Err(Error::layer("relevance", detail));
        }
        if !relevance.is_finite() {
            let detail = "the relevance of the output must not be NaN or infinite";
            return Err(Error::NonFinite { at: "relevance".into(), detail: detail.into() });
        }
        let mut of: HashMap<usize, AnyTensor<B>> = HashMap::from([(self.output, relevance)]);
        let mut reports: Vec<LayerReport> = Vec::new();
        for (step, planned) in self.steps.iter().zip(self.layers()).rev() {
            let Some(relevance) = of.remove(&step.output) else { continue };
            let inputs: Vec<AnyTensor<B>> =
                step.inputs.iter().map(|id| graph.entries[*id].value.clone()).collect();
            let output = &graph.entries[step.output].value;
            let at_layer = Step::new(&inputs, output, &relevance).with_report(report);
            let found = step
                .layer
                .get()
                .relevance(&at_layer, &planned.rule)
                .and_then(|found| check_shapes(&found, &inputs).map(|()| found))
                .map_err(|error| error.within(&planned.path))?;
            if report {
                reports.push(LayerReport::of(planned, &relevance, &found));
            }
            for (id, part) in step.inputs.iter().zip(found.inputs) {
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

/// Whether the relevance of every input has the shape of the input.
fn check_shapes<B: Backend>(found: &Redistribution<B>, inputs: &[AnyTensor<B>]) -> Result<()> {
    let shapes = |all: &[AnyTensor<B>]| all.iter().map(AnyTensor::dims).collect::<Vec<_>>();
    let (found, expected) = (shapes(&found.inputs), shapes(inputs));
    if found == expected {
        return Ok(());
    }
    let detail = format!("it returned relevance of shapes {found:?} for inputs of {expected:?}");
    Err(Error::layer("relevance", detail))
}
