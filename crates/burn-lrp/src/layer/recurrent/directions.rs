use burn::nn::gru::BiGru;
use burn::nn::{BiLstm, BiRnn};
use burn::tensor::backend::Backend;

use crate::error::{Error, Result};
use crate::graph::{Node, Relevance};
use crate::layer::recurrent::unrolled::Unrolled;

/// Layers of two directions; what the first one's own settings say.
macro_rules! bidirectional {
    ($($layer:ident: |$this:ident| $forward:expr;)+) => {$(
        /// Both directions side by side: two layers, `forward` and `reverse`, and a
        /// [`Concat`](crate::Concat).
        impl<B: Backend> Relevance<B> for $layer<B> {
            fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
                let $this = self;
                // As Burn runs them: settings of the layer within, but for the second direction.
                let (inner_batch_first, reverse) = $forward;
                if !inner_batch_first {
                    let detail = "the layers within must have `batch_first`; set it for both directions \
                                  together, on the outer layer";
                    return Err(Error::layer(stringify!($layer), detail));
                }
                let batch_first = self.batch_first;
                let forward = Unrolled { cell: &self.forward, batch_first, reverse };
                let backward = Unrolled { cell: &self.reverse, batch_first, reverse: true };
                let forward = input.made("forward", forward, &[])?;
                let backward = input.made("reverse", backward, &[])?;
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
