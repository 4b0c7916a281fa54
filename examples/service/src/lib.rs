//! Predictions and explanations over HTTP: a model is loaded once and shared by all threads.

use std::path::Path;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use burn::tensor::{DType, Tensor, TensorData};
use neuralize::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The backend: the only place that names one.
#[cfg(not(feature = "wgpu"))]
pub type B = burn::backend::Flex;
#[cfg(feature = "wgpu")]
pub type B = burn::backend::Wgpu;

/// A request holds at most this many bytes.
const LARGEST_REQUEST: usize = 8 << 20;

/// A model, as a service keeps it. Every answer of it needs `&self` only, so an `Arc` shares it.
pub struct Service {
    model: Model<B>,
}

impl Service {
    /// The service of a model folder; a model of wines is fitted and saved if there is none.
    pub fn open(folder: &Path) -> neuralize::Result<Self> {
        let device = Default::default();
        if !folder.join("config.json").exists() {
            println!("{} has no model: fitting one of 178 wines", folder.display());
            let wine = Table::wine();
            let x = wine.to_tensor::<B>(&device, DType::F32)?;
            let scaler = Scale::MinMax.fit(&x)?;
            let fit = ClustererConfig::from(KMeansConfig::new(3)).fit(&scaler.transform(&x)?)?;
            let info =
                ModelInfo::from(&fit).with_features(wine.features()).with_scale(Scale::MinMax);
            Model::new(scaler, fit.clusterer, info)?.save(folder)?;
        }
        let model = Model::load(folder, &device, DType::F32)?;
        // The first call derives what all others use, so the first request need not wait. A row
        // that the model cannot explain does no harm.
        let features = model.info().features.len();
        let ones = Tensor::ones([1, features], (&device, DType::F32));
        let _ = model.explain(&ones, Target::Assigned, Beta::Value(1.0));
        println!("{}", neuralize::kernels::<B>());
        Ok(Self { model })
    }

    /// Rows of a request as a tensor.
    fn tensor(&self, rows: Vec<Vec<f32>>) -> Result<Tensor<B, 2>, Refused> {
        let width = self.model.info().features.len();
        if let Some(at) = rows.iter().position(|row| row.len() != width) {
            let found = rows[at].len();
            return Err(Refused(format!(
                "row {at} has {found} numbers, the model {width} features"
            )));
        }
        let data = TensorData::new(rows.concat(), [rows.len(), width]);
        Ok(Tensor::from_data(data, (&Default::default(), DType::F32)))
    }

    fn predict(&self, request: Rows) -> Result<Prediction, Refused> {
        let x = self.model.scaler().transform(&self.tensor(request.rows)?)?;
        let (clusters, logits) = self.model.network()?.predict_with_logit(&x)?;
        Ok(Prediction {
            clusters: clusters.into_data().iter().collect(),
            logits: logits.into_data().iter().collect(),
        })
    }

    fn explain(&self, request: Question) -> Result<Vec<Why>, Refused> {
        let x = self.tensor(request.rows)?;
        let beta = request.beta.map_or(Beta::Heuristic, Beta::Value);
        let target = request.versus.map_or(Target::Assigned, Target::AssignedVersus);
        let found = self.model.explain(&x, target, beta)?;
        let features = &self.model.info().features;
        let clusters: Vec<i64> = found.cluster.clone().into_data().iter().collect();
        let logits: Vec<f32> = found.logit.clone().into_data().iter().collect();
        let top = found.top(request.top.unwrap_or(features.len()));
        let named = |(feature, relevance): (usize, f64)| (features[feature].clone(), relevance);
        Ok(top
            .into_iter()
            .zip(clusters.into_iter().zip(logits))
            .map(|(row, (cluster, logit))| Why {
                cluster,
                logit,
                relevance: row.into_iter().map(named).collect(),
            })
            .collect())
    }
}

/// Rows of raw numbers, one for every feature.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    rows: Vec<Vec<f32>>,
}

#[derive(Serialize)]
struct Prediction {
    clusters: Vec<i64>,
    logits: Vec<f32>,
}

/// Rows, and what is asked about them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    rows: Vec<Vec<f32>>,
    /// The strongest features alone.
    top: Option<usize>,
    /// Another β than the model's.
    beta: Option<f64>,
    /// Why not that cluster?
    versus: Option<usize>,
}

#[derive(Serialize)]
struct Why {
    cluster: i64,
    logit: f32,
    /// Features and their relevances, the strongest first.
    relevance: Vec<(String, f64)>,
}

/// A request that cannot be answered, and why: status 400 with the message of the library.
struct Refused(String);

impl From<neuralize::Error> for Refused {
    fn from(error: neuralize::Error) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({ "error": self.0 }))).into_response()
    }
}

/// The routes of a service.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/model", get(model))
        .route("/predict", post(predict))
        .route("/explain", post(explain))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(service)
}

async fn model(State(service): State<Arc<Service>>) -> Response {
    let info = service.model.info();
    let clusters = service.model.clusterer().n_clusters();
    Json(json!({ "features": info.features, "clusters": clusters })).into_response()
}

async fn predict(
    State(service): State<Arc<Service>>,
    request: Result<Json<Rows>, JsonRejection>,
) -> Response {
    answer(request, move |rows| service.predict(rows)).await
}

async fn explain(
    State(service): State<Arc<Service>>,
    request: Result<Json<Question>, JsonRejection>,
) -> Response {
    answer(request, move |question| service.explain(question)).await
}

/// Computes on a thread for work that blocks, so that other connections go on.
async fn answer<Q: Send + 'static, A: Serialize + Send + 'static>(
    request: Result<Json<Q>, JsonRejection>,
    work: impl FnOnce(Q) -> Result<A, Refused> + Send + 'static,
) -> Response {
    let Json(question) = match request {
        Ok(question) => question,
        Err(refused) => {
            let reason = Json(json!({ "error": refused.body_text() }));
            return (refused.status(), reason).into_response();
        }
    };
    match tokio::task::spawn_blocking(move || work(question)).await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(refused)) => refused.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
