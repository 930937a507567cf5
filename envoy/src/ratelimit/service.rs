//! A running service.

use std::{
    convert::Infallible,
    fmt,
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use envoy_types::pb::envoy::service::ratelimit::v3::{
    RateLimitRequest, RateLimitResponse, rate_limit_response::Code as Overall,
};
use prost::Message;
use tokio::{net::TcpListener, runtime};
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codegen::{Bytes, Service, http},
    server::{Grpc, NamedService},
    transport::{Server, server::TcpIncoming},
};

use super::{Kind, fixed::Fixed, limitador::Limits, raw::Raw};
use crate::{Error, Result};

/// A rate-limit service on a port of 127.0.0.1. It stops when dropped, and its connections are closed.
pub struct RateLimitService {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// Its own, so that all of its connections end at once.
    runtime: Option<runtime::Runtime>,
}

/// What all calls share.
struct Shared {
    behaviour: Behaviour,
    seen: Mutex<Vec<RateLimitRequest>>,
    /// Seconds since 1970, if they were set.
    clock: Mutex<Option<u64>>,
}

/// What answers.
enum Behaviour {
    Fixed(Mutex<Fixed>, Duration),
    Limits(Box<Limits>),
    Unknown,
    Garbage,
    GrpcStatus(Code),
}

impl RateLimitService {
    /// Starts on a free port.
    ///
    /// # Errors
    /// If there is none, or Limitador cannot read its limits.
    pub async fn start(kind: Kind) -> Result<Self> {
        Self::start_on(kind, 0).await
    }

    /// Starts on this port: that of a service that was stopped, which so comes back.
    ///
    /// # Errors
    /// As [`RateLimitService::start`].
    pub async fn start_on(kind: Kind, port: u16) -> Result<Self> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("rate-limit service")
            .enable_all()
            .build()
            .map_err(|source| Error::Start { program: "a rate-limit service".to_owned(), source })?;
        let started = runtime.spawn(async move {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(Error::Listen)?;
            let address = listener.local_addr().map_err(Error::Listen)?;
            let behaviour = Behaviour::of(kind)?;
            let shared = Arc::new(Shared { behaviour, seen: Mutex::default(), clock: Mutex::default() });
            let server = Server::builder().add_service(Endpoint(Arc::clone(&shared)));
            tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
            Ok::<_, Error>((address, shared))
        });
        let started = match started.await {
            Ok(started) => started,
            Err(stopped) => Err(Error::Mcp(Box::new(stopped))),
        };
        match started {
            Ok((address, shared)) => Ok(Self { address, shared, runtime: Some(runtime) }),
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Where it serves, or served.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request that reached it so far.
    #[must_use]
    pub fn seen(&self) -> Vec<RateLimitRequest> {
        lock(&self.shared.seen).clone()
    }

    /// Sets the time that [`Kind::Ratelimit`] counts by, in seconds since 1970; it stands still from then on.
    pub fn set_clock(&self, seconds: u64) {
        *lock(&self.shared.clock) = Some(seconds);
    }

    /// Goes down: nothing listens, and open connections are closed.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for RateLimitService {
    fn drop(&mut self) {
        self.stop();
    }
}

impl fmt::Debug for RateLimitService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimitService").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Behaviour {
    fn of(kind: Kind) -> Result<Self> {
        Ok(match kind {
            Kind::Ratelimit { domains } => Self::Fixed(Mutex::new(Fixed::new(domains)), Duration::ZERO),
            Kind::Slow(time) => Self::Fixed(Mutex::new(Fixed::new(["mcp".to_owned()])), time),
            Kind::Limitador { limits, store, headers } => Self::Limits(Box::new(Limits::new(&limits, store, headers)?)),
            Kind::Unknown => Self::Unknown,
            Kind::Garbage => Self::Garbage,
            Kind::GrpcStatus(code) => Self::GrpcStatus(code),
        })
    }
}

impl Shared {
    async fn answer(&self, request: Request<Bytes>) -> Result<Response<Vec<u8>>, Status> {
        let request = RateLimitRequest::decode(request.into_inner())
            .map_err(|error| Status::invalid_argument(error.to_string()))?;
        lock(&self.seen).push(request.clone());
        let answer = match &self.behaviour {
            Behaviour::Fixed(fixed, time) => {
                if !time.is_zero() {
                    tokio::time::sleep(*time).await;
                }
                let now = lock(&self.clock).unwrap_or_else(now);
                lock(fixed).answer(&request, now)?
            }
            Behaviour::Limits(limits) => limits.answer(&request).await?,
            Behaviour::Unknown => {
                RateLimitResponse { overall_code: Overall::Unknown.into(), ..RateLimitResponse::default() }
            }
            // A field that says it is longer than all that follows.
            Behaviour::Garbage => return Ok(Response::new(b"\x12\xffgarbage".to_vec())),
            Behaviour::GrpcStatus(code) => return Err(Status::new(*code, "as it was told")),
        };
        Ok(Response::new(answer.encode_to_vec()))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// No caller panics while it holds one of these; if one did, what it left is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What gRPC calls.
#[derive(Clone)]
struct Endpoint(Arc<Shared>);

impl NamedService for Endpoint {
    const NAME: &'static str = "envoy.service.ratelimit.v3.RateLimitService";
}

impl Service<http::Request<Body>> for Endpoint {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = Method(Arc::clone(&self.0));
        Box::pin(async move {
            if request.uri().path() != super::raw::PATH {
                return Ok(Status::unimplemented("no such method").into_http());
            }
            Ok(Grpc::new(Raw).unary(method, request).await)
        })
    }
}

/// `ShouldRateLimit`.
struct Method(Arc<Shared>);

impl Service<Request<Bytes>> for Method {
    type Response = Response<Vec<u8>>;
    type Error = Status;
    type Future = BoxFuture<Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        Box::pin(async move { shared.answer(request).await })
    }
}
