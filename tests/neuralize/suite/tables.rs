//! Tables whose columns are not all numbers.

use neuralize::cluster::{ClustererConfig, KMeansConfig};
use neuralize::data::{ColumnKind, Encoding, Missing, Scale, Survey, SurveyOptions, TableReader};
use neuralize::explain::{Beta, Target};
use neuralize::record::{Model, ModelInfo};

use super::naive::{self, Question, squared_distance};
use super::*;

const COLOURS: [&str; 3] = ["blue", "green", "red"];

/// A row of the table: what it holds, where it holds something.
struct Shape {
    width: Option<f64>,
    colour: Option<usize>,
    sold: Option<bool>,
}

fn shapes() -> Vec<Shape> {
    let numbers = random_rows(90, 2, 0.0, 5);
    let of = |(i, row): (usize, &Vec<f64>)| Shape {
        width: (i != 7).then(|| 8.0 * (i % 3) as f64 + row[0]),
        // Red is the rarest, blue the most frequent.
        colour: (i % 30 != 11).then(|| [0, 0, 1, 2, 0, 1][(i / 3 + i % 3) % 6]),
        sold: (i != 20).then(|| i % 3 == 2 || row[1] > 2.0),
    };
    numbers.iter().enumerate().map(of).collect()
}

fn text(shapes: &[Shape]) -> String {
    let mut text = String::from("name,width,colour,sold\n");
    for (i, shape) in shapes.iter().enumerate() {
        let width = shape.width.map_or("NA".to_owned(), |width| width.to_string());
        let colour = shape.colour.map_or("", |colour| COLOURS[colour]);
        let sold = shape.sold.map_or("?", |sold| if sold { "yes" } else { "no" });
        text += &format!("shape {i},{width},{colour},{sold}\n");
    }
    text
}

/// The table by the definition: median and most frequent value where there is none, an indicator
/// for every colour, mean 0 and standard deviation 1, and indicators times 1 / √(1 − Σ p²).
fn by_hand(shapes: &[Shape]) -> Rows {
    let mut widths: Vec<f64> = shapes.iter().filter_map(|shape| shape.width).collect();
    widths.sort_by(f64::total_cmp);
    let middle = widths.len() / 2;
    let median = if widths.len() % 2 == 1 {
        widths[middle]
    } else {
        (widths[middle - 1] + widths[middle]) / 2.0
    };
    let yes = shapes.iter().filter(|shape| shape.sold == Some(true)).count();
    let no = shapes.iter().filter(|shape| shape.sold == Some(false)).count();
    let filled: Vec<(f64, usize, f64)> = shapes
        .iter()
        .map(|shape| {
            let sold = shape.sold.unwrap_or(yes > no);
            (shape.width.unwrap_or(median), shape.colour.unwrap_or(0), f64::from(u8::from(sold)))
        })
        .collect();
    let n = filled.len() as f64;
    let standard = |values: Vec<f64>| -> Vec<f64> {
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        values.iter().map(|value| (value - mean) / variance.sqrt()).collect()
    };
    let width = standard(filled.iter().map(|row| row.0).collect());
    let sold = standard(filled.iter().map(|row| row.2).collect());
    let share = |colour: usize| filled.iter().filter(|row| row.1 == colour).count() as f64 / n;
    let weight = 1.0 / (1.0 - (0..3).map(|colour| share(colour).powi(2)).sum::<f64>()).sqrt();
    (0..filled.len())
        .map(|i| {
            let mut row = vec![width[i], 0.0, 0.0, 0.0, sold[i]];
            row[1 + filled[i].1] = weight;
            row
        })
        .collect()
}

fn survey(text: &str) -> Survey {
    let options = SurveyOptions::new(Default::default());
    Survey::csv("shapes.csv", text.as_bytes(), &options).expect("a table")
}

pub fn mixed_tables_are_explained_by_definition<B: Backend>(setup: &Setup<B>) {
    let shapes = shapes();
    let text = text(&shapes);
    let survey = survey(&text);
    let kinds: Vec<ColumnKind> = survey.found().iter().map(|found| found.kind).collect();
    let expected =
        [ColumnKind::Identifier, ColumnKind::Number, ColumnKind::Category, ColumnKind::Flag];
    assert_eq!(kinds, expected);
    assert_eq!(survey.suggested_scale().0, Scale::Standard);
    let table = survey.table().expect("a table");
    let (scaler, data) = Scale::Standard
        .fit_rows::<B>(table.clone(), "shapes.csv".into(), &setup.device, setup.dtype)
        .expect("a scaler");
    let expected = by_hand(&shapes);
    assert_rows_close(&rows(data.x.clone()), &expected, setup.tolerance, "scaled rows");

    // Every column contributes alike to the mean squared distance of two rows.
    let contribution = |columns: std::ops::Range<usize>| {
        let pairs = expected.iter().flat_map(|a| expected.iter().map(move |b| (a, b)));
        let distances =
            pairs.map(|(a, b)| squared_distance(&a[columns.clone()], &b[columns.clone()]));
        distances.sum::<f64>() / (expected.len() * expected.len()) as f64
    };
    for columns in [0..1, 1..4, 4..5] {
        assert!((contribution(columns) - 2.0).abs() < 1e-9);
    }

    let fit = ClustererConfig::from(KMeansConfig::new(3)).fit(&data.x).expect("a fit");
    let info = ModelInfo::from(&fit).with_table(&data.table).with_scale(Scale::Standard);
    let model = Model::new(scaler, fit.clusterer, info).expect("a model");
    let folder = tempfile::tempdir().expect("a temporary folder");
    model.save(folder.path().join("m")).expect("saved");
    let loaded: Model<B> =
        Model::load(folder.path().join("m"), &setup.device, setup.dtype).expect("loaded");
    assert_eq!(loaded.info().encoding, Some(survey.encoding().expect("an encoding")));

    let network = loaded.neuralize().expect("a network");
    let centroids = rows(network.centroids());
    let reader = TableReader::csv("shapes.csv", text.as_bytes(), &loaded.table_options());
    let parts = loaded.parts(reader.expect("a table")).expect("the same features");
    let mut seen = 0;
    for part in parts.with_part_rows(40) {
        let part = part.expect("rows");
        let explanation =
            network.explain(&part.x, Target::Assigned, Beta::Value(0.7)).expect("explained");
        let logits = values(explanation.logit.clone());
        let clusters = indices(explanation.cluster.clone());
        let encoding = part.table.encoding().expect("an encoding").clone();
        let by_column = rows(explanation.by_column(Some(&encoding)).expect("by column").relevance);
        for (at, &row) in part.rows.iter().enumerate() {
            let found = naive::neon(&expected[row], &centroids, &Question::Soft(clusters[at]), 0.7);
            let sums = [found[0], found[1..4].iter().sum(), found[4]];
            let size: f64 = found.iter().map(|relevance| relevance.abs()).sum();
            for (column, sum) in sums.into_iter().enumerate() {
                assert!((by_column[at][column] - sum).abs() <= 50.0 * setup.tolerance * size);
            }
            let error = by_column[at].iter().sum::<f64>() - logits[at];
            let tolerance = if setup.dtype == DType::F64 { 1e-12 } else { 1e-5 };
            assert!(error.abs() <= tolerance * size, "{error} of {size}");
            seen += 1;
        }
    }
    assert_eq!(seen, shapes.len());
}

/// Robust scaling and weights of categories, from their definitions.
pub fn scales_by_definition<B: Backend>(setup: &Setup<B>) {
    let table = setup.rounded(&random_rows(41, 3, 2.0, 9));
    let scaler = Scale::Robust.fit(&setup.tensor(&table)).expect("a scaler");
    let scaled = rows(scaler.transform(&setup.tensor(&table)).expect("scaled"));
    for column in 0..3 {
        let mut values: Vec<f64> = table.iter().map(|row| row[column]).collect();
        values.sort_by(f64::total_cmp);
        // 41 values: the quartiles are values themselves.
        let (low, median, high) = (values[10], values[20], values[30]);
        for (row, found) in table.iter().zip(&scaled) {
            let expected = (row[column] - median) / (high - low);
            assert!((found[column] - expected).abs() <= setup.tolerance * expected.abs().max(1.0));
        }
    }
    // Two different values are at distance 1 where nothing is standardised.
    let text = "x,c\n0,a\n1,b\n2,a\n3,c\n4,c\n5,b\n";
    let table = survey(text).table().expect("a table");
    for scale in [Scale::None, Scale::MinMax] {
        let (_, data) = scale
            .fit_rows::<B>(table.clone(), "t".into(), &setup.device, setup.dtype)
            .expect("a scaler");
        let rows = rows(data.x);
        let apart = squared_distance(&rows[0][1..], &rows[1][1..]);
        assert!((apart - 1.0).abs() <= setup.tolerance);
        assert!(squared_distance(&rows[0][1..], &rows[2][1..]) == 0.0);
    }
    let (_, data) = Scale::Robust
        .fit_rows::<B>(table, "t".into(), &setup.device, setup.dtype)
        .expect("a scaler");
    let rows = rows(data.x);
    // 2 w² = 2 / (1.349² (1 − 3/9))
    let expected = 2.0 / (1.349f64.powi(2) * (2.0 / 3.0));
    let apart = squared_distance(&rows[0][1..], &rows[1][1..]);
    assert!((apart - expected).abs() <= 10.0 * setup.tolerance);
}

/// What a survey says of columns, and what an encoding does with cells that it does not expect.
pub fn columns_are_what_they_seem<B: Backend>(_: &Setup<B>) {
    let lines = |header: &str, line: &dyn Fn(usize) -> String| -> String {
        (0..40).map(|i| line(i) + "\n").fold(format!("{header}\n"), |text, line| text + &line)
    };
    let kinds = |text: &str| -> Vec<ColumnKind> {
        survey(text).found().iter().map(|found| found.kind).collect()
    };
    use ColumnKind::*;
    let text = lines("Unnamed: 0,a,PassengerId,b,c,d,e,f,g", &|i| {
        let text = ["x", "y"][i % 2];
        format!(
            "{i},{},{},{text}{i},{text}{},{},,{},7",
            i * i,
            900 - i,
            i % 22,
            i % 3,
            2.5 + i as f64
        )
    });
    let expected =
        [Identifier, Number, Identifier, Identifier, Text, Number, Empty, Number, Constant];
    assert_eq!(kinds(&text), expected);
    // A first column in order is a number of the row; in another place it is a number, unless it
    // counts from one row to the next.
    assert_eq!(kinds(&lines("a,b", &|i| format!("{},{}", 3 * i, i % 4)))[0], Identifier);
    assert_eq!(kinds(&lines("b,a", &|i| format!("{},{}", i % 4, 3 * i)))[1], Number);
    assert_eq!(kinds(&lines("b,a", &|i| format!("{},{}", i % 4, (7 * i) % 40)))[1], Identifier);
    assert_eq!(kinds(&lines("a,b", &|i| format!("{},{}", 1 + i % 9, i % 4)))[0], Number);
    assert_eq!(kinds(&lines("d,b", &|i| format!("2024-02-{:02},{}", 1 + i % 28, i % 4)))[0], Date);
    assert_eq!(kinds(&lines("d,b", &|i| format!("{},{}", ["True", "no"][i % 2], i % 4)))[0], Flag);
    let mixed = kinds(&lines("a,b", &|i| {
        format!("{},{i}.5", if i == 9 { "x".into() } else { i.to_string() })
    }));
    assert_eq!(mixed[0], Mixed);
    // Equal numbers are one category, however they are written.
    let text = lines("c,x", &|i| format!("{},{i}.5", ["1", "1.0", "01", "b", "c"][i % 5]));
    let options = SurveyOptions::new(Default::default()).with_kind("c", Category);
    let survey = Survey::csv("t", text.as_bytes(), &options).expect("a survey");
    assert_eq!(survey.table().expect("a table").features(), ["c=1", "c=b", "c=c", "x"]);

    // An encoding of one's own.
    let encoding: Encoding = serde_json::from_str(
        r#"{"columns": [{"name": "c", "kind": "category", "values": ["b", "1"], "fill": 1.0},
            {"name": "x", "kind": "number", "log": true}, {"name": "d", "kind": "date"}], "missing": "drop"}"#,
    )
    .expect("an encoding");
    assert_eq!(encoding.missing, Missing::Drop);
    let options = neuralize::data::TableOptions::default().with_encoding(encoding);
    let text = "x,d,c\n0,1970-01-02,1.0\n,1970-01-02,b\n3,1970-01-01 12:00,z\n";
    let mut reader = TableReader::csv("t", text.as_bytes(), &options).expect("a table");
    let table = reader.read_all().expect("rows");
    assert_eq!((table.rows(), table.rows_read(), table.numbers()), (2, 3, vec![0, 2]));
    assert_eq!(table.row(0), Some(&[0.0, 1.0, 0.0, 1.0][..]));
    assert_eq!(table.row(1), Some(&[0.0, 0.0, 4f64.ln(), 0.5][..]));
    assert_eq!(table.gaps().unknown[&0], (1, "z".to_owned()));
}
