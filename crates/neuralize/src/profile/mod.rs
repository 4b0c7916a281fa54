//! What every cluster of a clustering is: its size, its columns beside those of all rows, what is
//! special about it, a sentence, a rule that recognises its rows, rows to look at, and how it
//! compares with another cluster and with known classes.

mod cluster_profile;
mod clustered_rows;
mod column_profile;
mod hypergeometric;
mod model_builder;
mod model_profile;
mod numbers;
mod rows;
mod rule;
mod sentence;
mod shares;
mod special;
mod stability;
mod table_columns;
mod v_test;
mod versus;

pub use crate::cluster::{Agreement, CrossTable, MATCHED_CLASS, MATCHED_ROWS};
pub use cluster_profile::{ClusterProfile, Profile};
pub use clustered_rows::{Cells, ClusteredRows, ColumnValues};
pub use column_profile::ColumnProfile;
pub use model_builder::ModelProfileBuilder;
pub use model_profile::{
    AMBIGUOUS, CellFacts, ClassFacts, ClusterFacts, ContrastFacts, DifferenceFacts, ModelProfile,
    PairFacts, RowFacts, RuleFacts, STABLE, UNSTABLE,
};
pub use numbers::{NumberOfCluster, NumberProfile, Summary};
pub use rows::{NotableRow, farthest_rows, typical_rows};
pub use rule::{Condition, MAX_CONDITIONS, Rule, Test};
pub use shares::{MAX_VALUES, ShareOfCluster, ShareProfile, ValueProfile};
pub use special::{Direction, LEVEL, REMARK, Special};
pub use table_columns::TableColumns;
pub use v_test::VTest;
pub use versus::{Difference, Versus};
