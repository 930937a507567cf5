//! The functions that Envoy calls: proxy-wasm ABI 0.2.1.
//!
//! Each finds its context and hands over. A VM is single-threaded and Envoy never calls back while a callback runs;
//! should it do so all the same, the callback finds nothing and refuses.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::host::{self, Buffer, Level};
use crate::runtime::Runtime;
use crate::stream::{Action, Stream};

#[derive(Default)]
struct Contexts {
    /// A root exists once per configuration: while an old one drains, streams keep the one they began under.
    roots: BTreeMap<u32, Option<Rc<Runtime>>>,
    streams: BTreeMap<u32, Stream>,
    /// The streams that wait for the answer to a question, by its token.
    asking: BTreeMap<u32, u32>,
}

thread_local! {
    static CONTEXTS: RefCell<Contexts> = RefCell::default();
}

fn with_contexts<R>(run: impl FnOnce(&mut Contexts) -> R) -> Option<R> {
    CONTEXTS.with(|contexts| contexts.try_borrow_mut().ok().map(|mut contexts| run(&mut contexts)))
}

/// Runs a callback of a stream. A stream that is not known cannot be judged, so it goes no further.
fn with_stream(id: u32, run: impl FnOnce(&mut Stream) -> Action) -> u32 {
    with_contexts(|contexts| contexts.run(id, run)).flatten().unwrap_or_else(|| {
        host::log(Level::Error, "mcp_policy: callback for an unknown stream");
        Action::Pause
    }) as u32
}

impl Contexts {
    /// Runs a callback of a stream, and remembers what it asked. None if the stream is not known.
    fn run(&mut self, id: u32, run: impl FnOnce(&mut Stream) -> Action) -> Option<Action> {
        let stream = self.streams.get_mut(&id)?;
        let action = run(stream);
        if let Some(token) = stream.take_token() {
            self.asking.insert(token, id);
        }
        Some(action)
    }
}

/// Says which version of the ABI this module speaks.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(id: u32, root: u32) {
    let _created = with_contexts(|contexts| {
        if root == 0 {
            contexts.roots.insert(id, None);
        } else {
            let runtime = contexts.roots.get(&root).cloned().flatten();
            contexts.streams.insert(id, Stream::new(runtime));
        }
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_root: u32, _configuration_size: usize) -> u32 {
    1
}

/// Accepts the plugin's configuration, or refuses it whole: xDS then keeps the one before.
///
/// Refuses by the text alone. Envoy asks a canary first, and if a worker then refuses what the canary took, it
/// runs that worker's requests *without* the filter, under any failure policy. So when it is the host that fails, the
/// configuration is accepted and every request refused.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, configuration_size: usize) -> u32 {
    let runtime = match Runtime::configure(configuration_size) {
        Ok(runtime) => Some(Rc::new(runtime)),
        Err(error) => {
            for line in error.to_string().lines() {
                host::log(Level::Error, &format!("mcp_policy: configuration refused: {line}"));
            }
            if error.is_of_the_text() {
                return 0;
            }
            None
        }
    };
    let configured = with_contexts(|contexts| contexts.roots.insert(root, runtime));
    u32::from(configured.is_some())
}

/// Looks after requests that were held for a body that Envoy does not deliver.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    let stuck = with_contexts(|contexts| {
        let runtime = contexts.roots.get(&root).cloned().flatten()?;
        let waiting = |(id, stream): (&u32, &mut Stream)| stream.waits_too_long(&runtime).then_some(*id);
        let stuck: Vec<u32> = contexts.streams.iter_mut().filter_map(waiting).collect();
        runtime.tick(!stuck.is_empty());
        Some(stuck)
    });
    for id in stuck.flatten().unwrap_or_default() {
        if let Err(status) = host::resume_request(id) {
            host::log(Level::Error, &format!("mcp_policy: a held request cannot go on: {status}"));
        }
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _count: u32, end_of_stream: u32) -> u32 {
    with_stream(id, |stream| stream.on_request_headers(end_of_stream != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(id: u32, size: usize, end_of_stream: u32) -> u32 {
    with_stream(id, |stream| stream.on_request_body(size, end_of_stream != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(id: u32, _count: u32) -> u32 {
    with_stream(id, Stream::on_request_trailers)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _count: u32, end_of_stream: u32) -> u32 {
    with_stream(id, |stream| stream.on_response_headers(end_of_stream != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_body(id: u32, size: usize, end_of_stream: u32) -> u32 {
    with_stream(id, |stream| stream.on_response_body(size, end_of_stream != 0))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(id: u32, _count: u32) -> u32 {
    with_stream(id, Stream::on_response_trailers)
}

/// A service has answered a question. The callback is for the root, so what the answer settles is settled as the stream.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_receive(_root: u32, token: u32, size: usize) {
    let answer = host::bytes(Buffer::GrpcMessage, size);
    on_answer(token, answer.map_err(|status| format!("the rate-limit service's answer cannot be read: {status}")));
}

/// A question has got no answer. `status` is gRPC's.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_grpc_close(_root: u32, token: u32, status: u32) {
    on_answer(token, Err(format!("the rate-limit service gave no answer: gRPC status {status}")));
}

fn on_answer(token: u32, answer: Result<Vec<u8>, String>) {
    let action = with_contexts(|contexts| {
        // A stream that has ended meanwhile has nothing to be told; nor is anybody else's token ours.
        let id = contexts.asking.remove(&token).filter(|id| contexts.streams.contains_key(id))?;
        if let Err(status) = host::become_context(id) {
            host::log(Level::Error, &format!("mcp_policy: a held request cannot be judged: {status}"));
            return None;
        }
        Some((id, contexts.run(id, |stream| stream.on_answer(answer))?))
    });
    if let Some((id, Action::Continue)) = action.flatten()
        && let Err(status) = host::resume_request(id)
    {
        host::log(Level::Error, &format!("mcp_policy: a held request cannot go on: {status}"));
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(id: u32) {
    let _deleted = with_contexts(|contexts| {
        contexts.streams.remove(&id);
        contexts.asking.retain(|_, stream| *stream != id);
        contexts.roots.remove(&id);
    });
}
