use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::baseline::Tracked;
use neuralize::evaluate::{EvaluateConfig, Evaluation};
use neuralize::plot::{self, Figure};
use neuralize::record::Model;
use neuralize::report;

use crate::args::{ComparisonName, EvaluateArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::report::title;
use crate::command::stream::{self, Source};
use crate::output::Output;
use crate::progress::Bar;

impl Job for EvaluateArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        let format = self.format()?;
        let model = Model::<B>::load(&self.model, &session.device, session.dtype)?;
        let subject = Tracked::<Autodiff<B>>::new(model.clusterer().clone())?;
        // Where something cannot be written, that is said before anything is
        // computed.
        let mut output = Output::open(self.output.as_deref())?;
        let page = self.report.as_deref().map(|path| Output::open(Some(path))).transpose()?;
        if let Some(folder) = &self.figures {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        let title = title(&self.data);
        let x = self.scaled(session, &model, &title)?;

        let found = {
            let mut bar = Bar::methods(self.methods.0.len(), session.quiet);
            let mut progress = |done, _, method: &str| bar.set(done as u64, || method.to_owned());
            self.config().run(&subject, &x, &mut progress)
        };
        let found = match found {
            Err(Error::Empty { .. }) => bail!(nothing_to_evaluate(&title)),
            other => other?,
        };
        for method in &found.methods {
            if let Some(reason) = &method.refused {
                session.note(format!("note: {} is left out: {reason}", method.name));
            }
        }
        if let Some(mut page) = page {
            let name = Output::name(self.report.as_deref());
            let html = report::evaluation(&found, &title)?;
            page.write_all(html.as_bytes()).with_context(|| name.clone())?;
            page.finish()?;
            session.note(format!("report written to {name}"));
        }
        if let Some(folder) = &self.figures {
            draw(&found, folder, session)?;
        }
        let written = match format {
            ComparisonName::Text => output.write_all(found.text().as_bytes()),
            ComparisonName::Csv => found.write_csv(&mut output, self.delimiter(session)),
            ComparisonName::Json => found.write_json(&mut output),
        };
        written.with_context(|| Output::name(self.output.as_deref()))?;
        output.finish()
    }
}

impl EvaluateArgs {
    fn config(&self) -> EvaluateConfig {
        let mut config = EvaluateConfig {
            methods: self.methods.0.clone(),
            seed: self.seed,
            ..EvaluateConfig::default()
        };
        if let Some(points) = self.points {
            config.most_points = points;
        }
        config
    }

    /// All rows that are asked for, as the model sees them.
    fn scaled<B: Backend>(
        &self,
        session: &Session<B>,
        model: &Model<B>,
        title: &str,
    ) -> Result<Tensor<B, 2>> {
        let label = self.label.as_deref();
        let source =
            Source { path: &self.data, label, rows: self.rows.as_ref(), limit: self.limit };
        let mut parts = Vec::new();
        stream::scaled_parts(session, &source, model, |part| {
            parts.push(part.scaled.clone());
            Ok(())
        })?;
        if parts.is_empty() { bail!(nothing_to_evaluate(title)) } else { Ok(Tensor::cat(parts, 0)) }
    }

    /// How the results are written.
    fn format(&self) -> Result<ComparisonName> {
        let output = self.output.as_deref();
        if self.report.is_some() && Output::is_same(output, self.report.as_deref()) {
            let text = format!("--report: {} takes the results already", Output::name(output));
            return Err(Usage(text).into());
        }
        if let Some(format) = self.format {
            return Ok(format);
        }
        match ending(output).as_deref() {
            Some("json") => Ok(ComparisonName::Json),
            Some("csv" | "tsv" | "tab") => Ok(ComparisonName::Csv),
            Some(other @ ("html" | "htm" | "svg" | "png" | "parquet" | "pq" | "npy")) => {
                let text = format!(
                    "--output: results are not written as .{other}; name a .txt, .csv, .tsv or .json file (a page is --report)"
                );
                Err(Usage(text).into())
            }
            _ => Ok(ComparisonName::Text),
        }
    }

    fn delimiter<B: Backend>(&self, session: &Session<B>) -> u8 {
        let usual = match ending(self.output.as_deref()).as_deref() {
            Some("tsv" | "tab") => b'\t',
            _ => b',',
        };
        session.delimiter.unwrap_or(usual)
    }
}

fn ending(path: Option<&Path>) -> Option<String> {
    Some(path?.extension()?.to_string_lossy().to_lowercase())
}

fn nothing_to_evaluate(title: &str) -> String {
    format!("{title}: there is no row to explain")
}

/// Writes the curves of every reference, and how far methods agree.
fn draw<B: Backend>(found: &Evaluation, folder: &Path, session: &Session<B>) -> Result<()> {
    let mut written = 0;
    let mut save = |name: String, figure: Figure| -> Result<()> {
        figure.save(folder.join(format!("{name}.svg")))?;
        if cfg!(feature = "png") {
            figure.save(folder.join(format!("{name}.png")))?;
        }
        written += 1;
        Ok(())
    };
    for reference in found.references() {
        save(format!("flipping_{reference}"), plot::flipping(found, reference)?)?;
    }
    if !found.agreement.methods.is_empty() {
        save("agreement".into(), plot::agreement(found)?)?;
    }
    session.note(format!("{written} figures written to {}", folder.display()));
    Ok(())
}
