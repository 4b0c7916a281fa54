//! Forward and relevance pass of a neuralized k-means.

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::{KMeans, beta};
use crate::error::Result;
use crate::explain::{Explanation, Root, Rule, Target};
use crate::kernel::{self, Flag};
use crate::network::interface::{Dimensions, FusedLabels, Internals, Network, no_rule};
use crate::network::kmeans::NeuralizedKMeans;
use crate::network::pass::PoolingPass;
use crate::network::{midpoint, rooted};
use crate::validate;

impl<B: Backend> Internals<B> for NeuralizedKMeans<B> {
    fn dimensions(&self) -> Dimensions<B> {
        Dimensions::of_columns(&self.linear.weight.val())
    }

    fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        self.check_form(x)?;
        Ok(validate::usable(x))
    }

    fn fused_labels(&self, x: &Tensor<B, 2>, with_logits: bool) -> Option<FusedLabels<B>> {
        let affine = self.affine();
        if with_logits {
            let (labels, logits) = kernel::nearest_with_logit(x, &affine);
            return Some((labels, Some(logits)));
        }
        Some((kernel::nearest(x, &affine), None))
    }

    fn fused_logits(&self, x: &Tensor<B, 2>) -> Option<Tensor<B, 2>> {
        kernel::logits(x, &self.affine())
    }

    fn fused_explanation(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: f64,
    ) -> Option<Explanation<B>> {
        if self.root() != Root::Midway {
            return None;
        }
        let answer = kernel::explain(x, &self.affine(), target.question(beta))?;
        let kernel::Answer { relevance, logit, cluster, shares } = answer;
        let absorbed = Vec::new();
        Some(Explanation { relevance, logit, cluster, shares, target, beta, absorbed })
    }
}

impl<B: Backend> Network<B> for NeuralizedKMeans<B> {
    fn beta(&self) -> Option<f64> {
        beta::known(&self.beta)
    }

    /// The centroids, read back from the weights.
    fn centroids(&self) -> Tensor<B, 2> {
        self.centred_centroids() + self.center.val().unsqueeze()
    }

    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.linear.forward(self.centred(x))
    }

    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        let shifted = KMeans::from_centroids(self.centroids() + by)?;
        let shifted = match self.beta() {
            Some(beta) => shifted.with_beta(beta)?,
            None => shifted,
        };
        Ok(Some(Box::new(shifted.neuralize()?.with_root(self.root())?)))
    }

    fn explained_by(&self, rule: Rule) -> Result<Box<dyn Network<B>>> {
        match rule {
            Rule::Secant(root) => Ok(Box::new(self.clone().with_root(root)?)),
            _ => Err(no_rule(rule, "k-means has Secant alone, which from Midway is NEON")),
        }
    }

    fn as_kmeans(&self) -> Option<&NeuralizedKMeans<B>> {
        Some(self)
    }

    /// The pass, layer by layer from the output to the input.
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        if self.root() != Root::Midway {
            return self.explain_rooted(x, target, beta, self.root());
        }
        let centroids = self.centred_centroids();
        let squares = centroids.clone().square();
        let centred = self.centred(x);
        let scores = self.linear.forward(centred.clone());
        let pass = PoolingPass::of(&scores, target, beta);
        let relevance = midpoint::relevance(centred, &centroids, &squares, pass.coefficients());
        pass.explanation(relevance, target, beta)
    }

    fn explain_block_from(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Result<Explanation<B>> {
        Ok(self.explain_rooted(x, target, beta, root))
    }
}

impl<B: Backend> NeuralizedKMeans<B> {
    fn explain_rooted(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Explanation<B> {
        let centroids = self.centred_centroids();
        let centred = self.centred(x);
        let scores = self.linear.forward(centred.clone());
        let pass = PoolingPass::of(&scores, target, beta);
        let relevance = rooted::relevance(centred, &centroids, &scores, &pass, root);
        pass.explanation(relevance, target, beta)
    }
}
