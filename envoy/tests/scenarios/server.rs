//! The server's side of a step.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use host_test::scenario::{Exchange, Received, essential};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::http::{Raw, Reader, Unsaid, write};

/// The one server behind all listeners. Steps run one after the other, so it knows which it answers.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Counts the steps.
    number: u64,
    step: Option<Step>,
    received: Vec<Received>,
    meanwhile: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone)]
struct Step {
    exchange: Exchange,
    /// Texts that the client should have before the last piece is sent.
    meanwhile: Vec<String>,
    /// What it has.
    so_far: watch::Receiver<Vec<u8>>,
}

/// How long the client may take to get what the server has sent.
const PATIENCE: Duration = Duration::from_secs(10);

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Ok(Self { address, state, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it will answer from now on. The client shows in the sender what it has got of the answer's body; the server
    /// waits with its last piece for the texts in `meanwhile`.
    pub(crate) fn expect(&self, exchange: &Exchange, meanwhile: &[String]) -> watch::Sender<Vec<u8>> {
        let (shown, so_far) = watch::channel(vec![]);
        let step = Step { exchange: exchange.clone(), meanwhile: meanwhile.to_vec(), so_far };
        let mut state = lock(&self.state);
        *state = State { number: state.number + 1, step: Some(step), ..State::default() };
        shown
    }

    /// What has come since then.
    pub(crate) fn received(&self) -> Vec<Received> {
        lock(&self.state).received.clone()
    }

    /// What the client had got before the last piece was sent.
    pub(crate) fn meanwhile(&self) -> Vec<u8> {
        lock(&self.state).meanwhile.clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves one connection until either side ends it.
async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (incoming, mut outgoing) = stream.split();
    let mut reader = Reader::new(incoming);
    while let Some(mut raw) = reader.head().await {
        let (number, mut step, place) = {
            let mut state = lock(&state);
            let Some(step) = state.step.clone() else { return };
            state.received.push(received(&raw));
            (state.number, step, state.received.len() - 1)
        };
        reader.body(&mut raw, Unsaid::NoBody, |_| ()).await;
        {
            // What is cut off may be noticed when another step has begun.
            let mut state = lock(&state);
            if state.number == number {
                state.received[place] = received(&raw);
            }
        }
        if !raw.whole {
            return;
        }
        let start = format!("HTTP/1.1 {} Scripted", step.exchange.status);
        let waits = async {
            let has_all = |body: &Vec<u8>| {
                let body = String::from_utf8_lossy(body);
                step.meanwhile.iter().all(|text| body.contains(text))
            };
            let came = tokio::time::timeout(PATIENCE, step.so_far.wait_for(has_all)).await;
            // What never comes is missed in the outcome.
            let so_far = came.ok().and_then(Result::ok).map(|body| body.clone()).unwrap_or_default();
            lock(&state).meanwhile = so_far;
        };
        if write(&mut outgoing, &start, &step.exchange.answer, waits).await.is_err() {
            return;
        }
    }
}

fn received(raw: &Raw) -> Received {
    let mut line = raw.start.split(' ').map(str::to_owned);
    Received {
        method: line.next().unwrap_or_default(),
        path: line.next().unwrap_or_default(),
        host: raw.header("host").unwrap_or_default().to_owned(),
        headers: essential(raw.headers.iter().map(|(name, value)| (name, value))),
        body: raw.body.clone(),
        trailers: essential(raw.trailers.iter().map(|(name, value)| (name, value))),
        whole: raw.whole,
    }
}
