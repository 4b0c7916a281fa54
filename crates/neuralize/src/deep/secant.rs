//! The secant pass of a deep k-means: from the boundary between two clusters to the input.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Node, Relevance, Tape};

use crate::deep::codes::{blocks, table_of};
use crate::deep::roots::{CLOSE, Contrasts, Pair, Roots, indices, pair_index};
use crate::deep::{DeepExplanation, DeepKMeans, DeepQuestion};
use crate::error::{Error, Result};
use crate::explain::{Explanation, Root};
use crate::network::{Network, NeuralizedKMeans, PoolingPass};
use crate::transfer;

/// Competitors with a smaller share of a logit are left out, and the others share all of it.
const COUNTS: f64 = 1e-2;

/// Where the roots of a pass come from.
enum Source<'a, B: Backend> {
    /// Those of the model.
    Kept(&'a Roots<B>, Root),
    /// One for every sample, `[N, L]`.
    Given(Tensor<B, 2>),
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// The pass from the roots of the model.
    pub(super) fn explain_by_secants(
        &self,
        x: &AnyTensor<B>,
        question: &DeepQuestion,
        root: Root,
    ) -> Result<(Explanation<B>, AnyTensor<B>)> {
        root.check()?;
        let dims = x.dims();
        let pass = Pass::new(self, question, &dims)?;
        let roots = self.roots.as_ref().ok_or(Error::NoRoots)?;
        let width: usize = dims[1..].iter().product();
        if width != roots.width() {
            let expected = format!("[N, ..] with inputs of {} numbers", roots.width());
            return Err(Error::shape("x", expected, &dims));
        }
        pass.run(x, &Source::Kept(roots, root))
    }

    /// Explains every input by what made its logit from that of a root of yours, which takes the
    /// place of a point on the boundary: another sample, a counterfactual, a blank image.
    ///
    /// Relevances sum to `f · Σ_k p_k (h_ck(x) − h_ck(x₀)) / h_ck(x)`, with the shares p of the
    /// competitors; the rest, what is left of the contrasts at the root, is
    /// [`absorbed`](DeepExplanation::absorbed). A [`Pass`](crate::deep::Pass) plays no part.
    ///
    /// # Shapes
    ///
    /// - x, roots: `[N, ..]`, a root for every input
    ///
    /// # Errors
    ///
    /// If the roots have another shape than x, or as [`explain`](Self::explain).
    pub fn explain_from<const D: usize>(
        &self,
        x: &Tensor<B, D>,
        roots: &Tensor<B, D>,
        question: &DeepQuestion,
    ) -> Result<DeepExplanation<B, D>> {
        let x = self.checked_input(x)?;
        let dims = x.dims();
        if roots.dims()[..] != dims[..] {
            let expected = format!("{dims:?}, a root for every input");
            return Err(Error::shape("the roots", expected, &roots.dims()));
        }
        let roots = self.checked_input(roots)?.rows();
        let pass = Pass::new(self, question, &dims)?;
        let (codes, relevance) = pass.run(&x, &Source::Given(roots))?;
        DeepExplanation::new(codes, &relevance, None)
    }
}

/// One competitor of one sample that counts.
#[derive(Clone, Copy)]
struct Competitor {
    /// The sample in its block.
    row: usize,
    pair: Pair,
    /// What the contrast is multiplied by: its part of the logit over the contrast.
    ratio: f64,
}

struct Pass<'a, B: Backend, E> {
    model: &'a DeepKMeans<B, E>,
    question: &'a DeepQuestion,
    network: NeuralizedKMeans<B>,
    sample: Vec<usize>,
    beta: f64,
}

impl<'a, B: Backend, E: Module<B> + Relevance<B>> Pass<'a, B, E> {
    fn new(
        model: &'a DeepKMeans<B, E>,
        question: &'a DeepQuestion,
        dims: &[usize],
    ) -> Result<Self> {
        let network = model.neuralize()?;
        question.target.check(model.n_clusters())?;
        let beta = question.target.beta(question.beta, Network::beta(&network))?;
        Ok(Self { model, question, network, sample: dims[1..].to_vec(), beta })
    }

    /// The explanation of the codes, and the relevance of the input.
    fn run(
        &self,
        x: &AnyTensor<B>,
        source: &Source<'_, B>,
    ) -> Result<(Explanation<B>, AnyTensor<B>)> {
        let dims = x.dims();
        let kept = self.kept_roots(source, dims[0])?;
        let (mut codes, mut relevances) = (Vec::new(), Vec::new());
        for range in blocks(dims[0], self.question.batch_size) {
            let tape = Tape::new();
            let rows = x.samples(range.clone())?;
            let input = tape.input("input", rows.clone());
            let output = self.model.encoder.trace(input.clone())?;
            let code = table_of(output.value(), range.len())?;
            let question = self.question;
            codes.push(Network::explain(&self.network, &code, question.target, question.beta)?);
            let pass =
                PoolingPass::of(&Network::scores(&self.network, code), question.target, self.beta);
            let competitors = self.competitors(source, &pass);
            let rows = transfer::untracked(rows.rows());
            let mut sum = rows.zeros_like();
            for some in competitors.chunks(question.batch_size.max(1)) {
                let part = match &kept {
                    Some(root_output) => {
                        let clusters = self.model.n_clusters();
                        let at = |one: &Competitor| pair_index(one.pair.c, one.pair.k, clusters);
                        self.chunk(&input, &output, root_output, some, at)?
                    }
                    None => {
                        let (roots, order) = self.roots_of(source, some, &rows, range.start)?;
                        let roots_tape = Tape::new();
                        let roots = AnyTensor::from(roots).reshape(&self.shaped(&order))?;
                        let root_output =
                            self.model.encoder.trace(roots_tape.input("input", roots))?;
                        let mut place = 0;
                        let at = |_: &Competitor| {
                            place += 1;
                            order[place - 1]
                        };
                        self.chunk(&input, &output, &root_output, some, at)?
                    }
                };
                sum = sum + part;
            }
            relevances.push(sum);
        }
        let relevance = AnyTensor::from(Tensor::cat(relevances, 0)).reshape(&dims)?;
        Ok((Explanation::cat(codes), relevance))
    }

    /// The shape of as many inputs as an order of roots refers to.
    fn shaped(&self, order: &[usize]) -> Vec<usize> {
        let count = order.iter().max().map_or(0, |most| most + 1);
        [&[count], self.sample.as_slice()].concat()
    }

    /// The encoder at all roots between the places, if they are not more than the samples: then it
    /// runs for each of them once.
    fn kept_roots(&self, source: &Source<'_, B>, samples: usize) -> Result<Option<Node<'_, B>>> {
        let Source::Kept(roots, Root::Midway) = source else { return Ok(None) };
        let table = roots.midway();
        let [count, _] = table.dims();
        if count > samples || count > 4 * self.question.batch_size {
            return Ok(None);
        }
        // Roots of empty clusters are NaN and never asked for.
        let none = table.clone().is_nan();
        let table = AnyTensor::from(table.mask_fill(none, 0.0));
        let table = table.reshape(&[&[count], self.sample.as_slice()].concat())?;
        Ok(Some(self.model.encoder.trace(Tape::new().input("input", table))?))
    }

    /// The competitors that count, sample by sample.
    fn competitors(&self, source: &Source<'_, B>, pass: &PoolingPass<B>) -> Vec<Competitor> {
        let shares = transfer::download(pass.competitors.shares.clone());
        let ratios = transfer::download(pass.competitors.ratios.clone());
        let clusters = transfer::download_indices(pass.cluster.clone());
        let width = self.model.n_clusters();
        let mut found = Vec::new();
        for (row, c) in clusters.into_iter().enumerate() {
            let of = |all: &[f64]| all[row * width..(row + 1) * width].to_vec();
            let (shares, ratios) = (of(&shares), of(&ratios));
            let counted: f64 = shares.iter().filter(|share| **share >= COUNTS).sum();
            for k in (0..width).filter(|k| shares[*k] >= COUNTS && ratios[*k] != 0.0) {
                let rooted = match source {
                    Source::Kept(roots, _) => roots.has(c, k),
                    Source::Given(_) => true,
                };
                if rooted && k != c {
                    let (pair, ratio) = (Pair { c, k }, ratios[k] / counted);
                    found.push(Competitor { row, pair, ratio });
                }
            }
        }
        found
    }

    /// The roots of some competitors, and which of them each has.
    fn roots_of(
        &self,
        source: &Source<'_, B>,
        competitors: &[Competitor],
        x: &Tensor<B, 2>,
        start: usize,
    ) -> Result<(Tensor<B, 2>, Vec<usize>)> {
        let device = x.device();
        let pick =
            |table: &Tensor<B, 2>, rows: &[usize]| table.clone().select(0, indices(rows, &device));
        let in_order = (0..competitors.len()).collect();
        match source {
            Source::Given(roots) => {
                let rows: Vec<usize> = competitors.iter().map(|one| start + one.row).collect();
                Ok((pick(roots, &rows), in_order))
            }
            Source::Kept(roots, Root::Midway) => {
                let clusters = self.model.n_clusters();
                let of = |one: &Competitor| pair_index(one.pair.c, one.pair.k, clusters);
                let mut distinct: Vec<usize> = competitors.iter().map(of).collect();
                distinct.sort_unstable();
                distinct.dedup();
                let order = competitors.iter().map(|one| distinct.binary_search(&of(one)));
                let order = order.map(|found| found.unwrap_or_default()).collect();
                Ok((pick(&roots.midway(), &distinct), order))
            }
            Source::Kept(roots, root) => {
                let rows: Vec<usize> = competitors.iter().map(|one| one.row).collect();
                let own: Vec<usize> = competitors.iter().map(|one| one.pair.c).collect();
                let other: Vec<usize> = competitors.iter().map(|one| one.pair.k).collect();
                let pairs: Vec<Pair> = competitors.iter().map(|one| one.pair).collect();
                let lambda = root.lambda();
                let from = pick(&roots.places(), &own) * (1.0 - lambda) + pick(x, &rows) * lambda;
                let head = &self.model.head;
                let batch = self.question.batch_size;
                let contrasts = Contrasts::new(&self.model.encoder, head, &self.sample, batch)?;
                // Away from the cluster that the start is in: towards c where the sample is not.
                let outside: Vec<bool> =
                    contrasts.at(&from, &pairs)?.iter().map(|h| *h < 0.0).collect();
                let ends: Vec<usize> = (0..pairs.len())
                    .map(|at| if outside[at] { own[at] } else { other[at] })
                    .collect();
                let [to, medoid] =
                    [roots.places(), roots.medoids()].map(|table| pick(&table, &ends));
                let found = contrasts.between(
                    [from.clone(), to],
                    [from, medoid],
                    &pairs,
                    CLOSE.max(16.0 * transfer::epsilon(x.dtype())),
                )?;
                Ok((found, in_order))
            }
        }
    }

    /// The relevance of a block of samples from some of its competitors.
    fn chunk<'m>(
        &self,
        input: &Node<'m, B>,
        output: &Node<'m, B>,
        root_output: &Node<'_, B>,
        competitors: &[Competitor],
        root_of: impl FnMut(&Competitor) -> usize,
    ) -> Result<Tensor<B, 2>> {
        let samples = input.value().dims()[0];
        let roots: Vec<usize> = competitors.iter().map(root_of).collect();
        let pairs: Vec<(usize, usize)> =
            competitors.iter().zip(roots).map(|(one, root)| (one.row, root)).collect();
        let centroids = self.network.centred_centroids();
        let (device, dtype) = (centroids.device(), centroids.dtype());
        let of = |clusters: Vec<usize>| centroids.clone().select(0, indices(&clusters, &device));
        let own = of(competitors.iter().map(|one| one.pair.c).collect());
        let other = of(competitors.iter().map(|one| one.pair.k).collect());
        let ratios = competitors.iter().map(|one| 2.0 * one.ratio).collect();
        let ratios = transfer::upload::<B, 2>(ratios, [competitors.len(), 1], &device, dtype);
        // The gradient of h_ck = 2 (μ_c − μ_k) z + ‖μ_k‖² − ‖μ_c‖² in the code.
        let multiplier = (own - other) * ratios;
        let found = output.secant_plan(root_output)?.run_pairs(&pairs, multiplier)?;
        let found = transfer::untracked(found.of(input)?.rows());
        let mut marks = vec![0.0; samples * pairs.len()];
        for (at, (row, _)) in pairs.iter().enumerate() {
            marks[row * pairs.len() + at] = 1.0;
        }
        let marks = transfer::upload::<B, 2>(marks, [samples, pairs.len()], &device, dtype);
        Ok(marks.matmul(found))
    }
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// Whether the encoder can run the secant pass, on one input.
    pub(super) fn check_secants(&self, x: &AnyTensor<B>) -> Result<()> {
        let (tape, roots) = (Tape::new(), Tape::new());
        let one = x.samples(0..1)?;
        let output = self.encoder.trace(tape.input("input", one.clone()))?;
        output.secant_plan(&self.encoder.trace(roots.input("input", one))?)?;
        Ok(())
    }
}
