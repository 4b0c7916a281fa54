//! Values of arguments, from their text.

use std::num::NonZeroUsize;
use std::str::FromStr;

use neuralize::baseline;
use neuralize::cluster::{Bandwidth, Distance, Init};
use neuralize::data::{ColumnKind, Decimal, RowSet, Shown};
use neuralize::explain::{Beta, Root};

/// A clustering method.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Method {
    KMeans,
    Distance(Distance),
    Kernel,
    Mixture,
}

/// γ of a kernel; `None` if the program chooses it.
#[derive(Clone, Copy)]
pub(crate) struct ChosenGamma(pub(crate) Option<f64>);

/// Numbers of clusters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Counts(pub(crate) Vec<usize>);

/// Methods of explanation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MethodList(pub(crate) Vec<baseline::Method>);

/// Columns that a page shows as one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

pub(crate) fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [b'"' | b'\n' | b'\r' | b'.' | b'-' | b'0'..=b'9'] => {
                Err("this character occurs in numbers or quotes them".into())
            }
            [byte] if byte.is_ascii() => Ok(*byte),
            _ => Err("give one ASCII character".into()),
        },
    }
}

pub(crate) fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("give `.` or `,`".into()),
    }
}

pub(crate) fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("give `yes` or `no`".into()),
    }
}

pub(crate) fn kind(text: &str) -> Result<(String, ColumnKind), String> {
    let (name, kind) = text.rsplit_once('=').ok_or("give NAME=KIND, such as `year=number`")?;
    Ok((name.to_owned(), kind.parse()?))
}

pub(crate) fn group(text: &str) -> Result<Group, String> {
    let (name, columns) =
        text.split_once('=').ok_or("give NAME=A,B,.., such as `size=weight,height`")?;
    let columns = columns.split(',').map(|name| name.trim().to_owned()).collect();
    Ok(Group { name: name.to_owned(), columns })
}

pub(crate) fn init(text: &str) -> Result<Init, String> {
    match text {
        "k-means++" => Ok(Init::KMeansPlusPlus),
        "random" => Ok(Init::Random),
        _ => {
            let rows =
                text.strip_prefix("rows:").ok_or("give `k-means++`, `random` or `rows:I,J,..`")?;
            rows.split(',')
                .map(|row| {
                    row.trim().parse().map_err(|_| format!("`{}` is not a row number", Shown(row)))
                })
                .collect::<Result<_, _>>()
                .map(Init::Rows)
        }
    }
}

pub(crate) fn root(text: &str) -> Result<Root, String> {
    match text {
        "midway" => Ok(Root::Midway),
        "toward" => Ok(Root::Toward),
        "near" => Ok(Root::Near),
        _ => match text.parse::<f64>() {
            Ok(lambda) if (0.0..=1.0).contains(&lambda) => Ok(Root::Between(lambda)),
            _ => Err("give `midway`, `toward`, `near` or a number from 0 to 1".into()),
        },
    }
}

pub(crate) fn method(text: &str) -> Result<Method, String> {
    let distance = match text {
        "kmeans" => return Ok(Method::KMeans),
        "kernel" => return Ok(Method::Kernel),
        "gmm" => return Ok(Method::Mixture),
        "kmedians" => "manhattan",
        "mahalanobis" => text,
        _ if text.starts_with("power=") => text,
        _ => text.strip_prefix("bregman-").filter(|name| ["kl", "is", "logistic"].contains(name)).ok_or(
            "give `kmeans`, `kmedians`, `power=P`, `mahalanobis`, `bregman-kl`, `bregman-is`, `bregman-logistic`, \
             `kernel` or `gmm`",
        )?,
    };
    distance.parse().map(Method::Distance).map_err(|error: neuralize::Error| error.to_string())
}

pub(crate) fn bandwidth(text: &str) -> Result<Bandwidth, String> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| *number > 0.0);
    let found = match (text, text.strip_prefix("perplexity=")) {
        ("auto", _) => Some(Bandwidth::Neighbours),
        ("median", _) => Some(Bandwidth::Median),
        (_, Some(perplexity)) => number(perplexity).map(Bandwidth::Perplexity),
        _ => number(text).map(Bandwidth::Gamma),
    };
    found.ok_or_else(|| "give `auto`, `median`, `perplexity=P` or a positive number".into())
}

pub(crate) fn count(text: &str) -> Result<usize, String> {
    at_least_one(text).map(NonZeroUsize::get)
}

pub(crate) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| not_whole(text, 1))
}

pub(crate) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| not_whole(text, 0))
}

/// Why a text is not a whole number of at least 0 or 1.
fn not_whole(text: &str, least: u8) -> String {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number && text.bytes().any(|digit| digit != b'0') {
        "this number is too large".into()
    } else {
        format!("give a whole number of at least {least}")
    }
}

pub(crate) fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "give a number".into())
}

/// `2..10` has both ends.
pub(crate) fn counts(text: &str) -> Result<Counts, String> {
    const MOST: usize = 1000;
    let wrong = || "give A..B or A,B,.. with numbers of at least 2".to_owned();
    let number = |text: &str| text.trim().parse().ok().filter(|count: &usize| *count >= 2);
    let counts: Vec<usize> = match text.split_once("..") {
        Some((first, last)) => {
            let last = last.strip_prefix('=').unwrap_or(last);
            let (first, last) = number(first).zip(number(last)).ok_or_else(wrong)?;
            (first..=last).take(MOST + 1).collect()
        }
        None => text.split(',').map(number).collect::<Option<_>>().ok_or_else(wrong)?,
    };
    match counts.len() {
        0 => Err(wrong()),
        _ if counts.len() > MOST => Err(format!("give at most {MOST} numbers")),
        _ => Ok(Counts(counts)),
    }
}

pub(crate) fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
    weight.ok_or_else(|| "give a number of at least 0".into())
}

pub(crate) fn part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| *part > 0.0 && *part <= 1.0);
    part.ok_or_else(|| "give a number above 0, at most 1".into())
}

pub(crate) fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0);
    number.ok_or_else(|| "give a positive number".into())
}

pub(crate) fn chosen_gamma(text: &str) -> Result<ChosenGamma, String> {
    match (text, text.parse::<f64>()) {
        ("auto", _) => Ok(ChosenGamma(None)),
        (_, Ok(gamma)) if gamma > 0.0 => Ok(ChosenGamma(Some(gamma))),
        _ => Err("give `auto` or a positive number".into()),
    }
}

pub(crate) fn methods(text: &str) -> Result<MethodList, String> {
    let mut list = Vec::new();
    for name in text.split(',').map(str::trim) {
        let found = match name {
            "all" => baseline::Method::all(),
            "usual" => baseline::Method::usual(),
            _ => vec![name.parse().map_err(|error: neuralize::Error| error.to_string())?],
        };
        for method in found {
            if !list.contains(&method) {
                list.push(method);
            }
        }
    }
    Ok(MethodList(list))
}

pub(crate) fn rows(text: &str) -> Result<RowSet, String> {
    text.parse().map_err(|error: neuralize::Error| error.to_string())
}

pub(crate) fn beta(text: &str) -> Result<Beta, String> {
    match text {
        "auto" => Ok(Beta::Heuristic),
        _ => match text.parse::<f64>() {
            Ok(value) if value >= 0.0 => Ok(Beta::Value(value)),
            _ => Err("give `auto` or a number of at least 0".into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        assert_eq!(delimiter("\\t"), Ok(b'\t'));
        assert!(delimiter("5").is_err() && delimiter(";;").is_err() && delimiter("").is_err());
        assert_eq!(init("rows:3, 1"), Ok(Init::Rows(vec![3, 1])));
        assert!(init("rows:").is_err() && init("row:1").is_err());
        assert_eq!(beta("inf"), Ok(Beta::Value(f64::INFINITY)));
        assert_eq!(method("kmedians"), Ok(Method::Distance(Distance::Manhattan)));
        assert_eq!(method("bregman-kl"), Ok(Method::Distance(Distance::KullbackLeibler)));
        assert_eq!(method("power=1.5"), Ok(Method::Distance(Distance::Power(1.5))));
        assert!(method("kl").is_err() && method("bregman-x").is_err() && method("power=").is_err());
        assert_eq!(bandwidth("perplexity=30"), Ok(Bandwidth::Perplexity(30.0)));
        assert!(bandwidth("perplexity=").is_err() && bandwidth("-1").is_err());
        assert_eq!((count("3"), part("1")), (Ok(3), Ok(1.0)));
        assert_eq!((whole("0"), number("-1e3")), (Ok(0_u64), Ok(-1000.0)));
        assert!(whole::<usize>("abc").is_err() && whole::<u64>("-1").is_err());
        assert!(number("x").is_err());
        let wrong = |least: u8| Err(format!("give a whole number of at least {least}"));
        assert_eq!((count("0"), count("")), (wrong(1), wrong(1)));
        assert_eq!((count("00"), count("-7")), (wrong(1), wrong(1)));
        assert_eq!(whole::<u64>("1.5").map(|_| 0), wrong(0));
        let large = "100000000000000000000";
        assert_eq!(count(large), Err("this number is too large".into()));
        assert_eq!(whole::<u64>(large), Err("this number is too large".into()));
        assert_eq!(counts("2..4"), Ok(Counts(vec![2, 3, 4])));
        assert_eq!(counts("5,2"), Ok(Counts(vec![5, 2])));
        for wrong in ["", "1..3", "4..2", "2..", "2,x", "2..9999999"] {
            assert!(counts(wrong).is_err(), "{wrong}");
        }
        assert!(count("0").is_err() && part("0").is_err() && part("1.1").is_err());
        assert!(weight("-1").is_err() && weight("inf").is_err() && positive("nan").is_err());
        assert!(chosen_gamma("nan").is_err() && chosen_gamma("inf").is_ok());
        let list = methods("random, neon,random").unwrap_or(MethodList(Vec::new())).0;
        assert_eq!(list.iter().map(ToString::to_string).collect::<Vec<_>>(), ["random", "neon"]);
        assert_eq!(methods("neon,all").map(|all| all.0.len()), Ok(baseline::Method::all().len()));
        assert!(methods("").is_err() && methods("neon,").is_err() && methods("noen").is_err());
        assert!(beta("-1").is_err() && beta("nan").is_err() && beta("x").is_err());
    }
}
