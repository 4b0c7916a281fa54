//! The page of a report, seen from outside: what is in the file is compared with
//! the explanations. What a browser makes of it is tested in `tests/browser`.

use base64::Engine as _;
use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use neuralize::choose::{ChooseConfig, FittedBy, Rows};
use neuralize::prelude::*;
use neuralize::report::{self, Report, ReportBuilder};
use serde_json::Value;

use crate::compared;

fn model(table: &Table, scale: Scale, config: &KMeansConfig) -> Model<Flex> {
    let x = tensor(table);
    let scaler = scale.fit(&x).unwrap();
    let fit = config.fit(&scaler.transform(&x).unwrap()).unwrap();
    let info = ModelInfo::new(table.features()).with_scale(scale).with_seed(u64::MAX);
    Model::new(scaler, fit.model, info).unwrap()
}

fn tensor(table: &Table) -> Tensor<Flex, 2> {
    table.to_tensor(&Default::default(), DType::F64).unwrap()
}

fn values<const D: usize>(tensor: Tensor<Flex, D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// `rows` × `features` numbers in `clusters` heaps.
fn heaps(rows: usize, features: usize, clusters: usize) -> Table {
    let names = (0..features).map(|i| format!("feature {i}")).collect();
    let value = |row: usize, i: usize| {
        let noise = ((row * 7919 + i * 104_729) as f64).sin();
        (((row % clusters) * (i + 3)) % 11) as f64 + noise
    };
    let values = (0..rows).flat_map(|row| (0..features).map(move |i| value(row, i))).collect();
    Table::new(names, values).unwrap()
}

fn renamed(table: &Table, name: impl Fn(usize) -> String) -> Table {
    let values = (0..table.rows()).flat_map(|row| table.row(row).unwrap().to_vec()).collect();
    Table::new((0..table.features().len()).map(name).collect(), values).unwrap()
}

/// The data in a page.
struct Page(Value);

impl Page {
    fn of(html: &str) -> Self {
        let (_, rest) =
            html.split_once("<script type=\"application/json\" id=\"report-data\">").unwrap();
        let (data, _) = rest.split_once("</script>").unwrap();
        Self(serde_json::from_str(data).unwrap())
    }

    fn bytes(&self, at: &str) -> Vec<u8> {
        let text = self.0.pointer(at).unwrap().as_str().unwrap();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    }

    fn f64(&self, at: &str) -> Vec<f64> {
        self.bytes(at).chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
    }

    /// In single precision; in double where the page says so.
    fn f32(&self, at: &str) -> Vec<f64> {
        let text = self.0.pointer(at).unwrap().as_str().unwrap();
        if let Some(wide) = text.strip_prefix("f8:") {
            let bytes = base64::engine::general_purpose::STANDARD.decode(wide).unwrap();
            let of = |b: &[u8]| f64::from_le_bytes(b.try_into().unwrap());
            return bytes.chunks_exact(8).map(of).collect();
        }
        let of = |b: &[u8]| f64::from(f32::from_le_bytes(b.try_into().unwrap()));
        self.bytes(at).chunks_exact(4).map(of).collect()
    }

    fn i32(&self, at: &str) -> Vec<i64> {
        let of = |b: &[u8]| i64::from(i32::from_le_bytes(b.try_into().unwrap()));
        self.bytes(at).chunks_exact(4).map(of).collect()
    }

    fn number(&self, at: &str) -> u64 {
        self.0.pointer(at).unwrap().as_u64().unwrap()
    }
}

#[test]
fn every_explanation_of_wine_is_in_the_page() {
    let wine = Table::wine();
    let start = Init::Rows(vec![54, 98, 149]);
    let model = model(&wine, Scale::MinMax, &KMeansConfig::new(3).with_init(start));
    let html = Report::of(&model, &wine, "wine.csv", Beta::Value(1.0)).unwrap().html();
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    let page = Page::of(&html);
    assert_eq!((page.number("/total"), page.number("/listed/count")), (178, 178));
    assert_eq!(page.i32("/listed/detail"), (0..178).collect::<Vec<_>>());
    assert_eq!(page.0["model"]["seed"], u64::MAX.to_string());
    assert_eq!(page.0["model"]["beta"], 1.0);
    assert_eq!(
        (page.number("/agreeing"), &page.0["classes"]),
        (169, &serde_json::json!(["0", "1", "2"]))
    );
    let misplaced = page.bytes("/listed/misplaced");
    let misplaced: Vec<usize> = (0..178).filter(|&i| misplaced[i] == 1).collect();
    assert_eq!(misplaced, [60, 61, 68, 70, 73, 83, 92, 95, 118]);

    let x = model.scaler().transform(&tensor(&wine)).unwrap();
    let network = model.neuralize().unwrap();
    let found = network.explain(&x, Target::Assigned, Beta::Value(1.0)).unwrap();
    let cluster: Vec<i64> = found.cluster.clone().into_data().iter().collect();
    assert_eq!(page.f64("/details/relevance"), values(found.relevance.clone()));
    assert_eq!(page.f64("/listed/logit"), values(found.logit.clone()));
    assert_eq!(page.i32("/listed/cluster"), cluster);
    let raw: Vec<f64> = (0..178).flat_map(|row| wine.row(row).unwrap().to_vec()).collect();
    assert_eq!(page.f64("/details/values"), raw);

    // Contrasts by the definition.
    let centroids: Vec<Vec<f64>> =
        values(network.centroids()).chunks(13).map(<[f64]>::to_vec).collect();
    let scaled: Vec<Vec<f64>> = values(x.clone()).chunks(13).map(<[f64]>::to_vec).collect();
    let (contrast, logits) = (page.f32("/details/contrast"), page.f64("/details/contrast_logit"));
    let versus = page.i32("/details/versus");
    for point in 0..178 {
        let own = cluster[point] as usize;
        let others: Vec<usize> = (0..3).filter(|&k| k != own).collect();
        for (slot, &other) in others.iter().enumerate() {
            assert_eq!(versus[2 * point + slot], other as i64);
            let mut sum = 0.0;
            for i in 0..13 {
                let expected = (scaled[point][i] - centroids[other][i]).powi(2)
                    - (scaled[point][i] - centroids[own][i]).powi(2);
                let shown = contrast[(2 * point + slot) * 13 + i];
                assert!((shown - expected).abs() < 1e-6, "{shown} against {expected}");
                sum += expected;
            }
            assert!((logits[2 * point + slot] - sum).abs() < 1e-12);
            let sentence = page.0["details"]["sentences"][point][slot].as_str().unwrap();
            assert!(sentence.starts_with(&format!("In cluster {own} rather than {other} ")));
        }
    }
    let said = page.0["details"]["sentences"][70][1].as_str().unwrap();
    assert_eq!(
        said,
        "In cluster 2 rather than 1 mainly because od280/od315_of_diluted_wines (1.82) and total_phenols (1.10) are low; \
         color_intensity and malic_acid speak against it."
    );

    // Two clusters beside one another: the mean of the contrasts of the rows of each.
    let pairs = page.0["profile"]["versus"].as_array().unwrap();
    assert_eq!(pairs.len(), 3);
    for (at, pair) in pairs.iter().enumerate() {
        let ends = [&pair["a"], &pair["b"]].map(|end| end.as_u64().unwrap() as usize);
        for (side, [own, other]) in [ends, [ends[1], ends[0]]].into_iter().enumerate() {
            let rows: Vec<usize> = (0..178).filter(|&i| cluster[i] as usize == own).collect();
            let contrast = page.f64(&format!("/profile/versus/{at}/contrasts/{side}"));
            let mut sum = 0.0;
            for i in 0..13 {
                let of = |row: &usize| {
                    (scaled[*row][i] - centroids[other][i]).powi(2)
                        - (scaled[*row][i] - centroids[own][i]).powi(2)
                };
                let expected = rows.iter().map(of).sum::<f64>() / rows.len() as f64;
                let shown = contrast[i];
                assert!((shown - expected).abs() < 1e-12, "{shown} against {expected}");
                sum += shown;
            }
            assert!((pair["logits"][side].as_f64().unwrap() - sum).abs() < 1e-12);
            let sentence = pair["sentences"][side].as_str().unwrap();
            assert!(sentence.starts_with(&format!("Cluster {own} rather than {other}: ")));
        }
    }

    // Strongest features, typical and ambiguous points, by sorting again.
    let relevance = values(found.relevance.clone());
    let strongest = page.i32("/listed/strongest");
    for point in 0..178 {
        let row = &relevance[13 * point..13 * (point + 1)];
        let mut order: Vec<i64> = (0..13).collect();
        order.sort_by(|a, b| row[*b as usize].abs().total_cmp(&row[*a as usize].abs()));
        assert_eq!(strongest[3 * point..3 * (point + 1)], order[..3]);
    }
    let logit = values(found.logit.clone());
    for (k, summary) in found.per_cluster().into_iter().enumerate() {
        let mut own: Vec<usize> = (0..178).filter(|&i| cluster[i] as usize == k).collect();
        own.sort_by(|a, b| logit[*a].total_cmp(&logit[*b]));
        let shown = &page.0["clusters"][k];
        let list =
            |name: &str| -> Vec<usize> { serde_json::from_value(shown[name].clone()).unwrap() };
        assert_eq!(list("ambiguous"), own[..5]);
        let profile = &page.0["profile"]["clusters"][k];
        let named =
            |name: &str| -> Vec<usize> { serde_json::from_value(profile[name].clone()).unwrap() };
        assert_eq!(named("farthest"), own.iter().rev().take(5).copied().collect::<Vec<_>>());
        let away = |row: &usize| -> f64 {
            scaled[*row].iter().zip(&centroids[k]).map(|(x, m)| (x - m).powi(2)).sum()
        };
        let mut near = own.clone();
        near.sort_by(|a, b| away(a).total_cmp(&away(b)));
        assert_eq!(named("typical"), near[..5]);
        let limit = 0.1 * logit[own[own.len() / 2]];
        let ambiguous = own.iter().filter(|row| logit[**row] < limit).count();
        assert_eq!(profile["ambiguous"], ambiguous as f64 / own.len() as f64);
        assert_eq!(shown["points"], own.len());
        let numbers =
            |name: &str| -> Vec<f64> { serde_json::from_value(shown[name].clone()).unwrap() };
        for (shown, mean) in numbers("mean_relevance").iter().zip(&summary.mean_relevance) {
            assert!((shown - mean).abs() <= 1e-7 * mean.abs());
        }
        let mean = |i: usize| own.iter().map(|&n| raw[13 * n + i]).sum::<f64>() / own.len() as f64;
        for (i, centroid) in numbers("centroid").into_iter().enumerate() {
            assert!((centroid - mean(i)).abs() < 1e-7 * mean(i).abs(), "in the data's units");
            let deviation = own
                .iter()
                .map(|&n| (relevance[13 * n + i] - summary.mean_relevance[i]).powi(2))
                .sum::<f64>();
            let deviation = (deviation / own.len() as f64).sqrt();
            assert!((numbers("deviation")[i] - deviation).abs() < 1e-7 * deviation);
        }
    }
}

/// Clusters are called by classes only where they are nearly one to one.
#[test]
fn classes_across_the_clusters_name_none() {
    let text: String = std::iter::once("a,b,kind\n".to_owned())
        .chain((0..60).map(|i| {
            let place = f64::from(i % 3) * 5.0 + f64::from(i % 7) * 0.1;
            format!("{place},{},{}\n", f64::from(i % 5) * 0.1, i % 2)
        }))
        .collect();
    let options = TableOptions::default().with_label("kind");
    let table = TableReader::csv("t", text.as_bytes(), &options).unwrap().read_all().unwrap();
    let model = model(&table, Scale::None, &KMeansConfig::new(3));
    let report = Report::of(&model, &table, "t", Beta::Heuristic).unwrap();
    let page = Page::of(&report.html());
    assert_eq!((&page.0["agreeing"], &page.0["listed"]["misplaced"]), (&Value::Null, &Value::Null));
    for k in 0..3 {
        assert_eq!(page.0["clusters"][k]["class"], Value::Null);
    }
    let classes = &page.0["profile"]["classes"];
    assert_eq!(classes["one_to_one"], Value::Null);
    let counts: Vec<Vec<usize>> = serde_json::from_value(classes["counts"].clone()).unwrap();
    assert_eq!(counts.iter().flatten().sum::<usize>(), 60);
    assert!(classes["adjusted_rand"].as_f64().unwrap() < 0.1);
    // As Markdown: a table of clusters and one of classes, with the same counts.
    let markdown = report.markdown();
    for (k, row) in counts.iter().enumerate() {
        assert!(markdown.contains(&format!("| cluster {k} | {} | {} |\n", row[0], row[1])));
    }
}

/// Groups and the choice of a number reach the page; wrong groups are refused.
#[test]
fn groups_and_the_choice_are_in_the_page() {
    let table = heaps(300, 4, 3);
    let kmeans = model(&table, Scale::None, &KMeansConfig::new(3));
    let rows: Vec<f64> = (0..300).flat_map(|row| table.row(row).unwrap().to_vec()).collect();
    let mut method =
        FittedBy::<Flex>::new(KMeansConfig::new(2).into(), &Default::default(), DType::F64);
    let rows = Rows::new(&rows, 4).unwrap();
    let choice = ChooseConfig::new().with_clusters([2, 3, 4]).choose(&rows, &mut method).unwrap();
    let info = kmeans.info().clone().with_choice(Some(choice.clone()));
    let folder = tempfile::tempdir().unwrap();
    Model::new(kmeans.scaler().clone(), kmeans.clusterer().clone(), info)
        .unwrap()
        .save(folder.path())
        .unwrap();
    // Kept by the model.
    let model = Model::<Flex>::load(folder.path(), &Default::default(), DType::F64).unwrap();
    assert_eq!(model.info().choice, Some(choice.clone()));

    let names = table.features();
    let builder = || ReportBuilder::new(&model, "t", Beta::Heuristic).unwrap();
    let found = model.explain(&tensor(&table), Target::Assigned, Beta::Heuristic).unwrap();
    let mut grouped = builder().with_group("both", &[&names[2], &names[0]]).unwrap();
    grouped.add(0..300, &table, &found).unwrap();
    let report = grouped.finish(None).unwrap();
    let page = Page::of(&report.html());
    assert_eq!(page.0["groups"], serde_json::json!([{"name": "both", "features": [0, 2]}]));
    assert_eq!(page.0["choice"]["sentence"], choice.sentence);
    assert_eq!(page.0["choice"]["candidates"][1]["clusters"], 3);
    assert!(report.markdown().contains("## How many clusters"));
    let error = builder().with_group("one", &["nothing", &names[0]]).err().unwrap().to_string();
    assert!(error.contains("there is no column `nothing`"), "{error}");
}

#[test]
fn what_is_in_the_data_is_no_markup() {
    let evil = "</script><script>alert(1)</script>{{data}}<!--";
    let names = vec![evil.to_owned(), "b".to_owned()];
    let table = Table::new(names, vec![0.0, 0.0, 1.0, 0.0, 9.0, 9.0, 8.0, 9.0]).unwrap();
    let model = model(&table, Scale::None, &KMeansConfig::new(2));
    let html = Report::of(&model, &table, "<b>&{{script}}", Beta::Heuristic).unwrap().html();
    assert!(!html.contains("<script>alert") && !html.contains("<b>&"));
    assert!(html.contains("&lt;b&gt;&amp;{{script}}"));
    assert_eq!(Page::of(&html).0["features"][0], evil);
    assert_eq!(html.matches("report-data\">").count(), 1);
}

/// Points beyond the room are counted or listed, and the page says how many.
#[test]
fn large_data_fit() {
    let table = heaps(25_000, 6, 3);
    let model = model(&table, Scale::Standard, &KMeansConfig::new(3));
    let mut builder = ReportBuilder::new(&model, "large", Beta::Heuristic).unwrap();
    let network = model.neuralize().unwrap();
    // In parts, as the command does, and numbered as in a file with gaps.
    let rows: Vec<usize> = (0..25_000).map(|row| 2 * row + 1).collect();
    for (part, numbers) in rows.chunks(9_000).enumerate() {
        let range = part * 9_000..part * 9_000 + numbers.len();
        let values = range.flat_map(|row| table.row(row).unwrap().to_vec()).collect();
        let part = Table::new(table.features().to_vec(), values).unwrap();
        let x = model.scaler().transform(&tensor(&part)).unwrap();
        let found = network.explain(&x, Target::Assigned, Beta::Heuristic).unwrap();
        builder.add(numbers.iter().copied(), &part, &found).unwrap();
    }
    let page = Page::of(&builder.finish(None).unwrap().html());
    assert_eq!((page.number("/total"), page.number("/listed/count")), (25_000, 10_000));
    assert_eq!(page.0["rows"], serde_json::json!([1, 49_999]));
    let listed = page.i32("/listed/row");
    assert!(listed.iter().all(|row| row % 2 == 1) && listed.is_sorted());
    let counted: u64 = (0..3).map(|k| page.number(&format!("/clusters/{k}/points"))).sum();
    assert_eq!(counted, 25_000);
    for k in 0..3 {
        let profile = &page.0["profile"]["clusters"][k];
        let named =
            [&profile["typical"], &profile["farthest"], &page.0["clusters"][k]["ambiguous"]];
        for rows in named {
            let rows: Vec<i64> = serde_json::from_value(rows.clone()).unwrap();
            assert_eq!(rows.len(), 5);
            for row in rows {
                let at = listed.binary_search(&row).expect("named points are listed");
                assert!(page.i32("/listed/detail")[at] >= 0, "and in full");
            }
        }
    }
    assert_eq!(page.0["trust"], Value::Null);
}

#[test]
fn ten_thousand_points_of_fifty_features_stay_below_15_mb() {
    for clusters in [3, 10, 40] {
        // Names as long as the questions of a survey.
        let table = renamed(&heaps(10_000, 50, clusters), |i| {
            format!("{i} {}", "how much <of it> ".repeat(9))
        });
        let config = KMeansConfig::new(clusters).with_max_iter(5);
        let model = model(&table, Scale::Standard, &config);
        let html = Report::of(&model, &table, "wide", Beta::Heuristic).unwrap().html();
        assert!(html.len() < 15_000_000, "{} bytes for {clusters} clusters", html.len());
        let page = Page::of(&html);
        let contrasts = page.number("/details/contrasts") as usize;
        let count = page.number("/details/count") as usize;
        assert_eq!(contrasts, (clusters - 1).min(32));
        assert_eq!(page.f32("/details/contrast").len(), count * contrasts * 50);
        assert!(count > 1000 / clusters, "{count} points in full");
        let (versus, detail) = (page.i32("/details/versus"), page.i32("/listed/detail"));
        let (cluster, competitor) = (page.i32("/listed/cluster"), page.i32("/listed/competitor"));
        for (point, &at) in detail.iter().enumerate().filter(|(_, at)| **at >= 0) {
            let of = &versus[at as usize * contrasts..(at as usize + 1) * contrasts];
            assert!(of.is_sorted() && !of.contains(&cluster[point]));
            // The nearest competitor is always among them.
            assert!(of.contains(&competitor[point]), "point {point}");
        }
    }
}

#[test]
fn names_without_end_stay_below_15_mb() {
    let table = renamed(&heaps(1000, 2, 3), |i| format!("{i}{}", "<".repeat(30_000)));
    let model = model(&table, Scale::None, &KMeansConfig::new(3));
    let html = Report::of(&model, &table, "names", Beta::Heuristic).unwrap().html();
    assert!(html.len() < 15_000_000, "{} bytes", html.len());
    assert_eq!(Page::of(&html).number("/details/count"), 1000);
}

#[test]
fn wrong_parts_are_refused() {
    let wine = Table::wine();
    let model = model(&wine, Scale::None, &KMeansConfig::new(3));
    let network = model.neuralize().unwrap();
    let x = tensor(&wine);
    let found = network.explain(&x, Target::Assigned, Beta::Heuristic).unwrap();
    let start = || ReportBuilder::new(&model, "wine", Beta::Heuristic).unwrap();
    let says = |result: neuralize::Result<()>, words: &str| {
        let error = result.expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    };
    says(start().finish(None).map(|_| ()), "is empty");
    says(start().add(0..177, &wine, &found), "row numbers");
    says(start().add((0..178).rev(), &wine, &found), "must ascend");
    let other = network.explain(&x, Target::Cluster(1), Beta::Heuristic).unwrap();
    says(start().add(0..178, &wine, &other), "Target::Assigned");
    says(start().add(0..4, &heaps(4, 13, 2), &found), "has shape [178, 13]");
}

/// A failed part leaves the report as it was.
#[test]
fn what_is_refused_is_not_counted() {
    let wine = Table::wine();
    let model = model(&wine, Scale::None, &KMeansConfig::new(3));
    let network = model.neuralize().unwrap();
    let explain = |beta| network.explain(&tensor(&wine), Target::Assigned, beta).unwrap();
    let found = explain(Beta::Heuristic);
    let mut builder = ReportBuilder::new(&model, "wine", Beta::Heuristic).unwrap();
    assert!(builder.add(0.., &wine, &found).is_err(), "numbers without end");
    assert!(builder.add((0..178).rev(), &wine, &found).is_err());
    assert!(builder.add(0..178, &wine, &explain(Beta::Value(3.0))).is_err(), "another beta");
    let mut turned: Vec<String> = wine.features().to_vec();
    turned.swap(0, 1);
    let turned = renamed(&wine, |i| turned[i].clone());
    let error = builder.add(0..178, &turned, &found).expect_err("other columns").to_string();
    assert!(error.contains("not the model's features"), "{error}");
    assert!(Report::of(&model, &turned, "wine", Beta::Heuristic).is_err());
    builder.add(0..178, &wine, &found).unwrap();
    assert!(builder.add(177..355, &wine, &found).is_err(), "row 177 again");
    assert_eq!(Page::of(&builder.finish(None).unwrap().html()).number("/total"), 178);
}

/// Figures of more points than are listed say so, and count what they show.
#[test]
fn listed_points_are_a_choice() {
    let rows = 12_000;
    let header = "a,b,kind\n".to_owned();
    let row = |i: usize| {
        let noise = ((i * 7919) as f64).sin();
        format!(
            "{},{},{}\n",
            (i % 3) as f64 * 4.0 + noise,
            noise,
            if i.is_multiple_of(50) { 9 } else { i % 3 }
        )
    };
    let text: String = std::iter::once(header).chain((0..rows).map(row)).collect();
    let options = TableOptions::default().with_label("kind");
    let table = TableReader::csv("t", text.as_bytes(), &options).unwrap().read_all().unwrap();
    let model = model(&table, Scale::None, &KMeansConfig::new(3));
    let x = tensor(&table);
    let found = model.neuralize().unwrap().explain(&x, Target::Assigned, Beta::Heuristic).unwrap();
    let mut builder = ReportBuilder::new(&model, "t", Beta::Heuristic).unwrap().with_label("kind");
    builder.add((0..rows).map(|row| row + 5), &table, &found).unwrap();
    let cases = builder.cases().unwrap();
    assert_eq!((cases.len(), cases.total), (10_000, rows));
    let classes = cases.classes.as_ref().unwrap();
    let agreeing = (0..cases.len()).filter(|&case| !cases.is_misplaced(case)).count();
    assert_eq!(classes.agreeing, Some(agreeing));
    // Every misplaced point is there, with its own class and numbers.
    assert_eq!(cases.misplaced().len(), rows / 50);
    for case in cases.misplaced() {
        let row = cases.rows[case] - 5;
        assert_eq!(row % 50, 0);
        assert_eq!(cases.values_of(case), table.row(row).unwrap());
        assert_eq!(classes.names[classes.of[case]], "9");
    }
    let page = Page::of(&builder.finish(None).unwrap().html());
    assert_eq!(page.number("/agreeing"), (rows - rows / 50) as u64);
}

/// Numbers that single precision has no place for are in the page all the same.
#[test]
fn large_and_small_numbers() {
    for size in [1e-30, 1e25, 1e140] {
        let values = (0..40).map(|i| f64::from(i % 7) * size + f64::from(i / 20) * 9.0 * size);
        let names = vec!["a".to_owned(), "b".to_owned()];
        let table = Table::new(names, values.collect()).unwrap();
        let model = model(&table, Scale::None, &KMeansConfig::new(2));
        let page = Page::of(&Report::of(&model, &table, "t", Beta::Value(0.0)).unwrap().html());
        let (contrast, logit) =
            (page.f32("/details/contrast"), page.f64("/details/contrast_logit"));
        for (pair, logit) in contrast.chunks(2).zip(&logit) {
            let total = pair[0].abs() + pair[1].abs();
            assert!(total > 0.0 && (pair[0] + pair[1] - logit).abs() <= 1e-6 * total, "{size:e}");
        }
        let deviation: Vec<f64> =
            serde_json::from_value(page.0["clusters"][0]["deviation"].clone()).unwrap();
        assert!(deviation.iter().all(|d| *d > 0.0 && d.is_finite()), "{size:e}: {deviation:?}");
        assert!(page.f32("/listed/strongest_relevance").iter().all(|r| *r != 0.0 && r.is_finite()));
    }
}

#[test]
fn labels() {
    let text = |label: &dyn Fn(usize) -> String| -> String {
        let row = |i: usize| format!("{},{}\n", i % 2 * 9 + i % 5, label(i));
        std::iter::once("a,kind\n".to_owned()).chain((0..1200).map(row)).collect()
    };
    let report = |text: &str| {
        let options = TableOptions::default().with_label("kind");
        let table = TableReader::csv("t", text.as_bytes(), &options).unwrap().read_all().unwrap();
        let model = model(&table, Scale::None, &KMeansConfig::new(2));
        Report::of(&model, &table, "t", Beta::Heuristic).map(|report| Page::of(&report.html()))
    };
    let page = report(&text(&|i| if i % 2 == 0 { "even".into() } else { String::new() })).unwrap();
    assert_eq!(page.0["classes"], serde_json::json!(["(no label)", "even"]));
    let error = report(&text(&|i| i.to_string())).map(|_| ()).expect_err("prices").to_string();
    assert!(error.contains("1200 distinct values"), "{error}");
}

/// The page that compares methods: everything is in it, nothing is fetched, and
/// names are no markup.
#[test]
fn a_comparison_is_a_page() {
    let evaluation = compared::evaluation(compared::NAMES.len());
    let html = report::evaluation(&evaluation, "<script>alert(1)</script> & {{table}}").unwrap();
    if let Ok(path) = std::env::var("NEURALIZE_PAGE") {
        std::fs::write(path, &html).unwrap();
    }
    assert!(html.starts_with("<!doctype html>") && html.len() < 1_000_000, "{}", html.len());
    assert!(!html.contains("<script") && !html.contains("<b>of") && !html.contains("<i>in words"));
    assert!(html.contains("<h1>&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{table}}</h1>"));
    for request in ["src=", "@import", "url(", "<iframe", "<object", "http-equiv=\"refresh"] {
        assert!(!html.contains(request), "{request}");
    }
    let links: Vec<&str> = html.split("href=\"").skip(1).collect();
    assert!(links.iter().all(|link| link.starts_with("data:,")), "{links:?}");
    let outside = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!outside.contains("http:") && !outside.contains("https:"));

    for fact in ["178", "13", &u64::MAX.to_string()] {
        assert!(html.contains(&format!("<dd>{fact}</dd>")), "{fact}");
    }
    let (_, rest) = html.split_once("<tbody>").unwrap();
    let (body, rest) = rest.split_once("</tbody>").unwrap();
    let rows: Vec<&str> = body.split("<tr").skip(1).collect();
    assert_eq!(rows.len(), compared::NAMES.len(), "the refused one has no row");
    for (row, name) in rows.iter().zip(compared::NAMES) {
        let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let name = name.replace('"', "&quot;");
        let broken = name.replace(':', ":<wbr>");
        assert!(row.contains(&format!(">{broken}</th>")), "{row}");
        assert_eq!(row.matches("<td").count(), evaluation.measures().len());
        assert!(rest.contains(&format!("<dt>{name}</dt>")), "no words for {name}");
    }
    for measure in evaluation.measures() {
        let title = measure.title().replace("1 000", "1\u{a0}000");
        let head = format!("<abbr title=\"{}\">{title}</abbr>", measure.description());
        assert!(html.contains(&head.replace("'", "&#39;")), "{measure}");
        assert!(html.contains(&format!(
            "<dt>{}</dt><dd>{}</dd>",
            measure.title(),
            measure.description()
        )));
    }
    assert!(rest.contains("<dd>it is for k-means &lt;alone&gt;</dd>"));
    // NEON is the best by gain; a gain of 0 is chance.
    assert!(rows[0].contains("<td class=\"best\">1</td>"), "{}", rows[0]);
    assert!(rows[1].contains("<td>0.930</td>"), "{}", rows[1]);
    assert!(rows[13].contains("<td class=\"chance\">0</td>"), "{}", rows[13]);
    assert!(rows[5].contains("<td class=\"none\">–</td>"), "{}", rows[5]);
    assert!(!rows[13].contains("best"), "random numbers are no competitor: {}", rows[13]);
    #[cfg(feature = "svg")]
    assert_eq!(html.matches("<svg").count(), 3, "two references and the agreement");
}

/// A comparison of nothing is still a page.
#[test]
fn an_empty_comparison_is_a_page() {
    let html = report::evaluation(&compared::evaluation(0), "none").unwrap();
    assert!(html.contains("shapley-pair:mean") && !html.contains("<svg"));
}

#[test]
fn a_comparison_as_text_csv_and_json() {
    let evaluation = compared::evaluation(4);
    let text = evaluation.text();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("178 points, 13 features, 3 clusters, seed 18446744073709551615"));
    let neon = lines.iter().find(|line| line.starts_with("neon ")).unwrap();
    assert!(neon.contains(" 1*"), "{text}");
    // Numbers of a column end at one place.
    let end = neon.find("1*").unwrap();
    let other = lines.iter().find(|line| line.starts_with("sensitivity")).unwrap();
    assert!(other[..=end].ends_with("0.790"), "{text}");
    for measure in evaluation.measures() {
        let line = lines.iter().find(|line| line.starts_with(&format!("{} ", measure.title())));
        assert!(line.is_some_and(|line| line.ends_with("er is better")), "{measure}");
    }

    let mut csv = Vec::new();
    evaluation.write_csv(&mut csv, b';').unwrap();
    let csv = String::from_utf8(csv).unwrap();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("method;measure;value"));
    assert_eq!(lines.clone().count(), 4 * 9);
    assert!(csv.contains("neon-hard;gain-competitor;0.9299999999999999\n"), "{csv}");

    let mut json = Vec::new();
    evaluation.write_json(&mut json).unwrap();
    let back: neuralize::evaluate::Evaluation = serde_json::from_slice(&json).unwrap();
    assert_eq!(back, evaluation);
}
