//! Recurrent layers that run in both directions.

use burn::nn::gru::BiGru;
use burn::nn::{BiLstm, BiRnn};
use burn::tensor::backend::Backend;

use crate::error::{Error, Result};
use crate::graph::{Node, Relevance};
use crate::layers::recurrent::unrolled::Unrolled;

/// Layers of two directions, with the settings of the forward direction.
macro_rules! bidirectional {
    ($($layer:ident: |$this:ident| $forward:expr;)+) => {$(
        /// Both directions: two layers, `forward` and `reverse`, and a
        /// [`Concat`](crate::Concat) of their outputs.
        impl<B: Backend> Relevance<B> for $layer<B> {
            fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
                let $this = self;
                // As in Burn: the settings of the inner layer, except for the second direction.
                let (inner_batch_first, reverse) = $forward;
                if !inner_batch_first {
                    let detail = "the inner layers must have `batch_first`; to change the order for \
                                  both directions, set it on the outer layer";
                    return Err(Error::layer(stringify!($layer), detail));
                }
                let batch_first = self.batch_first;
                let forward = Unrolled { cell: &self.forward, batch_first, reverse };
                let backward = Unrolled { cell: &self.reverse, batch_first, reverse: true };
                let forward = input.apply("forward", forward, &[])?;
                let backward = input.apply("reverse", backward, &[])?;
                forward.concat(&[&backward], 2)
            }
        }
    )+};
}

bidirectional! {
    BiLstm: |layer| (layer.forward.batch_first, layer.forward.reverse);
    BiRnn: |layer| (layer.forward.batch_first, layer.forward.reverse);
    BiGru: |_layer| (true, false);
}
