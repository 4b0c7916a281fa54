//! An evaluation as JSON, CSV and a text table.

use std::io::{self, Write};

use crate::evaluate::{Better, Evaluation, Measure};
use crate::text::words::number;

impl Evaluation {
    /// Writes the evaluation as one JSON object.
    ///
    /// # Errors
    ///
    /// If the destination cannot be written.
    pub fn write_json(&self, mut destination: impl Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut destination, self)?;
        writeln!(destination)
    }

    /// Writes the values as CSV, one a line: `method,measure,value`. Refused methods
    /// have no line.
    ///
    /// # Errors
    ///
    /// If the destination cannot be written.
    pub fn write_csv(&self, destination: impl Write, delimiter: u8) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(destination);
        writer.write_record(["method", "measure", "value"])?;
        for method in &self.methods {
            for (measure, value) in &method.values {
                let value = value.to_string();
                writer.write_record([method.name.as_str(), measure.name(), &value])?;
            }
        }
        writer.flush()
    }

    /// A table for a terminal, methods by measures, with the meaning of every column
    /// below it. `*` marks the best value of a column, `~` a gain that random orders reach
    /// as well.
    pub fn text(&self) -> String {
        self.text_of(&self.measures())
    }

    /// The same with five measures, and [`advice`](Self::advice) at the end.
    pub fn brief(&self) -> String {
        let five = [
            Measure::GainCompetitor,
            Measure::GainMean,
            Measure::Conservation,
            Measure::Shift,
            Measure::Seconds,
        ];
        let known = self.measures();
        let measures: Vec<Measure> = five.into_iter().filter(|one| known.contains(one)).collect();
        format!("{}\n{}\n", self.text_of(&measures), self.advice())
    }

    fn text_of(&self, measures: &[Measure]) -> String {
        let mut columns = vec![TextColumn::of_names(self)];
        columns.extend(measures.iter().map(|&measure| TextColumn::of(self, measure)));
        let mut text = format!(
            "{} points, {} features, {} clusters, seed {}\n\n",
            number(self.points as f64),
            self.features,
            self.clusters,
            self.seed
        );
        let lines = columns.first().map_or(0, |column| column.cells.len());
        for line in 0..lines {
            let cells: Vec<String> = columns.iter().map(|column| column.padded(line)).collect();
            text += cells.join("  ").trim_end();
            text.push('\n');
        }
        let mut notes = vec![
            ("*".to_owned(), "the best of a column (`random` does not count)".to_owned()),
            ("~".to_owned(), "no more than random orders reach".to_owned()),
        ];
        if self.methods.iter().any(|method| method.values.len() < measures.len()) {
            let words = "not defined, or the method does not work for this model or these data";
            notes.push(("-".to_owned(), words.to_owned()));
        }
        notes.extend(measures.iter().map(|&measure| {
            let better = match measure.better() {
                Better::Higher => "higher is better",
                Better::Lower => "lower is better",
            };
            (measure.title().to_owned(), format!("{}; {better}", summary(measure)))
        }));
        let wide = notes.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        text.push('\n');
        for (name, words) in notes {
            text += &format!("{name:<wide$}  {words}\n");
        }
        text
    }
}

/// A column of the table with its head.
struct TextColumn {
    cells: Vec<String>,
    width: usize,
    right: bool,
}

impl TextColumn {
    fn new(cells: Vec<String>, right: bool) -> Self {
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        Self { cells, width, right }
    }

    fn of_names(evaluation: &Evaluation) -> Self {
        let head = [String::new(), "method".to_owned()];
        let names = evaluation.methods.iter().map(|method| method.name.clone());
        Self::new(head.into_iter().chain(names).collect(), false)
    }

    fn of(evaluation: &Evaluation, measure: Measure) -> Self {
        // A head of two lines keeps the table narrow. A number has a place for its mark.
        let title = measure.title();
        let (above, below) = title.rsplit_once(' ').unwrap_or(("", title));
        let head = [above, below].map(|line| format!("{line} "));
        let value = |method| {
            let method: &super::MethodResult = method;
            match method.values.get(&measure) {
                None => "- ".to_owned(),
                Some(value) => {
                    let best = evaluation.is_best(method, measure);
                    let chance = evaluation.is_chance(method, measure);
                    let mark = match (best, chance) {
                        (_, true) => '~',
                        (true, false) => '*',
                        (false, false) => ' ',
                    };
                    format!("{}{mark}", number(*value))
                }
            }
        };
        let values = evaluation.methods.iter().map(value);
        Self::new(head.into_iter().chain(values).collect(), true)
    }

    fn padded(&self, line: usize) -> String {
        let (cell, width) = (self.cells.get(line).map_or("", String::as_str), self.width);
        if self.right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    }
}

/// A measure in one line.
fn summary(measure: Measure) -> &'static str {
    match measure {
        Measure::GainCompetitor => {
            "area between the logit curves with the least and with the most relevant features replaced first, by the competing centroid"
        }
        Measure::GainMean => "the same with the mean of the data",
        Measure::GainSample => "the same with a point of the competing cluster",
        Measure::ChangeGain => {
            "how much sooner points change cluster with the most relevant features replaced first"
        }
        Measure::Conservation => "|sum of relevances - logit| over the sum of |relevances|",
        Measure::Continuity => "maximum rate of change of the relevances between points",
        Measure::Infidelity => {
            "part of the logit's changes that sums of relevances do not explain, as sets of features are replaced"
        }
        Measure::Shift => "change of the explanation when data and model are shifted",
        Measure::Scale => "change of the explanation when data and model are scaled",
        Measure::Randomisation => {
            "rank correlation with the explanation of a model that has learnt nothing"
        }
        Measure::Seconds => "run time",
    }
}
