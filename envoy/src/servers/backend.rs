//! What stands behind a server whose tools ask another one: it answers little, and remembers what it was asked.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::State,
    http::{Method, Uri},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::Executed;
use crate::{Error, Result};

/// What a request says of the tool that made it.
type Meaning = fn(&Method, &Uri) -> Option<Executed>;

/// A running backend; it stops when dropped.
#[derive(Debug)]
pub(super) struct Backend {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Executed>>>,
    task: JoinHandle<()>,
}

impl Backend {
    pub(super) async fn start(meaning: Meaning) -> Result<Self> {
        let asked = Arc::default();
        let router = Router::new().fallback(answer).with_state((Arc::clone(&asked), meaning));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let task = tokio::spawn(async move {
            // Serving ends only with the task.
            axum::serve(listener, router).await.ok();
        });
        Ok(Self { address, asked, task })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Executed> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State((asked, meaning)): State<(Arc<Mutex<Vec<Executed>>>, Meaning)>,
    method: Method,
    uri: Uri,
) -> Json<Value> {
    asked.lock().unwrap_or_else(PoisonError::into_inner).extend(meaning(&method, &uri));
    // An empty answer of Prometheus; whoever expects another one reports an error after having asked.
    Json(json!({ "status": "success", "data": { "resultType": "vector", "result": [] } }))
}
