//! One HTTP request and its response, driven by a test from both ends.

use std::sync::{Arc, Mutex};

use crate::half::{Delivered, Direction};
use crate::headers::{HeaderMap, MapKind};
use crate::properties::{Properties, Value};
use crate::reply::Reply;
use crate::shared::lock;
use crate::state::HttpStream;
use crate::vm::Vm;
use crate::worker::Worker;

/// A stream that has not begun.
#[derive(Debug)]
pub struct StreamBuilder {
    worker: Worker,
    properties: Properties,
}

impl StreamBuilder {
    pub(crate) fn new(worker: Worker) -> Self {
        StreamBuilder { worker, properties: Properties::default() }
    }

    /// Sets the property at a path, such as `["source", "address"]`. What is set here comes before what the host
    /// works out itself from the headers.
    #[must_use]
    pub fn property(mut self, path: &[&str], value: impl Into<Value>) -> Self {
        self.properties.set(path, value.into());
        self
    }

    /// Sends request headers; a body or trailers will follow.
    pub fn request_headers<K: AsRef<[u8]>, V: AsRef<[u8]>>(self, headers: &[(K, V)]) -> Stream {
        self.begin(headers, false)
    }

    /// Sends a request that has no body.
    pub fn request_without_body<K: AsRef<[u8]>, V: AsRef<[u8]>>(self, headers: &[(K, V)]) -> Stream {
        self.begin(headers, true)
    }

    fn begin<K: AsRef<[u8]>, V: AsRef<[u8]>>(self, headers: &[(K, V)], end: bool) -> Stream {
        let headers = HeaderMap::of_kind(MapKind::Request, headers);
        let stream = HttpStream {
            head: headers.get(":method") == Some("HEAD"),
            grpc: headers.get("content-type").is_some_and(is_grpc),
            properties: self.properties,
            ..HttpStream::default()
        };
        let (vm, id) = self.worker.open(stream);
        lock(&vm).headers(id, Direction::Request, headers, end);
        Stream { vm, id }
    }
}

fn is_grpc(content_type: &str) -> bool {
    content_type.strip_prefix("application/grpc").is_some_and(|rest| rest.is_empty() || rest.starts_with('+'))
}

/// A stream that has begun. It ends by itself when the client has its whole answer; one that is dropped before that
/// is reset.
#[derive(Debug)]
pub struct Stream {
    vm: Arc<Mutex<Vm>>,
    id: u32,
}

impl Stream {
    /// The client sends a piece of the request body. After a local reply, Envoy drops it.
    pub fn request_body(&mut self, data: impl AsRef<[u8]>, end: bool) -> &mut Self {
        lock(&self.vm).body(self.id, Direction::Request, data.as_ref(), end);
        self
    }

    /// The client ends the request with trailers.
    pub fn request_trailers<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, trailers: &[(K, V)]) -> &mut Self {
        lock(&self.vm).trailers(self.id, Direction::Request, HeaderMap::new(trailers));
        self
    }

    /// The upstream begins its response. After a local reply or a reset there is no upstream: it is dropped.
    ///
    /// # Panics
    /// If the request has not been forwarded: no upstream could answer it yet.
    pub fn response_headers<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, headers: &[(K, V)]) -> &mut Self {
        self.upstream_answers(headers, false);
        self
    }

    /// The upstream sends a whole response that has no body.
    ///
    /// # Panics
    /// If the request has not been forwarded: no upstream could answer it yet.
    pub fn response_without_body<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, headers: &[(K, V)]) -> &mut Self {
        self.upstream_answers(headers, true);
        self
    }

    fn upstream_answers<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, headers: &[(K, V)], end: bool) {
        let mut vm = lock(&self.vm);
        let stream = vm.http(self.id);
        if stream.reply.is_some() || stream.complete {
            return;
        }
        let forwarded = stream.request.delivered.headers.is_some();
        assert!(forwarded, "the request was not forwarded, so no upstream can answer it");
        vm.headers(self.id, Direction::Response, HeaderMap::of_kind(MapKind::Response, headers), end);
    }

    /// The upstream sends a piece of the response body.
    pub fn response_body(&mut self, data: impl AsRef<[u8]>, end: bool) -> &mut Self {
        let mut vm = lock(&self.vm);
        if vm.http(self.id).reply.is_none() {
            vm.body(self.id, Direction::Response, data.as_ref(), end);
        }
        drop(vm);
        self
    }

    /// The upstream ends the response with trailers.
    pub fn response_trailers<K: AsRef<[u8]>, V: AsRef<[u8]>>(&mut self, trailers: &[(K, V)]) -> &mut Self {
        let mut vm = lock(&self.vm);
        if vm.http(self.id).reply.is_none() {
            vm.trailers(self.id, Direction::Response, HeaderMap::of_kind(MapKind::ResponseTrailers, trailers));
        }
        drop(vm);
        self
    }

    /// The client goes away: log, done, delete. Nothing happens if the stream has ended.
    pub fn reset(&mut self) {
        lock(&self.vm).reset(self.id);
    }

    /// Ends the stream if it has not ended by itself: log, done, delete.
    pub fn finish(&mut self) {
        self.reset();
    }

    /// Whether the stream has ended: log, done and delete are behind it.
    pub fn has_ended(&self) -> bool {
        lock(&self.vm).http(self.id).destroyed
    }

    /// The local reply, if the filter or Envoy itself made one.
    pub fn reply(&self) -> Option<Reply> {
        lock(&self.vm).http(self.id).reply.clone()
    }

    /// What the upstream has seen so far.
    pub fn forwarded(&self) -> Delivered {
        lock(&self.vm).http(self.id).request.delivered.clone()
    }

    /// What the client has been sent so far.
    pub fn received(&self) -> Delivered {
        lock(&self.vm).http(self.id).response.delivered.clone()
    }

    /// Filter state that the filter has set with `proxy_set_property`, by the name it used. In the access log it is
    /// `%FILTER_STATE(wasm.NAME:PLAIN)%`.
    pub fn filter_state(&self, name: &str) -> Option<Vec<u8>> {
        lock(&self.vm).http(self.id).filter_state.get(name).cloned()
    }

    /// The response code details of the access log, where Envoy or the filter set them.
    pub fn details(&self) -> Option<String> {
        lock(&self.vm).http(self.id).details.clone()
    }

    /// The number that the guest knows the stream by.
    pub fn context_id(&self) -> u32 {
        self.id
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut vm = lock(&self.vm);
        if !std::thread::panicking() {
            vm.reset(self.id);
        }
        vm.state_mut().streams.remove(&self.id);
    }
}
