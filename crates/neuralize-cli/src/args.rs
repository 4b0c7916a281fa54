use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use neuralize::baseline;
use neuralize::cluster::{Bandwidth, Distance, Init};
use neuralize::data::{RowSet, Scale, Sort};
use neuralize::explain::Beta;
use neuralize::network::PairRule;

/// Why is this data point in that cluster?
///
/// Clusterings of many kinds, rewritten exactly as a neural network and explained by a relevance
/// pass through it (NEON): how much every feature contributed to every assignment.
#[derive(Parser)]
#[command(
    name = "neuralize",
    version,
    arg_required_else_help = true,
    after_long_help = AFTER_HELP
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) common: Common,
}

const AFTER_HELP: &str = "\
Tables are CSV files whose first line names the columns, .tsv and .tab files with tabs, .parquet \
and .pq files, and .npy arrays, whose columns are x0, x1 and so on and are matched with those of \
a model by position if there are as many. Standard input, named -, is CSV. Results go to standard \
output, everything else that there is to say to standard error.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (143 terminated). Files are written \
whole or not at all.

Example: neuralize demo --out wine
Example: cat wine.csv | neuralize predict - --model model";

/// What every subcommand takes.
#[derive(Args)]
pub(crate) struct Common {
    /// Where to compute
    #[arg(long, global = true, value_enum, default_value_t = BackendName::Flex)]
    pub(crate) backend: BackendName,
    /// Precision of the numbers [default: f64 on flex and ndarray, f32 on wgpu]
    #[arg(long, global = true, value_enum)]
    pub(crate) precision: Option<PrecisionName>,
    /// Print results and errors only
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Character between the cells of CSV files, read and written (`\t` for a tab) [default: a
    /// comma, in .tsv and .tab files a tab]
    #[arg(long, global = true, value_name = "CHAR", value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum BackendName {
    /// CPU
    Flex,
    /// CPU, by the ndarray crate (needs a build with the feature `ndarray`)
    Ndarray,
    /// GPU (needs a build with the feature `wgpu`)
    Wgpu,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum PrecisionName {
    F32,
    F64,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Show what this is on the wine data, which is inside the program
    Demo(DemoArgs),
    /// Fit k-means, or another method, to a table
    Fit(FitArgs),
    /// Make a model of clusters that were found elsewhere, from a column of labels
    Label(LabelArgs),
    /// Make a model of centroids that were fitted elsewhere
    Import(ImportArgs),
    /// Cluster of every row: index,cluster,logit,probability
    Predict(PredictArgs),
    /// Why is every row in its cluster? index,cluster,logit and a relevance for every feature
    Explain(ExplainArgs),
    /// How far out is every row, and why? index,score and a relevance for every feature
    Outliers(OutlierArgs),
    /// Which method explains the model best? NEON and others, compared by what a good explanation keeps
    Evaluate(EvaluateArgs),
    /// A page about a clustering: why is every point where it is?
    Report(ReportArgs),
    /// What a model is
    Inspect(InspectArgs),
    /// Completions of this command for a shell
    Completions(CompletionsArgs),
    /// Manual pages of this command
    Man(ManArgs),
}

#[derive(Args)]
#[command(after_help = "Example: neuralize demo --out wine\n\
                        Example: neuralize demo --report wine.html")]
pub(crate) struct DemoArgs {
    /// Also write the data, the model, predictions and relevances to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
    /// Also write a page about the clustering, one file for a browser
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
    /// Also write figures to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) figures: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Example: neuralize fit wine.csv --clusters 3 --model model --scale minmax --label target\n\
                  Example: neuralize fit wine.csv -k 3 --method gmm --model model --scale standard --label target\n\
                  Example: cat wine.csv | neuralize fit - --clusters 3 --model model --drop target"
)]
pub(crate) struct FitArgs {
    /// Table: .csv, .tsv, .parquet or .npy; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// How many clusters
    #[arg(long, short = 'k', value_name = "K")]
    pub(crate) clusters: usize,
    /// Folder to save the model to
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// How clusters are found: kmeans, or k-means by another distance (kmedians, power=P,
    /// mahalanobis, bregman-kl for counts, bregman-is for spectra, bregman-logistic for yes and
    /// no), kernel (k-means with a Gaussian kernel, clusters of any form), or gmm (a mixture of
    /// Gaussians)
    #[arg(long, default_value = "kmeans", value_name = "METHOD", value_parser = method)]
    pub(crate) method: Method,
    /// How features are brought to one scale
    #[arg(long, value_enum, default_value_t = ScaleName::None)]
    pub(crate) scale: ScaleName,
    /// A column of known classes: no feature, but compared with the clusters
    #[arg(long, value_name = "COL")]
    pub(crate) label: Option<String>,
    /// A column that is no feature (may be given again)
    #[arg(long, value_name = "COL")]
    pub(crate) drop: Vec<String>,
    /// First centroids: k-means++, random, or rows:I,J,.. counted from 0 [default: k-means++]
    #[arg(long, value_name = "HOW", value_parser = init)]
    pub(crate) init: Option<Init>,
    /// Stiffness of the kernel: auto (from the distances of near neighbours), median (of all
    /// distances), perplexity=P, or a number
    #[arg(long, value_name = "HOW", value_parser = bandwidth, allow_negative_numbers = true)]
    pub(crate) gamma: Option<Bandwidth>,
    /// So many prototypes stand for a cluster of method kernel instead of all its members
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) prototypes: Option<usize>,
    /// Weight by which the means of a bregman method are drawn to the mean of all data
    #[arg(long, value_name = "A", value_parser = weight, allow_negative_numbers = true)]
    pub(crate) smoothing: Option<f64>,
    /// Restarts, the best of which is kept [default: by the method and the size of the data]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) restarts: Option<usize>,
    /// Go through the file once for every iteration instead of keeping it in memory
    #[arg(long, conflicts_with = "restarts")]
    pub(crate) stream: bool,
    /// Most iterations of one restart [default: 300, for gmm 200]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) max_iter: Option<usize>,
    /// Converged when the squared shift of the centroids is at most this times the mean variance,
    /// by another distance when the inertia falls by no more than this part, for gmm when the
    /// log-likelihood of a row rises by no more [default: 1e-4]
    #[arg(long, value_name = "T")]
    pub(crate) tol: Option<f64>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
}

#[derive(Args)]
#[command(
    after_help = "The centroids must be in the units of the data, since the model is made without a scaler.\n\n\
                  Example: neuralize import centroids.csv --data data.csv --model model"
)]
pub(crate) struct ImportArgs {
    /// Table of one centroid a row; its columns are the features
    #[arg(value_name = "CENTROIDS", value_hint = ValueHint::FilePath)]
    pub(crate) centroids: PathBuf,
    /// Folder to save the model to
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// The model's beta
    #[arg(long, value_name = "B", required_unless_present = "data", allow_negative_numbers = true)]
    pub(crate) beta: Option<f64>,
    /// The data of the clustering, for the heuristic beta, the inertia and the sizes
    #[arg(long, value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "Labels may come from DBSCAN, HDBSCAN, spectral or hierarchical clustering, or from a person. The model \
                  decides by the similarity to the members of every cluster; how often that gives the labels is said.\n\n\
                  Example: neuralize label wine.csv --labels target --model model --scale minmax"
)]
pub(crate) struct LabelArgs {
    /// Table: .csv, .tsv, .parquet or .npy; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// The column of labels
    #[arg(long, value_name = "COL")]
    pub(crate) labels: String,
    /// Folder to save the model to
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// The label of noise, which is in no cluster and left out, as rows without a label are (may be
    /// given again)
    #[arg(long, value_name = "LABEL", default_value = "-1", allow_hyphen_values = true)]
    pub(crate) noise: Vec<String>,
    /// How features are brought to one scale
    #[arg(long, value_enum, default_value_t = ScaleName::None)]
    pub(crate) scale: ScaleName,
    /// A column that is no feature (may be given again)
    #[arg(long, value_name = "COL")]
    pub(crate) drop: Vec<String>,
    /// So many prototypes stand for a cluster instead of all its members
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) prototypes: Option<usize>,
    /// Stiffness of the kernel: auto (the smoothest that gives the labels), or a number, inf for
    /// the nearest member alone
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|G",
        value_parser = chosen_gamma,
        allow_negative_numbers = true
    )]
    pub(crate) gamma: ChosenGamma,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
}

/// A stiffness, or none where it is to be chosen.
#[derive(Clone, Copy)]
pub(crate) struct ChosenGamma(pub(crate) Option<f64>);

#[derive(Args)]
#[command(
    after_help = "Without --model every row is scored against the others. Scores and relevances are in squared units of the \
                  scaled data; those of a row sum to its score.\n\n\
                  Example: neuralize outliers wine.csv --scale standard --drop target --limit 5 --format table\n\
                  Example: neuralize outliers wine.csv --scale standard --drop target --save density -o scores.csv"
)]
pub(crate) struct OutlierArgs {
    /// Table: .csv, .tsv, .parquet or .npy; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Score against the data of this model, which --save has made
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        conflicts_with_all = ["save", "scale", "drop", "perplexity", "gamma", "supports", "seed"]
    )]
    pub(crate) model: Option<PathBuf>,
    /// Also save a model of these data to this folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) save: Option<PathBuf>,
    /// How features are brought to one scale
    #[arg(long, value_enum, default_value_t = ScaleName::None)]
    pub(crate) scale: ScaleName,
    /// A column that is no feature (may be given again)
    #[arg(long, value_name = "COL")]
    pub(crate) drop: Vec<String>,
    /// The part of the data that counts as a point's neighbours
    #[arg(
        long,
        value_name = "P",
        default_value = "0.25",
        value_parser = part,
        allow_negative_numbers = true
    )]
    pub(crate) perplexity: f64,
    /// Stiffness of the kernel, instead of the perplexity; inf for the nearest neighbour alone
    #[arg(
        long,
        value_name = "G",
        conflicts_with = "perplexity",
        value_parser = positive,
        allow_negative_numbers = true
    )]
    pub(crate) gamma: Option<f64>,
    /// Most points of the data that others are scored against, drawn at random [default: all]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) supports: Option<usize>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Only the N features of largest |relevance| of every row; the others are summed as `other`
    /// [default: all; in a table 3]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<NonZeroUsize>,
    /// Order of the results
    #[arg(long, value_enum, default_value_t = OutlierSortName::Score)]
    pub(crate) sort: OutlierSortName,
    /// Only the first N results of that order
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum OutlierSortName {
    /// The farthest out first; all results are held in memory, or twice the limit
    Score,
    /// As in the file
    Row,
}

impl From<OutlierSortName> for Sort {
    fn from(name: OutlierSortName) -> Self {
        match name {
            OutlierSortName::Score => Self::Typical,
            OutlierSortName::Row => Self::Row,
        }
    }
}

/// How clusters are found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Method {
    KMeans,
    Distance(Distance),
    Kernel,
    Mixture,
}

/// Where results go and how.
#[derive(Args)]
pub(crate) struct ResultArgs {
    /// File for the results [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// How they are written [default: by the ending of the file's name, else csv]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatName>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum FormatName {
    /// A line a row
    Csv,
    /// An array of objects, one a line
    Json,
    /// Apache Parquet
    Parquet,
    /// Aligned for a terminal
    Table,
}

#[derive(Args)]
#[command(after_help = "Example: neuralize predict new.csv --model model -o clusters.csv\n\
                        Example: cat new.csv | neuralize predict - --model model --format json")]
pub(crate) struct PredictArgs {
    /// Table with the model's features among its columns, in any order; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Folder of the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
}

#[derive(Args)]
#[command(
    after_help = "Relevances are in the units of the model's distance between scaled points, squared units for k-means; \
                  those of a row sum to its logit. What no feature has (prior and variance of a mixture, entropy or ties of a \
                  kernel) has columns in parentheses.\n\n\
                  Example: neuralize explain new.csv --model model --check -o relevance.csv\n\
                  Example: neuralize explain new.csv --model model --rows 60,61,100-120 --format table\n\
                  Example: neuralize explain new.csv --model model --sort ambiguous --limit 10 --top 5"
)]
pub(crate) struct ExplainArgs {
    /// Table with the model's features among its columns, in any order; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Folder of the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// How sharply competitors are told apart: auto (the model's), or a number, inf for the
    /// nearest alone
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|B",
        value_parser = beta,
        allow_negative_numbers = true
    )]
    pub(crate) beta: Beta,
    /// The cluster that is explained: the row's own, or one for all rows, by its number or label
    #[arg(long, default_value = "assigned", value_name = "assigned|C")]
    pub(crate) cluster: String,
    /// Explain against this cluster alone: why not K?
    #[arg(long, value_name = "K")]
    pub(crate) versus: Option<String>,
    /// Only these rows, counted from 0: numbers and ranges, such as 60,61,100-120
    #[arg(long, value_name = "ROWS", value_parser = rows)]
    pub(crate) rows: Option<RowSet>,
    /// Only the N features of largest |relevance| of every row; the others are summed as `other`
    /// [default: all; in a table 3]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<NonZeroUsize>,
    /// Order of the results; all but that of rows holds them in memory, all or twice the limit
    #[arg(long, value_enum, default_value_t = SortName::Row)]
    pub(crate) sort: SortName,
    /// Only the first N results of that order
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// A row that is a training point is explained as if it had not been one (models of points:
    /// kernel, label)
    #[arg(long)]
    pub(crate) leave_one_out: bool,
    /// How a cluster's relevance goes to its points (models of points): their differences summed
    /// first, or pair by pair as in the literature
    #[arg(long, value_enum)]
    pub(crate) rule: Option<RuleName>,
    /// Also measure conservation, and where the model allows it shift invariance and the agreement
    /// with autodiff
    #[arg(long)]
    pub(crate) check: bool,
    /// Also write a page about these rows, in full and whatever --top says, one file for a browser;
    /// the table is then held in memory (without --cluster, --versus, --limit, --rule and
    /// --leave-one-out)
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["cluster", "versus", "limit", "leave_one_out", "rule"])]
    pub(crate) report: Option<PathBuf>,
    /// A column of known classes, for the report
    #[arg(long, value_name = "COL", requires = "report")]
    pub(crate) label: Option<String>,
    #[command(flatten)]
    pub(crate) results: ResultArgs,
}

#[derive(Args)]
#[command(
    after_help = "The table is held in memory. Every explanation that the page shows is in it: nothing is fetched.\n\n\
                  Example: neuralize report wine.csv --model model --label target -o wine.html\n\
                  Example: neuralize report wine.csv --model model -o wine.html --figures figures"
)]
pub(crate) struct ReportArgs {
    /// Table with the model's features among its columns, in any order; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Folder of the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// File for the page
    #[arg(long, short, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) output: PathBuf,
    /// A column of known classes: compared with the clusters
    #[arg(long, value_name = "COL")]
    pub(crate) label: Option<String>,
    /// How sharply competitors are told apart: auto (the model's), or a number, inf for the
    /// nearest alone
    #[arg(
        long,
        default_value = "auto",
        value_name = "auto|B",
        value_parser = beta,
        allow_negative_numbers = true
    )]
    pub(crate) beta: Beta,
    /// Also write figures to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) figures: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "The table is held in memory. The default text says in a line what every column means and which values are \
                  better. Methods that are not for this model or these data are named on standard error.\n\n\
                  Example: neuralize evaluate wine.csv --model model --methods neon,sensitivity --points 40\n\
                  Example: neuralize evaluate wine.csv --model model --methods neon,random --report compared.html"
)]
pub(crate) struct EvaluateArgs {
    /// Table with the model's features among its columns, in any order; - is CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Folder of the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// Methods that are compared, with commas between them: all, usual (one or two of every kind),
    /// or names, some of which take a reference, as occlusion:mean
    #[arg(long, default_value = "usual", value_name = "LIST", value_parser = methods)]
    pub(crate) methods: MethodList,
    /// Only these rows, counted from 0: numbers and ranges, such as 60,61,100-120
    #[arg(long, value_name = "ROWS", value_parser = rows)]
    pub(crate) rows: Option<RowSet>,
    /// Only the first N of these rows
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
    /// Most points that are explained, drawn at random from the rows [default: 10000]
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) points: Option<usize>,
    /// A column of known classes, which is no feature and plays no part
    #[arg(long, value_name = "COL")]
    pub(crate) label: Option<String>,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Also write a page with tables and figures, one file for a browser
    #[arg(long, value_name = "FILE.html", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,
    /// Also write figures to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) figures: Option<PathBuf>,
    /// File for the results [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// How they are written [default: by the ending of the file's name, else text]
    #[arg(long, value_enum)]
    pub(crate) format: Option<ComparisonName>,
}

/// Methods of explanation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MethodList(pub(crate) Vec<baseline::Method>);

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum ComparisonName {
    /// Methods by measures, aligned for a terminal
    Text,
    /// method,measure,value
    Csv,
    /// Everything there is, curves too
    Json,
}

#[derive(Args)]
#[command(after_help = "Example: neuralize inspect model")]
pub(crate) struct InspectArgs {
    /// Folder of the model
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
}

#[derive(Args)]
#[command(after_help = "Example: neuralize completions bash > neuralize.bash")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Args)]
#[command(after_help = "Example: neuralize man > neuralize.1\n\
                        Example: neuralize man --out man1")]
pub(crate) struct ManArgs {
    /// Write the page of every subcommand to this folder [default: the first page to standard output]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum RuleName {
    /// Tame, and in proportion to the number of points
    Summed,
    /// Singular where two points are equally near
    Pairwise,
}

impl From<RuleName> for PairRule {
    fn from(name: RuleName) -> Self {
        match name {
            RuleName::Summed => Self::Summed,
            RuleName::Pairwise => Self::Pairwise,
        }
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum SortName {
    /// As in the file
    Row,
    /// Nearest the boundary first
    Ambiguous,
    /// The largest logit first
    Typical,
}

impl From<SortName> for Sort {
    fn from(name: SortName) -> Self {
        match name {
            SortName::Row => Self::Row,
            SortName::Ambiguous => Self::Ambiguous,
            SortName::Typical => Self::Typical,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ScaleName {
    /// As they are
    None,
    /// To the range 0 to 1
    Minmax,
    /// To mean 0 and standard deviation 1
    Standard,
}

impl From<ScaleName> for Scale {
    fn from(name: ScaleName) -> Self {
        match name {
            ScaleName::None => Self::None,
            ScaleName::Minmax => Self::MinMax,
            ScaleName::Standard => Self::Standard,
        }
    }
}

/// A call that cannot be meant: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "\\t" | "tab" => Ok(b'\t'),
        _ => match text.as_bytes() {
            [b'"' | b'\n' | b'\r' | b'.' | b'-' | b'0'..=b'9'] => {
                Err("this character is part of numbers or of quoting".into())
            }
            [byte] if byte.is_ascii() => Ok(*byte),
            _ => Err("one ASCII character is needed".into()),
        },
    }
}

fn init(text: &str) -> Result<Init, String> {
    match text {
        "k-means++" => Ok(Init::KMeansPlusPlus),
        "random" => Ok(Init::Random),
        _ => {
            let rows = text
                .strip_prefix("rows:")
                .ok_or("it must be `k-means++`, `random` or `rows:I,J,..`")?;
            rows.split(',')
                .map(|row| row.trim().parse().map_err(|_| format!("`{row}` is not a row number")))
                .collect::<Result<_, _>>()
                .map(Init::Rows)
        }
    }
}

fn method(text: &str) -> Result<Method, String> {
    let distance = match text {
        "kmeans" => return Ok(Method::KMeans),
        "kernel" => return Ok(Method::Kernel),
        "gmm" => return Ok(Method::Mixture),
        "kmedians" => "manhattan",
        "mahalanobis" => text,
        _ if text.starts_with("power=") => text,
        _ => text.strip_prefix("bregman-").filter(|name| ["kl", "is", "logistic"].contains(name)).ok_or(
            "it must be `kmeans`, `kmedians`, `power=P`, `mahalanobis`, `bregman-kl`, `bregman-is`, `bregman-logistic`, \
             `kernel` or `gmm`",
        )?,
    };
    distance.parse().map(Method::Distance).map_err(|error: neuralize::Error| error.to_string())
}

fn bandwidth(text: &str) -> Result<Bandwidth, String> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| *number > 0.0);
    let found = match (text, text.strip_prefix("perplexity=")) {
        ("auto", _) => Some(Bandwidth::Neighbours),
        ("median", _) => Some(Bandwidth::Median),
        (_, Some(perplexity)) => number(perplexity).map(Bandwidth::Perplexity),
        _ => number(text).map(Bandwidth::Gamma),
    };
    found.ok_or_else(|| "it must be `auto`, `median`, `perplexity=P` or a positive number".into())
}

fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| *count > 0);
    count.ok_or_else(|| "it must be a whole number of at least 1".into())
}

fn weight(text: &str) -> Result<f64, String> {
    let weight = text.parse().ok().filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
    weight.ok_or_else(|| "it must be a number of at least 0".into())
}

fn part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| *part > 0.0 && *part <= 1.0);
    part.ok_or_else(|| "it must be a number above 0, at most 1".into())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| *number > 0.0);
    number.ok_or_else(|| "it must be a positive number".into())
}

fn chosen_gamma(text: &str) -> Result<ChosenGamma, String> {
    match (text, text.parse::<f64>()) {
        ("auto", _) => Ok(ChosenGamma(None)),
        (_, Ok(gamma)) if gamma > 0.0 => Ok(ChosenGamma(Some(gamma))),
        _ => Err("it must be `auto` or a positive number".into()),
    }
}

fn methods(text: &str) -> Result<MethodList, String> {
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

fn rows(text: &str) -> Result<RowSet, String> {
    text.parse().map_err(|error: neuralize::Error| error.to_string())
}

fn beta(text: &str) -> Result<Beta, String> {
    match text {
        "auto" => Ok(Beta::Heuristic),
        _ => match text.parse::<f64>() {
            Ok(value) if value >= 0.0 => Ok(Beta::Value(value)),
            _ => Err("it must be `auto` or a number of at least 0".into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

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
