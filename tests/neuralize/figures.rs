//! Figures, seen from outside: what a reader of the SVG finds in it is compared
//! with the explanations; text is measured with the font itself.

use ab_glyph::{Font, FontRef, ScaleFont};
use burn::backend::Flex;
use burn::tensor::{DType, Tensor, TensorData};
use neuralize::baseline::Reference;
use neuralize::cases::{Cases, Map};
use neuralize::choose::{ChooseConfig, FittedBy, Rows};
use neuralize::data::Plane;
use neuralize::plot::{self, Figure, ImageShape};
use neuralize::prelude::*;
use neuralize::profile::{ClusterFacts, ModelProfileBuilder};

use crate::compared;

const FOR: &str = "#B2182B";
const AGAINST: &str = "#2166AC";
const VALUE: &str = "#8C8C8C";
const INK: &str = "#222222";

fn explained(table: &Table, scale: Scale, config: &KMeansConfig) -> Cases {
    let x = table.to_tensor::<Flex>(&Default::default(), DType::F64).unwrap();
    let scaler = scale.fit(&x).unwrap();
    let fit = config.fit(&scaler.transform(&x).unwrap()).unwrap();
    let info = ModelInfo::new(table.features()).with_scale(scale);
    let model = Model::new(scaler, fit.model, info).unwrap();
    Cases::explain(&model, table, Target::Assigned, Beta::Value(1.0)).unwrap()
}

fn wine() -> Cases {
    let start = Init::Rows(vec![54, 98, 149]);
    explained(&Table::wine(), Scale::MinMax, &KMeansConfig::new(3).with_init(start))
}

/// `features` columns with long names that need care, in two clusters and more.
fn wide(features: usize, clusters: usize) -> Cases {
    let name = |i: usize| format!("<{i:02}> & \"feature\" of many letters");
    let names: Vec<String> = (0..features).map(name).collect();
    assert!(names.iter().all(|name| name.chars().count() >= 30));
    let value = |row: usize, i: usize| {
        let noise = ((row * 131 + i * 977) as f64).sin();
        ((row % clusters) * (i + 1)) as f64 * 0.1 + noise
    };
    let values = (0..60).flat_map(|row| (0..features).map(move |i| value(row, i))).collect();
    explained(&Table::new(names, values).unwrap(), Scale::Standard, &KMeansConfig::new(clusters))
}

#[derive(Debug, Clone, PartialEq)]
struct Rect {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    fill: String,
}

impl Rect {
    fn right(&self) -> f64 {
        self.left + self.width
    }
    fn middle(&self) -> f64 {
        self.top + self.height / 2.0
    }
}

#[derive(Debug, Clone)]
struct Words {
    text: String,
    /// left, top, right, bottom
    area: [f64; 4],
    upright: bool,
}

/// What is in a figure.
struct Seen {
    size: (f64, f64),
    rects: Vec<Rect>,
    circles: Vec<(f64, f64, f64, String, String)>,
    words: Vec<Words>,
}

fn seen(figure: &Figure) -> Seen {
    let document = roxmltree::Document::parse(figure.svg()).expect("well-formed SVG");
    let root = document.root_element();
    assert!(root.children().any(|node| node.has_tag_name("title")), "a title for screen readers");
    let number = |node: &roxmltree::Node<'_, '_>, name: &str| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    let of = |tag: &'static str| document.descendants().filter(move |node| node.has_tag_name(tag));
    let font = FontRef::try_from_slice(dejavu::sans::regular()).unwrap();
    let words = of("text").map(|node| {
        let text = node.text().unwrap_or_default().trim().to_owned();
        let (x, y, size) = (number(&node, "x"), number(&node, "y"), number(&node, "font-size"));
        let em = font.height_unscaled() / font.units_per_em().unwrap();
        let scaled = font.as_scaled(size as f32 * em);
        let width: f32 = text.chars().map(|c| scaled.h_advance(scaled.glyph_id(c))).sum();
        let width = f64::from(width);
        let left = match node.attribute("text-anchor").unwrap() {
            "start" => 0.0,
            "middle" => -width / 2.0,
            _ => -width,
        };
        // The baseline, and letters from a fifth below it to three quarters above.
        let baseline = match node.attribute("dy").unwrap() {
            "0.76em" => 0.76 * size,
            "0.5ex" => 0.27 * size,
            _ => -0.27 * size,
        };
        let (above, below) = (baseline - 0.74 * size, baseline + 0.2 * size);
        let upright = node.attribute("transform").is_some();
        let area = if upright {
            // A quarter turn to the left.
            [x + above, y - left - width, x + below, y - left]
        } else {
            [x + left, y + above, x + left + width, y + below]
        };
        Words { text, area, upright }
    });
    Seen {
        size: (number(&root, "width"), number(&root, "height")),
        rects: of("rect")
            .map(|node| Rect {
                left: number(&node, "x"),
                top: number(&node, "y"),
                width: number(&node, "width"),
                height: number(&node, "height"),
                fill: node.attribute("fill").unwrap().to_owned(),
            })
            .collect(),
        circles: of("circle")
            .map(|node| {
                let of = |name: &str| node.attribute(name).unwrap().to_owned();
                let at = (number(&node, "cx"), number(&node, "cy"), number(&node, "r"));
                (at.0, at.1, at.2, of("fill"), of("stroke"))
            })
            .collect(),
        words: words.collect(),
    }
}

impl Seen {
    fn filled(&self, fill: &str) -> Vec<&Rect> {
        self.rects.iter().filter(|rect| rect.fill == fill).collect()
    }

    fn says(&self, text: &str) -> &Words {
        let found = self.words.iter().find(|words| words.text == text);
        found.unwrap_or_else(|| panic!("no {text:?} in {:?}", self.words))
    }

    /// No text runs over another or out of the figure.
    fn assert_legible(&self) {
        for (i, a) in self.words.iter().enumerate() {
            let [left, top, right, bottom] = a.area;
            assert!(
                left >= 0.0 && top >= 0.0 && right <= self.size.0 && bottom <= self.size.1,
                "{a:?} is cut by the edge of {:?}",
                self.size
            );
            for b in &self.words[i + 1..] {
                let apart = b.area[0] >= right
                    || b.area[2] <= left
                    || b.area[1] >= bottom
                    || b.area[3] <= top;
                assert!(apart, "{a:?} over {b:?}");
            }
        }
    }
}

/// Pixels are whole numbers: a bar's end is off by at most one.
const PIXEL: f64 = 1.01;

#[test]
fn a_point_has_its_bars() {
    let cases = wine();
    let mut scales = Vec::new();
    for case in [70, 0, 60, 177] {
        let figure = plot::point(&cases, case).unwrap();
        let seen = seen(&figure);
        seen.assert_legible();
        let relevance = cases.relevance_of(case);
        let mut bars: Vec<&Rect> =
            seen.rects.iter().filter(|rect| rect.fill == FOR || rect.fill == AGAINST).collect();
        bars.sort_by(|a, b| a.top.total_cmp(&b.top));
        assert_eq!(bars.len(), 13);
        // Pixels per unit, from the longest bar; and where zero is.
        let longest = (0..13).max_by(|a, b| relevance[*a].abs().total_cmp(&relevance[*b].abs()));
        let longest = longest.unwrap();
        let scale = bars[longest].width / relevance[longest].abs();
        let zero =
            if relevance[longest] > 0.0 { bars[longest].left } else { bars[longest].right() };
        for (bar, &value) in bars.iter().zip(relevance) {
            assert_eq!(bar.fill, if value < 0.0 { AGAINST } else { FOR });
            let tolerance = PIXEL + value.abs() / relevance[longest].abs();
            assert!((bar.width - scale * value.abs()).abs() <= tolerance, "{bar:?} for {value}");
            let foot = if value < 0.0 { bar.right() } else { bar.left };
            assert!((foot - zero).abs() <= PIXEL, "{bar:?} does not start at {zero}");
        }
        scales.push((zero, relevance[longest].abs(), bars[longest].width));

        let values: Vec<&Rect> = seen.filled(VALUE);
        assert_eq!(values.len(), 13);
        for ((i, name), bar) in cases.features.iter().enumerate().zip(&values) {
            let label = seen.says(name);
            let middle = (label.area[1] + label.area[3]) / 2.0;
            assert!((middle - bar.middle()).abs() < 4.0, "{name} is not beside its bar");
            assert!((bars[i].middle() - bar.middle()).abs() <= PIXEL, "the panels share an order");
            let ratio = values[9].width / cases.scaled_of(case)[9];
            assert!(
                (bar.width - ratio * cases.scaled_of(case)[i]).abs() <= 2.0 * PIXEL + ratio * 0.01
            );
        }
        let class = ["0", "1", "2"][cases.classes.as_ref().unwrap().of[case]];
        let heading = seen.words.iter().find(|words| words.text.starts_with("point ")).unwrap();
        assert!(heading.text.contains(&format!("point {case}: cluster ")), "{heading:?}");
        assert!(heading.text.contains(&format!("class {class}")), "{heading:?}");
    }
    // One scale for every point of the set: pixels per unit of the longest of all.
    let (zero, most, pixels) = scales.iter().copied().max_by(|a, b| a.2.total_cmp(&b.2)).unwrap();
    for (other, value, width) in &scales {
        assert!((zero - other).abs() <= PIXEL, "{scales:?}");
        assert!((width - value / most * pixels).abs() <= 2.0 * PIXEL, "{scales:?}");
    }
}

#[test]
fn a_waterfall_adds_up() {
    let cases = wine();
    for (case, most) in [(70, 8), (70, 13), (92, 3), (0, 20)] {
        let seen = seen(&plot::waterfall(&cases, case, most).unwrap());
        seen.assert_legible();
        let relevance = cases.relevance_of(case);
        let mut order: Vec<usize> = (0..13).collect();
        order.sort_by(|a, b| relevance[*b].abs().total_cmp(&relevance[*a].abs()));
        let mut steps: Vec<f64> = order.iter().map(|&i| relevance[i]).collect();
        let mut names: Vec<String> = order.iter().map(|&i| cases.features[i].clone()).collect();
        if most < 12 {
            let rest = steps.split_off(most).iter().sum();
            steps.push(rest);
            names.truncate(most);
            names.push(format!("other ({} features)", 13 - most));
        }
        let mut bars: Vec<&Rect> =
            seen.rects.iter().filter(|rect| rect.fill == FOR || rect.fill == AGAINST).collect();
        bars.sort_by(|a, b| a.top.total_cmp(&b.top));
        let [logit] = seen.filled(INK)[..] else { panic!("one bar for the logit") };
        assert_eq!(bars.len(), steps.len());
        assert!(bars.iter().all(|bar| bar.top < logit.top));
        // Pixels from the extremes of the running sum.
        let mut sums = vec![0.0];
        for step in &steps {
            sums.push(sums[sums.len() - 1] + step);
        }
        let (least, most) = sums.iter().fold((0.0f64, 0.0f64), |(a, b), s| (a.min(*s), b.max(*s)));
        let left = bars.iter().map(|bar| bar.left).fold(f64::INFINITY, f64::min).min(logit.left);
        let right = bars.iter().map(|bar| bar.right()).fold(0.0, f64::max);
        let at = |value: f64| left + (value - least) / (most - least) * (right - left);
        for (i, (bar, name)) in bars.iter().zip(&names).enumerate() {
            let (from, to) = (at(sums[i].min(sums[i + 1])), at(sums[i].max(sums[i + 1])));
            assert!((bar.left - from).abs() <= 2.0 * PIXEL, "{name}: {bar:?} from {from}");
            assert!((bar.right() - to).abs() <= 2.0 * PIXEL, "{name}: {bar:?} to {to}");
            assert_eq!(bar.fill, if steps[i] < 0.0 { AGAINST } else { FOR });
            seen.says(name);
        }
        assert!((logit.left - at(0.0)).abs() <= 2.0 * PIXEL);
        assert!((logit.right() - at(cases.logit[case])).abs() <= 2.0 * PIXEL);
    }
}

/// A bar that comes back almost to 0 has its label beside the names.
#[test]
fn a_waterfall_that_comes_back() {
    let heap = |at: f64| (0..20).flat_map(move |i| [at + 0.01 * f64::from(i), at]);
    let between = [10.0, 0.1, 9.9, 0.3, 0.2, 9.8, 10.1, -0.1];
    let values = heap(0.0).chain(heap(10.0)).chain(between).collect();
    let table = Table::new(vec!["first".into(), "second".into()], values).unwrap();
    let cases = explained(&table, Scale::None, &KMeansConfig::new(2));
    let close = (0..cases.len()).filter(|&case| {
        let row = cases.relevance_of(case);
        row[0] * row[1] < 0.0 && cases.logit[case] < 0.2 * row[0].abs()
    });
    let close: Vec<usize> = close.collect();
    assert!(!close.is_empty());
    for case in close {
        seen(&plot::waterfall(&cases, case, 5).unwrap()).assert_legible();
    }
}

#[test]
fn a_map_shows_every_point() {
    let cases = wine();
    let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
    let misplaced = cases.misplaced();
    assert_eq!(misplaced, [60, 61, 68, 70, 73, 83, 92, 95, 118]);
    let seen = seen(&plot::clusters(&cases, &map, &misplaced).unwrap());
    seen.assert_legible();
    let of = |radius: f64| seen.circles.iter().filter(move |circle| circle.2 == radius);
    let (edges, faces) = (of(6.0).collect::<Vec<_>>(), of(4.0).collect::<Vec<_>>());
    assert_eq!((edges.len(), faces.len()), (178 + 3, 178 + 3), "points and legend");
    // A face of another colour than the edge: exactly the misplaced.
    let apart: Vec<usize> = (0..178).filter(|&i| edges[i].3 != faces[i].3).collect();
    assert_eq!(apart, misplaced);
    assert_eq!(of(10.0).filter(|ring| ring.3 == "none" && ring.4 == INK).count(), 9);
    for axis in ["PC 1 (41 % of the variance)", "PC 2 (19 % of the variance)"] {
        seen.says(axis);
    }
    // Places are those of the map, up to the scale of the axes.
    let (a, b) = ((0..178).min_by(|i, j| map.points[*i][0].total_cmp(&map.points[*j][0])), 0);
    let (a, b) = (a.unwrap(), b);
    let unit = (faces[b].0 - faces[a].0) / (map.points[b][0] - map.points[a][0]);
    for i in 0..178 {
        let x = faces[a].0 + unit * (map.points[i][0] - map.points[a][0]);
        assert!((x - faces[i].0).abs() <= 2.0 * PIXEL);
    }
}

/// The plane against power iteration on the covariance, written out.
#[test]
fn a_plane_is_that_of_the_largest_variances() {
    for cases in [wine(), wide(40, 3), wide(90, 2)] {
        let (n, d) = (cases.len(), cases.n_features());
        let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
        let mean: Vec<f64> = (0..d)
            .map(|i| (0..n).map(|row| cases.scaled_of(row)[i]).sum::<f64>() / n as f64)
            .collect();
        let rows: Vec<Vec<f64>> = (0..n)
            .map(|row| cases.scaled_of(row).iter().zip(&mean).map(|(x, m)| x - m).collect())
            .collect();
        let total: f64 = rows.iter().flatten().map(|x| x * x).sum();
        let mut found: Vec<Vec<f64>> = Vec::new();
        for axis in 0..2 {
            let mut direction: Vec<f64> = (0..d).map(|i| 1.0 + (i as f64).sin()).collect();
            for _ in 0..20_000 {
                let mut next = vec![0.0; d];
                for row in &rows {
                    let along: f64 = row.iter().zip(&direction).map(|(x, v)| x * v).sum();
                    next.iter_mut().zip(row).for_each(|(sum, x)| *sum += along * x);
                }
                for other in &found {
                    let along: f64 = next.iter().zip(other).map(|(a, b)| a * b).sum();
                    next.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
                }
                let length = next.iter().map(|x| x * x).sum::<f64>().sqrt();
                let change: f64 =
                    next.iter().zip(&direction).map(|(a, b)| (a / length - b).abs()).sum();
                direction = next.iter().map(|x| x / length).collect();
                if change < 1e-14 {
                    break;
                }
            }
            let places: Vec<f64> = rows
                .iter()
                .map(|row| row.iter().zip(&direction).map(|(x, v)| x * v).sum())
                .collect();
            let share = places.iter().map(|x| x * x).sum::<f64>() / total;
            assert!((share - map.explained[axis]).abs() < 1e-9, "{share} on axis {axis}");
            let largest =
                direction.iter().fold(0.0f64, |a, b| if b.abs() > a.abs() { *b } else { a });
            for (place, point) in places.iter().zip(&map.points) {
                assert!((place * largest.signum() - point[axis]).abs() < 1e-6);
            }
            found.push(direction);
        }
    }
}

/// Of very wide tables some rows decide; where the data have two directions only,
/// any rows find them.
#[test]
fn a_plane_of_very_wide_data() {
    let (n, d) = (520, 514);
    let value = |row: usize, i: usize| {
        let (a, b) = ((row as f64 * 0.7).sin(), (row as f64 * 1.3).cos());
        a * (i as f64 * 0.05).sin() + 0.3 * b * (i as f64 * 0.11).cos()
    };
    let values: Vec<f64> = (0..n).flat_map(|row| (0..d).map(move |i| value(row, i))).collect();
    let data = TensorData::new(values, [n, d]);
    let x = Tensor::<Flex, 2>::from_data(data, (&Default::default(), DType::F64));
    let plane = Plane::fit(&x).unwrap();
    let [first, second] = plane.explained();
    assert!(first > 0.8 && second > 0.01 && (first + second - 1.0).abs() < 1e-9);
    assert_eq!(plane.project(&x).unwrap().dims(), [n, 2]);
}

#[test]
fn a_matrix_is_sorted() {
    let cases = wine();
    let seen = seen(&plot::matrix(&cases).unwrap());
    seen.assert_legible();
    // Cells are 24 wide; the rest are marks, scale and paper.
    let cells: Vec<&Rect> = seen.rects.iter().filter(|rect| rect.width == 24.0).collect();
    assert_eq!(cells.len(), 178 * 13);
    let redness = |fill: &str| {
        let part = |at| i32::from_str_radix(&fill[at..at + 2], 16).unwrap();
        part(1) - part(5)
    };
    // Line by line: the order of the logits, and red where R > 0.
    let mut order: Vec<usize> = (0..178).collect();
    order.sort_by(|a, b| {
        (cases.cluster[*a].cmp(&cases.cluster[*b]))
            .then(cases.logit[*b].total_cmp(&cases.logit[*a]))
    });
    let largest = cases.relevance.iter().fold(0.0f64, |a, b| a.max(b.abs()));
    for (line, &case) in order.iter().enumerate() {
        for (i, value) in cases.relevance_of(case).iter().enumerate() {
            let cell = cells[13 * line + i];
            if value.abs() > 0.05 * largest {
                assert_eq!(redness(&cell.fill) > 0, *value > 0.0, "{cell:?} for {value}");
            }
        }
    }
    assert!(seen.words.iter().filter(|words| words.upright).count() == 13);
}

#[test]
fn profiles_are_the_summaries() {
    let cases = wine();
    let seen = seen(&plot::profile(&cases).unwrap());
    seen.assert_legible();
    let mut bars: Vec<&Rect> =
        seen.rects.iter().filter(|rect| rect.fill == FOR || rect.fill == AGAINST).collect();
    assert_eq!(bars.len(), 3 * 13);
    bars.sort_by(|a, b| a.top.total_cmp(&b.top).then(a.left.total_cmp(&b.left)));
    let mean = |cluster: usize, i: usize| {
        let own: Vec<usize> = (0..178).filter(|&n| cases.cluster[n] == cluster).collect();
        own.iter().map(|&n| cases.relevance_of(n)[i]).sum::<f64>() / own.len() as f64
    };
    let scale = bars[3 * 12].width / mean(0, 12).abs();
    for i in 0..13 {
        for cluster in 0..3 {
            let bar = bars[3 * i + cluster];
            let expected = mean(cluster, i);
            assert!((bar.width - scale * expected.abs()).abs() <= 3.0, "{bar:?} for {expected}");
        }
    }
    // A dot a feature and cluster, between the ends of the feature's own scale.
    let dots: Vec<_> = seen.circles.iter().filter(|circle| circle.2 == 4.0).collect();
    assert_eq!(dots.len(), 3 * 13);
    for size in [61, 62, 55] {
        assert!(seen.words.iter().any(|words| words.text.ends_with(&format!(": {size} points"))));
    }
    seen.says("1\u{202f}111");
}

#[test]
fn text_never_overlaps() {
    for (features, clusters) in [(30, 2), (40, 5), (1, 2), (2, 12)] {
        let cases = wide(features, clusters);
        let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
        let figures = [
            plot::point(&cases, 7).unwrap(),
            plot::waterfall(&cases, 7, 30).unwrap(),
            plot::matrix(&cases).unwrap(),
            plot::profile(&cases).unwrap(),
        ];
        for figure in &figures {
            seen(figure).assert_legible();
        }
        // Centroids may lie on each other, and so do their numbers; nothing else.
        let mut map = seen(&plot::clusters(&cases, &map, &[7]).unwrap());
        assert!(map.words.iter().any(|words| words.text.starts_with("PC 1")));
        map.words.retain(|words| words.text.parse::<usize>().is_err());
        map.assert_legible();
        let cut = "the 30 strongest of 40 features";
        for figure in [&figures[0], &figures[2], &figures[3]] {
            assert_eq!(figure.svg().contains(cut), features == 40, "{features} features");
        }
        if features == 40 {
            assert!(figures[1].svg().contains("other (10 features)"));
            assert_eq!(seen(&figures[0]).filled(VALUE).len(), 30);
        }
    }
}

#[test]
fn images_are_in_the_figure_pixel_by_pixel() {
    let names = (0..12).map(|i| format!("p{i}")).collect();
    let values: Vec<f64> =
        (0..48).map(|i| f64::from((i * 7) % 11) + f64::from(i / 24) * 9.0).collect();
    let table = Table::new(names, values).unwrap();
    let cases = explained(&table, Scale::None, &KMeansConfig::new(2));
    let shape = |height, width, channels| ImageShape { height, width, channels };
    for shape in [shape(3, 4, 1), shape(2, 2, 3)] {
        let figure = plot::images(&cases, shape, &[0, 3]).unwrap();
        seen(&figure).assert_legible();
        let document = roxmltree::Document::parse(figure.svg()).unwrap();
        let images: Vec<_> =
            document.descendants().filter(|node| node.has_tag_name("image")).collect();
        assert_eq!(images.len(), 4);
        for (image, case) in images.chunks(2).zip([0, 3]) {
            let pixels = |at: usize| {
                use base64::Engine as _;
                let data = image[at].attribute("href").unwrap();
                let data = data.strip_prefix("data:image/png;base64,").unwrap();
                let bytes = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
                let mut reader =
                    png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
                let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
                let info = reader.next_frame(&mut pixels).unwrap();
                assert_eq!((info.width, info.height), (shape.width as u32, shape.height as u32));
                pixels
            };
            let (least, most) =
                cases.values.iter().fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
            for (byte, value) in pixels(0).iter().zip(cases.values_of(case)) {
                let expected = (value - least) / (most - least) * 255.0;
                assert!((f64::from(*byte) - expected).abs() <= 0.51);
            }
            let sums: Vec<f64> =
                cases.relevance_of(case).chunks(shape.channels).map(|p| p.iter().sum()).collect();
            for (pixel, sum) in pixels(1).chunks(3).zip(&sums) {
                assert_eq!(pixel[0] > pixel[2], *sum > 0.0, "{pixel:?} for {sum}");
            }
        }
    }
    for (height, width, channels) in [(3, 3, 1), (6, 1, 2), (0, 12, 1), (usize::MAX, 12, 1)] {
        assert!(plot::images(&cases, shape(height, width, channels), &[0]).is_err());
    }
    assert!(plot::images(&cases, shape(3, 4, 1), &[]).is_err());
    assert!(plot::images(&cases, shape(3, 4, 1), &[4]).is_err());
}

#[test]
fn what_cannot_be_drawn_is_an_error() {
    let cases = wine();
    let says = |result: neuralize::Result<Figure>, words: &str| {
        let error = result.expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    };
    says(plot::point(&cases, 178), "178 cases, counted from 0");
    says(plot::waterfall(&cases, 0, 0), "max_features = 0");
    let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
    says(plot::clusters(&cases, &map, &[900]), "900");
    says(plot::clusters(&wide(3, 2), &map, &[]), "the map has shape");

    let figure = plot::point(&cases, 0).unwrap();
    let error = figure.save("figure.jpg").expect_err("a jpg").to_string();
    assert!(error.contains("must end with .svg or .png"), "{error}");
    if cfg!(not(feature = "png")) {
        let error = figure.save("figure.png").expect_err("no png").to_string();
        assert!(error.contains("built without the feature `png`"), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figure.SVG");
    figure.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), figure.svg());
}

/// Twelve clusters and fewer colours, ten classes: a point in a cluster that does
/// not stand for its class is seen to be.
#[test]
fn no_colour_hides_a_misplaced_point() {
    let names = ["a", "b", "kind"];
    let row = |i: usize| {
        let (k, class) = (i % 12, if i.is_multiple_of(17) { (i + 5) % 12 } else { i % 12 });
        let noise = (i as f64).sin() * 0.1;
        format!("{},{},{class}\n", (k % 4) as f64 * 5.0 + noise, (k / 4) as f64 * 7.0 - noise)
    };
    let text = format!("{}\n{}", names.join(","), (0..240).map(row).collect::<String>());
    let options = TableOptions::default().with_label("kind");
    let table = TableReader::csv("t", text.as_bytes(), &options).unwrap().read_all().unwrap();
    let cases = explained(&table, Scale::None, &KMeansConfig::new(12));
    let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
    let figure = seen(&plot::clusters(&cases, &map, &[]).unwrap());
    let classes = cases.classes.as_ref().unwrap();
    // Circles for the first eight clusters; their edges in the order of the cases.
    let of = |radius: f64| -> Vec<String> {
        let circles = figure.circles.iter().filter(|circle| circle.2 == radius);
        circles.map(|circle| circle.3.clone()).collect()
    };
    let (edges, faces) = (of(6.0), of(4.0));
    let round: Vec<usize> = (0..240).filter(|&case| cases.cluster[case] < 8).collect();
    assert_eq!((edges.len(), round.len() > 100), (round.len() + 8, true));
    for (at, &case) in round.iter().enumerate() {
        let agrees = classes.of_cluster[cases.cluster[case]] == Some(classes.of[case]);
        assert_eq!(edges[at] == faces[at], agrees, "case {case}");
    }
}

/// The figures of a choice and of what clusters are: legible, with every bar as long as its number.
#[test]
fn choices_and_clusters_are_drawn() {
    let wine = Table::wine();
    let x: Tensor<Flex, 2> = wine.to_tensor(&Default::default(), DType::F64).unwrap();
    let scaler = Scale::Standard.fit(&x).unwrap();
    let x = scaler.transform(&x).unwrap();
    let fit = KMeansConfig::new(3).fit(&x).unwrap();
    let model = Model::new(scaler, fit.model, ModelInfo::new(wine.features())).unwrap();
    let found = model.network().unwrap().explain(&x, Target::Assigned, Beta::Heuristic).unwrap();
    let mut profile = ModelProfileBuilder::new(&model).unwrap();
    profile.add(&wine.numbers(), &wine, &x, &found).unwrap();
    let profile = profile.finish().unwrap();
    let figure = seen(&plot::cards(&profile).unwrap());
    figure.assert_legible();
    let (high, low) = ("#B35806", "#6A51A3");
    let bars = |colour: &str| figure.rects.iter().filter(|rect| rect.fill == colour).count();
    let cells = |sign: f64| {
        let strongest = |cluster: &ClusterFacts| {
            let mut cells: Vec<(f64, f64)> = cluster
                .columns
                .iter()
                .map(|cell| (cell.v.unwrap().abs(), cell.difference.unwrap()))
                .collect();
            cells.sort_by(|a, b| b.0.total_cmp(&a.0));
            cells.truncate(10);
            cells.iter().filter(|cell| cell.1 * sign > 0.0).count()
        };
        profile.clusters.iter().map(strongest).sum::<usize>()
    };
    assert_eq!((bars(high), bars(low)), (cells(1.0), cells(-1.0)));

    let values: Vec<f64> = x.into_data().iter::<f64>().collect();
    let rows = Rows::new(&values, 13).unwrap();
    let mut method =
        FittedBy::<Flex>::new(KMeansConfig::new(2).into(), &Default::default(), DType::F64);
    let choice = ChooseConfig::new().with_clusters(2..=4).choose(&rows, &mut method).unwrap();
    let figure = plot::choice(&choice).unwrap();
    assert!(figure.svg().contains("stroke-dasharray"));
    let figure = seen(&figure);
    figure.assert_legible();
    // One dot for every number in three panels, the recommended one larger.
    let dots = |radius: f64| figure.circles.iter().filter(|circle| circle.2 == radius).count();
    assert_eq!((dots(6.0), dots(3.0)), (3, 6));
    let none =
        ChooseConfig::new().choose(&Rows::new(&[1.0, 2.0], 1).unwrap(), &mut method).unwrap();
    assert!(plot::choice(&none).is_err());
}

#[test]
fn odd_names_and_numbers() {
    // Control characters, a name as long as a page, values at the ends of what f64 holds.
    let names = vec!["e\u{1b}sc".to_owned() + &"\u{1}".repeat(40), "x".repeat(30_000)];
    let table = Table::new(names, vec![0.0, 0.0, 1.0, 0.5, 9.0, 9.0, 8.0, 9.0]).unwrap();
    let cases = explained(&table, Scale::None, &KMeansConfig::new(2));
    let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
    for figure in [
        plot::point(&cases, 0).unwrap(),
        plot::waterfall(&cases, 0, 5).unwrap(),
        plot::matrix(&cases).unwrap(),
        plot::profile(&cases).unwrap(),
        plot::clusters(&cases, &map, &[0]).unwrap(),
    ] {
        let mut figure = seen(&figure);
        assert!(figure.words.iter().all(|words| !words.text.contains('\u{1b}')));
        figure.words.retain(|words| words.text.parse::<usize>().is_err());
        figure.assert_legible();
    }
    for size in [1e-100, 1e-20, 1e20, 1e100, 1e140] {
        let values = [0.0, 0.0, 1.0, 0.5, 9.0, 9.0, 8.0, 9.0].map(|value| value * size);
        let table = Table::new(vec!["a".into(), "b".into()], values.to_vec()).unwrap();
        let cases = explained(&table, Scale::None, &KMeansConfig::new(2));
        let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
        assert!((map.explained.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{size:e}");
        // A figure or an error, but soon.
        for figure in [
            plot::point(&cases, 0),
            plot::waterfall(&cases, 0, 5),
            plot::matrix(&cases),
            plot::profile(&cases),
            plot::clusters(&cases, &map, &[0]),
        ]
        .into_iter()
        .flatten()
        {
            assert!(!figure.svg().contains("NaN") && !figure.svg().contains(">inf"));
        }
    }
}

/// Points that tell nothing apart, one feature, and no spread at all.
#[test]
fn edges() {
    let table =
        Table::new(vec!["a".into(), "b".into()], vec![0.0, 5.0, 4.0, 5.0, 2.0, 5.0]).unwrap();
    let cases = explained(&table, Scale::None, &KMeansConfig::new(2));
    let map = Map::of::<Flex>(&cases, &Default::default(), DType::F64).unwrap();
    assert!((map.explained[0] - 1.0).abs() < 1e-12 && map.explained[1].abs() < 1e-12);
    for figure in [
        plot::point(&cases, 2).unwrap(),
        plot::waterfall(&cases, 2, 5).unwrap(),
        plot::matrix(&cases).unwrap(),
        plot::profile(&cases).unwrap(),
        plot::clusters(&cases, &map, &[0]).unwrap(),
    ] {
        seen(&figure);
        assert!(!figure.svg().contains("NaN") && !figure.svg().contains("inf"));
    }
}

#[cfg(feature = "png")]
#[test]
fn a_png_is_the_svg() {
    let figure = plot::point(&wine(), 70).unwrap();
    let (width, height) = figure.size();
    for scale in [1.0, 2.5] {
        let bytes = figure.png(scale).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let scaled = |side: u32| (side as f32 * scale).round() as u32;
        assert_eq!((info.width, info.height), (scaled(width), scaled(height)));
        // In the middle of the longest red bar, and in a corner of the paper.
        let seen = seen(&figure);
        let bars = seen.filled(FOR);
        let bar = bars.iter().max_by(|a, b| a.width.total_cmp(&b.width)).unwrap();
        let at = |x: f64, y: f64| {
            let (x, y) = ((x as f32 * scale) as u32, (y as f32 * scale) as u32);
            let start = 4 * (y * info.width + x) as usize;
            pixels[start..start + 3].to_vec()
        };
        assert_eq!(at(bar.left + bar.width / 2.0, bar.middle()), [178, 24, 43]);
        assert_eq!(at(2.0, 2.0), [255, 255, 255]);
        // The heading is there: without a font it would be white.
        let heading = 4 * (info.width * scaled(30)) as usize;
        let dark = pixels[..heading].chunks(4).filter(|pixel| pixel[0] < 90).count();
        assert!(dark > 200, "{dark} dark pixels in the heading");
    }
    for scale in [0.0, -1.0, f32::NAN, 1e9] {
        assert!(figure.png(scale).is_err());
    }
}

/// Lines of a figure: dashed or not, colour, width, and the points.
type Drawn = (bool, String, u32, Vec<(f64, f64)>);

fn drawn(figure: &Figure) -> Vec<Drawn> {
    let document = roxmltree::Document::parse(figure.svg()).unwrap();
    let lines = document.descendants().filter(|node| node.has_tag_name("polyline"));
    let line = |node: roxmltree::Node<'_, '_>| {
        let points = node.attribute("points").unwrap().split_whitespace().map(|point| {
            let (x, y) = point.split_once(',').unwrap();
            (x.parse().unwrap(), y.parse().unwrap())
        });
        let width = node.attribute("stroke-width").unwrap().parse().unwrap();
        let colour = node.attribute("stroke").unwrap().to_owned();
        (node.has_attribute("stroke-dasharray"), colour, width, points.collect())
    };
    lines.map(line).collect()
}

#[test]
fn flipping_draws_every_curve() {
    for methods in [1, 3, 8, 14] {
        let evaluation = compared::evaluation(methods);
        for reference in [Reference::Competitor, Reference::Mean] {
            let figure = plot::flipping(&evaluation, reference).unwrap();
            let seen = seen(&figure);
            seen.assert_legible();
            for text in ["mean logit kept", "share of points that changed", "most relevant first"] {
                seen.says(text);
            }
            let lines = drawn(&figure);
            let curves: Vec<&Drawn> =
                lines.iter().filter(|line| line.3.len() == compared::LEVELS + 1).collect();
            assert_eq!(curves.len(), 4 * methods, "two a panel and a method");
            assert_eq!(curves.iter().filter(|line| line.0).count(), 2 * methods, "half are dashed");

            // Of the first panel and then of the second: where 0 and 1 are is
            // read off the thick line, of NEON, and all others must fit.
            for (part, panel) in curves.chunks(2 * methods).enumerate() {
                let own = evaluation.methods.iter().flat_map(|method| &method.flips);
                let own: Vec<_> = own.filter(|flips| flips.reference == reference).collect();
                let thick: Vec<&&Drawn> = panel.iter().filter(|line| line.2 == 4).collect();
                let [least, most] = thick[..] else { panic!("NEON twice") };
                assert!(least.0 && !most.0 && least.1 == INK && most.1 == INK);
                assert_eq!(panel[2 * methods - 1].2, 4, "NEON is on top");
                let of = |curve: &neuralize::evaluate::Curve| match part {
                    0 => curve.kept.clone(),
                    _ => curve.changed.clone(),
                };
                let neon = of(&own[0].most);
                let (first, last) = (most.3[0].1, most.3[compared::LEVELS].1);
                let unit = (last - first) / (neon[compared::LEVELS] - neon[0]);
                let at = |value: f64| first + unit * (value - neon[0]);
                let (left, right) = (most.3[0].0, most.3[compared::LEVELS].0);
                for line in panel {
                    let fits = |flips: &&&neuralize::evaluate::Flips| {
                        let curve = if line.0 { &flips.least } else { &flips.most };
                        let values = of(curve);
                        let points = line.3.iter().zip(flips.share.iter().zip(&values));
                        points.into_iter().all(|(point, (share, value))| {
                            let x = left + share * (right - left);
                            (point.0 - x).abs() <= PIXEL
                                && (point.1 - at(*value)).abs() <= 2.0 * PIXEL
                        })
                    };
                    assert!(own.iter().any(|flips| fits(&flips)), "a curve of no method: {line:?}");
                }
                // Curves of one method share a colour, those of others have another.
                let mut colours: Vec<&str> =
                    panel.iter().filter(|line| line.2 > 1).map(|line| line.1.as_str()).collect();
                colours.sort_unstable();
                colours.dedup();
                assert_eq!(colours.len(), methods.min(8));
            }
            let named = evaluation.methods.iter().filter(|method| method.refused.is_none());
            let told = named.filter(|method| seen.words.iter().any(|w| w.text == method.name));
            assert_eq!(told.count(), methods.min(8));
            assert_eq!(methods > 8, seen.words.iter().any(|words| words.text == "6 others"));
        }
        let error = plot::flipping(&evaluation, Reference::Sample).expect_err("no such curves");
        assert!(error.to_string().contains("`sample`"), "{error}");
    }
}

#[test]
fn agreement_is_a_matrix_of_numbers() {
    for methods in [1, 3, 14] {
        let evaluation = compared::evaluation(methods);
        let seen = seen(&plot::agreement(&evaluation).unwrap());
        seen.assert_legible();
        let names: Vec<&str> = evaluation.agreement.methods.iter().map(String::as_str).collect();
        for name in &names {
            let of: Vec<&Words> = seen.words.iter().filter(|words| words.text == *name).collect();
            assert_eq!(of.iter().map(|words| words.upright).collect::<Vec<_>>(), [true, false]);
            for (a, row) in evaluation.agreement.rank_correlation.iter().enumerate() {
                let left = seen.words.iter().find(|w| !w.upright && w.text == names[a]).unwrap();
                for (b, value) in row.iter().enumerate() {
                    let above =
                        seen.words.iter().find(|w| w.upright && w.text == names[b]).unwrap();
                    let x = (above.area[0] + above.area[2]) / 2.0;
                    let y = (left.area[1] + left.area[3]) / 2.0;
                    let text = format!("{value:.2}").replace('-', "−");
                    let found = seen.words.iter().find(|words| {
                        let [left, top, right, bottom] = words.area;
                        !words.upright && left < x && x < right && top < y && y < bottom
                    });
                    assert_eq!(found.map(|words| words.text.as_str()), Some(text.as_str()));
                }
            }
        }
    }
    assert!(plot::agreement(&compared::evaluation(0)).is_err());
}
