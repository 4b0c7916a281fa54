//! The page of a report, seen from outside: what is in the file is compared with
//! the explanations. What a browser makes of it is tested in `tests/browser`.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use neuralize::prelude::*;
use neuralize::report::{Report, ReportBuilder};
use serde_json::Value;

fn model(table: &Table, scale: Scale, config: &KMeansConfig) -> Model<Flex> {
    let x = tensor(table);
    let scaler = scale.fit(&x).unwrap();
    let fit = config.fit(&scaler.transform(x).unwrap()).unwrap();
    let info = ModelInfo {
        features: table.features().to_vec(),
        scale,
        seed: Some(u64::MAX),
        ..ModelInfo::default()
    };
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

    fn f32(&self, at: &str) -> Vec<f64> {
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

    let x = model.scaler().transform(tensor(&wine)).unwrap();
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
         against it speak color_intensity and malic_acid."
    );

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
        assert_eq!(list("typical"), own.iter().rev().take(5).copied().collect::<Vec<_>>());
        assert_eq!(shown["points"], own.len());
        let numbers =
            |name: &str| -> Vec<f64> { serde_json::from_value(shown[name].clone()).unwrap() };
        assert_eq!(numbers("mean_relevance"), summary.mean_relevance);
        let mean = |i: usize| own.iter().map(|&n| raw[13 * n + i]).sum::<f64>() / own.len() as f64;
        for (i, centroid) in numbers("centroid").into_iter().enumerate() {
            assert!((centroid - mean(i)).abs() < 1e-9 * mean(i).abs(), "in the data's units");
            let deviation = own
                .iter()
                .map(|&n| (relevance[13 * n + i] - summary.mean_relevance[i]).powi(2))
                .sum::<f64>();
            let deviation = (deviation / own.len() as f64).sqrt();
            assert!((numbers("deviation")[i] - deviation).abs() < 1e-9);
        }
    }
}

#[test]
fn what_is_in_the_data_is_no_markup() {
    let evil = "</script><script>alert(1)</script>{{data}}<!--";
    let names = vec![evil.to_owned(), "b".to_owned()];
    let table = Table::new(names, vec![0.0, 0.0, 1.0, 0.0, 9.0, 9.0, 8.0, 9.0]).unwrap();
    let model = model(&table, Scale::None, &KMeansConfig::new(2));
    let html = Report::of(&model, &table, "<b>&{{script}}", Beta::Heuristic).unwrap().html();
    assert!(!html.contains("<script>alert") && !html.contains("<b>&"));
    assert!(html.contains("&lt;b>&amp;{{script}}"));
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
        let x = model.scaler().transform(tensor(&part)).unwrap();
        let found = network.explain(&x, Target::Assigned, Beta::Heuristic).unwrap();
        builder.add(numbers.iter().copied(), &part, &found).unwrap();
    }
    let page = Page::of(&builder.finish(None).unwrap().html());
    assert_eq!((page.number("/total"), page.number("/listed/count")), (25_000, 10_000));
    let listed = page.i32("/listed/row");
    assert!(listed.iter().all(|row| row % 2 == 1) && listed.is_sorted());
    let counted: u64 = (0..3).map(|k| page.number(&format!("/clusters/{k}/points"))).sum();
    assert_eq!(counted, 25_000);
    for k in 0..3 {
        for name in ["typical", "ambiguous"] {
            let rows: Vec<i64> =
                serde_json::from_value(page.0["clusters"][k][name].clone()).unwrap();
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
        let table = heaps(10_000, 50, clusters);
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
        let cluster = page.i32("/listed/cluster");
        for (point, &at) in detail.iter().enumerate().filter(|(_, at)| **at >= 0) {
            let of = &versus[at as usize * contrasts..(at as usize + 1) * contrasts];
            assert!(of.is_sorted() && !of.contains(&cluster[point]));
            // The nearest competitor is always among them.
            assert!(of.contains(&page.i32("/listed/competitor")[point]) || point > 200);
            if point > 200 {
                break;
            }
        }
    }
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
