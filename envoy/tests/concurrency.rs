//! How many calls run at once, over all workers of a real Envoy; and what is given back when a server is not reached.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use axum::{Router, routing::post};
use envoy::{Config, Envoy, filters::PolicyFilter, policed::held, wire};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Barrier, Semaphore},
    time::{Instant, sleep, timeout},
};

/// Long enough for a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);
const CONNECTIONS: usize = 24;
const MAX: usize = 3;
/// How often all connections call at once.
const ROUNDS: usize = 150;

/// A server whose calls run until the test lets them end.
struct Slow {
    address: SocketAddr,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    ends: Arc<Semaphore>,
}

impl Slow {
    async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (running, most, ends) = (Arc::default(), Arc::default(), Arc::new(Semaphore::new(0)));
        let slow = Self { address, running, most, ends };
        let (running, most, ends) = (Arc::clone(&slow.running), Arc::clone(&slow.most), Arc::clone(&slow.ends));
        let handler = move || {
            let (running, most, ends) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&ends));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                if let Ok(end) = ends.acquire().await {
                    end.forget();
                }
                running.fetch_sub(1, Ordering::SeqCst);
                axum::Json(json!({ "jsonrpc": "2.0", "id": 1, "result": { "content": [] } }))
            }
        };
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/mcp", post(handler))).await });
        Ok(slow)
    }

    /// Waits until so many calls run.
    async fn runs(&self, count: usize) -> Result<()> {
        let reached = async {
            while self.running.load(Ordering::SeqCst) != count {
                sleep(Duration::from_millis(2)).await;
            }
        };
        Ok(timeout(PATIENCE, reached).await?)
    }
}

fn at_most(concurrency: &Value) -> Value {
    held(&json!({ "version": "1", "default": "deny", "tools": { "get_run": { "concurrency": concurrency } } }))
}

/// Whether the server answered, and not the policy.
async fn call(http: &reqwest::Client, envoy: &Envoy) -> Result<bool> {
    let request = http.post(envoy.url("/mcp")).header("accept", "application/json, text/event-stream");
    let answer: Value = request.json(&wire::call("get_run", &json!({}))).send().await?.json().await?;
    match wire::rule(&answer) {
        None if answer["result"]["content"] == json!([]) => Ok(true),
        Some("/tools/get_run/concurrency") => Ok(false),
        _ => anyhow::bail!("{answer}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exactly_so_many_run_at_once_over_four_workers() -> Result<()> {
    let slow = Slow::start().await?;
    let policy = PolicyFilter::new(at_most(&json!({ "max": MAX })))?;
    let envoy = Arc::new(Envoy::start(&Config::new(slow.address).workers(4).policy(policy)).await?);
    // A connection each, which stays open, so that the calls of a round really meet.
    let clients: Vec<reqwest::Client> = (0..CONNECTIONS).map(|_| envoy::http()).collect();
    for round in 0..ROUNDS {
        let start = Arc::new(Barrier::new(CONNECTIONS));
        let refused = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = clients
            .iter()
            .map(|http| {
                let (http, envoy) = (http.clone(), Arc::clone(&envoy));
                let (start, refused) = (Arc::clone(&start), Arc::clone(&refused));
                tokio::spawn(async move {
                    start.wait().await;
                    let ran = call(&http, &envoy).await?;
                    refused.fetch_add(usize::from(!ran), Ordering::SeqCst);
                    anyhow::Ok(ran)
                })
            })
            .collect();
        // Those that run are let go only when all others have been refused.
        slow.runs(MAX).await?;
        let all_refused = async {
            while refused.load(Ordering::SeqCst) < CONNECTIONS - MAX {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, all_refused).await?;
        slow.ends.add_permits(MAX);
        let mut ran = 0;
        for task in tasks {
            ran += usize::from(task.await??);
        }
        assert_eq!(ran, MAX, "round {round}");
    }
    assert_eq!(slow.most.load(Ordering::SeqCst), MAX);
    Ok(())
}

/// Envoy's clock cannot be set, so this one waits: for longer than a lease lasts that nobody renews.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_outlives_its_lease_goes_on_counting() -> Result<()> {
    let slow = Slow::start().await?;
    let policy = PolicyFilter::new(at_most(&json!({ "max": 1 })))?;
    let envoy = Arc::new(Envoy::start(&Config::new(slow.address).policy(policy)).await?);
    let long = {
        let envoy = Arc::clone(&envoy);
        tokio::spawn(async move { call(&envoy::http(), &envoy).await })
    };
    slow.runs(1).await?;
    sleep(Duration::from_secs(34)).await;
    assert!(!call(&envoy::http(), &envoy).await?);
    slow.ends.add_permits(2);
    assert!(long.await??);
    assert!(call(&envoy::http(), &envoy).await?);
    Ok(())
}

/// Calls, and hangs up once the server has the call.
async fn hang_up(slow: &Slow, envoy: &Envoy) -> Result<()> {
    let body = wire::call("get_run", &json!({})).to_string();
    let mut stream = TcpStream::connect(envoy.address()).await?;
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await?;
    slow.runs(1).await?;
    drop(stream);
    let gone = async {
        while envoy.admin().stats("http.mcp.downstream_cx_active").await?.values().any(|active| *active > 0) {
            sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(())
    };
    timeout(PATIENCE, gone).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_gains_no_slot_while_it_lingers() -> Result<()> {
    let http = envoy::http();
    for (linger, is_free) in [("1h", false), ("0s", true)] {
        let slow = Slow::start().await?;
        let policy = PolicyFilter::new(at_most(&json!({ "max": 1, "linger": linger })))?;
        let envoy = Envoy::start(&Config::new(slow.address).policy(policy)).await?;
        hang_up(&slow, &envoy).await?;
        slow.ends.add_permits(10);
        assert_eq!(call(&http, &envoy).await?, is_free, "{linger}");
    }
    Ok(())
}

/// A server that takes a connection and ends it once it has seen a call.
async fn hostile() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut seen = Vec::new();
            while !String::from_utf8_lossy(&seen).contains("tools/call") {
                if !matches!(stream.read_buf(&mut seen).await, Ok(1..)) {
                    break;
                }
            }
        }
    });
    Ok(address)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_call_that_never_left_envoy_is_given_back_as_unsent() -> Result<()> {
    // Nothing listens there once the socket is closed.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    for (upstream, refund, is_given_back) in
        [(nobody, "unsent", true), (nobody, "never", false), (hostile().await?, "unsent", false)]
    {
        for mode in ["stream", "hold"] {
            let limit = json!({ "counter": "c", "window": "hour", "max": 1, "refund": refund });
            let mut configuration = held(&json!({ "version": "1", "default": "deny",
                "tools": { "get_run": { "limits": [limit], "concurrency": { "max": 1, "linger": "0s" } } } }));
            configuration["request_headers"] = mode.into();
            let envoy = Envoy::start(&Config::new(upstream).policy(PolicyFilter::new(configuration)?)).await?;
            let first = wire::post(envoy.url("/mcp"), &wire::call("get_run", &json!({}))).send().await?;
            assert_eq!(first.status(), 503, "{mode}");
            let begun = Instant::now();
            let second = wire::post(envoy.url("/mcp"), &wire::call("get_run", &json!({}))).send().await?;
            let expected = if is_given_back { 503 } else { 200 };
            assert_eq!(second.status(), expected, "{refund} {mode} {upstream} {:?}", begun.elapsed());
        }
    }
    Ok(())
}
