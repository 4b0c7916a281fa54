use burn::nn::pool::{AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d};
use burn::tensor::backend::Backend;
use burn::tensor::module::{adaptive_avg_pool2d, avg_pool2d};

use crate::affine;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Family, Handed, Kind, Layer, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

use super::windows::{Settings, Windows, padding_1d, padding_2d};
use super::{Pooled, image, unimage};

const AVERAGE_RULES: &[RuleName] = &[
    RuleName::Zero,
    RuleName::Epsilon,
    RuleName::Gamma,
    RuleName::ZPlus,
    RuleName::AlphaBeta,
    RuleName::WSquare,
    RuleName::Flat,
    RuleName::Box,
    RuleName::Proportional,
];

/// A layer that averages windows.
struct Average {
    windows: Windows,
    /// None for adaptive pooling.
    settings: Option<Settings>,
    /// Whether padding counts as zeros to average over.
    counts_padding: bool,
}

impl Average {
    fn forward<B: Backend>(&self, image: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        let output = match &self.settings {
            Some(settings) => avg_pool2d(
                settings.uneven(image, 0.0).tensor()?,
                settings.kernel,
                settings.stride,
                settings.remaining(),
                self.counts_padding,
                settings.ceil,
            ),
            None => adaptive_avg_pool2d(image.tensor()?, self.windows.output()),
        };
        Ok(output.into())
    }

    fn relevance<B: Backend>(
        self,
        step: &Step<'_, B>,
        rule: &Rule,
        space: usize,
    ) -> Result<Handed<B>> {
        let x = step.input()?;
        let input = image("pooling", x, space)?;
        let [height, width] = self.windows.output();
        let dims = input.dims();
        let output = [dims[0], dims[1], height, width];
        let layer =
            Pooled { weight: self.windows.shares(self.counts_padding, x), windows: self.windows };
        let as_image = Step {
            inputs: &[input],
            output: &step.output.reshape(&output)?,
            relevance: &step.relevance.reshape(&output)?,
            report: step.report,
        };
        let handed = affine::relevance(&layer, &as_image, rule)?;
        let inputs = handed.inputs.iter().map(|r| unimage(r, space)).collect();
        Ok(Handed { inputs, bias: handed.bias })
    }
}

macro_rules! average {
    ($layer:ident, $space:literal, |$this:ident, $size:ident| $average:expr) => {
        /// An average is an affine layer whose weights are one over the size of a
        /// window, with all rules of such; `proportional` is its LRP-0.
        impl<B: Backend> Layer<B> for $layer {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Pooling)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                let ($this, image) = (self, image(stringify!($layer), only(inputs)?, $space)?);
                let $size = [image.dims()[2], image.dims()[3]];
                let average: Average = $average?;
                Ok(unimage(&average.forward(&image)?, $space))
            }

            fn rules(&self) -> &'static [RuleName] {
                AVERAGE_RULES
            }

            fn default_rule(&self) -> Rule {
                Rule::EPSILON
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Handed<B>> {
                let ($this, image) = (self, image(stringify!($layer), step.input()?, $space)?);
                let $size = [image.dims()[2], image.dims()[3]];
                let average: Average = $average?;
                average.relevance(step, rule, $space)
            }
        }

        leaf!($layer);
    };
}

fn regular(name: &str, settings: Settings, size: [usize; 2], counts: bool) -> Result<Average> {
    // An uneven padding is a part of the image that Burn averages.
    let counts_padding = counts || !settings.symmetric();
    let windows = settings.windows(name, size, counts_padding)?;
    Ok(Average { windows, settings: Some(settings), counts_padding })
}

fn adaptive(name: &str, input: [usize; 2], output: [usize; 2]) -> Result<Average> {
    if output.contains(&0) {
        return Err(Error::layer(name, "the size of the output must be at least 1"));
    }
    let windows = Windows::Adaptive { input, output };
    Ok(Average { windows, settings: None, counts_padding: false })
}

average!(AvgPool1d, 1, |layer, size| {
    let settings = Settings {
        kernel: [1, layer.kernel_size],
        stride: [1, layer.stride],
        dilation: [1, 1],
        padding: padding_1d(&layer.padding, size[1], layer.kernel_size, layer.stride),
        ceil: layer.ceil_mode,
    };
    regular("AvgPool1d", settings, size, layer.count_include_pad)
});

average!(AvgPool2d, 2, |layer, size| {
    let settings = Settings {
        kernel: layer.kernel_size,
        stride: layer.stride,
        dilation: [1, 1],
        padding: padding_2d(&layer.padding, size, layer.kernel_size, layer.stride),
        ceil: layer.ceil_mode,
    };
    regular("AvgPool2d", settings, size, layer.count_include_pad)
});

average!(AdaptiveAvgPool1d, 1, |layer, size| adaptive(
    "AdaptiveAvgPool1d",
    size,
    [1, layer.output_size]
));

average!(AdaptiveAvgPool2d, 2, |layer, size| adaptive(
    "AdaptiveAvgPool2d",
    size,
    layer.output_size
));
