//! `neuralize report`

use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::data::TableOptions;
use neuralize::explain::{Beta, Target};
use neuralize::record::Model;

use crate::args::{ModelArgs, PageFormat};
use crate::backend::{Job, Session};
use crate::command::page::{self, Page};
use crate::command::shared;
use crate::parse::{self, Group};

#[derive(Args)]
#[command(
    after_help = "The table is held in memory. The page contains everything that it shows and loads nothing.\n\n\
                  Example: neuralize report wine.csv --model model --label target -o wine.html\n\
                  Example: neuralize report wine.csv --model model -o wine.html --group colour=hue,color_intensity\n\
                  Example: neuralize report wine.csv --model model -o wine.md"
)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    input: ModelArgs,
    /// File for the page
    #[arg(long, short, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    output: PathBuf,
    /// Format of the page [default: from the extension of the file, otherwise html]
    #[arg(long, value_enum)]
    format: Option<PageFormat>,
    /// Column of known classes, which are compared with the clusters
    #[arg(long, value_name = "COL")]
    label: Option<String>,
    /// Columns that the page shows as one, which can be unfolded; may be given several times
    #[arg(long, value_name = "NAME=A,B,..", value_parser = parse::group)]
    group: Vec<Group>,
    /// Weighting of the competitors: auto (from the model) or a number, from 0 (all alike) to inf
    /// (only the nearest)
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|B",
        value_parser = parse::beta,
        allow_negative_numbers = true
    )]
    beta: Beta,
    /// Also write figures to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    figures: Option<PathBuf>,
}

impl Job for ReportArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        self.report(session).map_err(|error| {
            shared::advised(error, &self.input.model, "give one, such as --beta 1")
        })
    }
}

impl ReportArgs {
    fn report<B: Backend>(&self, session: &Session<B>) -> Result<()> {
        shared::check_output(&self.input, Some(&self.output))?;
        shared::check_figures(self.figures.as_deref(), &self.input.data)?;
        let model = Model::<B>::load(&self.input.model, &session.device, session.dtype)?;
        let network = model.neuralize()?;
        let (path, label) = (&self.input.data, self.label.as_ref());
        let mut page =
            Page::start(session, &model, path, self.beta, &self.output, self.format, label)?;
        for group in &self.group {
            page = page.group(group)?;
        }
        let options = self.input.options(model.table_options());
        let options = label.into_iter().fold(options, TableOptions::with_label);
        let reader = shared::open(session, path, options)?;
        shared::each_part(session, path, model.parts(reader)?, |part| {
            let explanation = network.explain(&part.x, Target::Assigned, self.beta)?;
            page.add(part, &explanation)
        })?;
        if let Some(folder) = &self.figures {
            page::draw(&page.cases()?, folder, session)?;
        }
        page.finish()
    }
}
