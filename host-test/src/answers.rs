//! How the answers of callouts reach the guest: always in the root context, whatever stream it was about.

use crate::callouts::{Answer, CallResponse, CalloutKind, Pending};
use crate::error::HostError;
use crate::headers::HeaderMap;
use crate::shared::lock;
use crate::state::{Action, Root};
use crate::status::Status;
use crate::vm::{Vm, as_u32};

const TIMEOUT: &str = "upstream request timeout";
const UNREACHABLE: &str =
    "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure";

/// A response that Envoy makes itself when the other side does not answer.
fn by_envoy(status: &str, text: &str) -> CallResponse {
    let length = text.len().to_string();
    let headers = [(":status", status), ("content-length", &length), ("content-type", "text/plain")];
    CallResponse { headers: HeaderMap::new(&headers), body: text.as_bytes().to_vec(), trailers: None }
}

impl Vm {
    /// Gives a test's answer. The callout is over afterwards, unless it is a stream that goes on.
    pub(crate) fn answer(&mut self, pending: &Pending, answer: Answer) -> Result<(), HostError> {
        let (root, token) = (pending.root, pending.callout.token);
        match (pending.callout.kind, answer) {
            (CalloutKind::Http, Answer::Http { headers, body, trailers }) => {
                self.http_answered(root, token, Some(CallResponse { headers, body, trailers }));
            }
            (CalloutKind::Http, Answer::Timeout) => self.http_answered(root, token, Some(by_envoy("504", TIMEOUT))),
            (CalloutKind::Http, Answer::Unreachable) => {
                self.http_answered(root, token, Some(by_envoy("503", UNREACHABLE)));
            }
            (CalloutKind::Http, Answer::Reset) => self.http_answered(root, token, None),
            (CalloutKind::GrpcCall, Answer::GrpcMessage(message)) => {
                self.forget_callout(root, token);
                self.grpc_message(root, token, message);
            }
            (CalloutKind::GrpcStream, Answer::GrpcMessage(message)) => self.grpc_message(root, token, message),
            (CalloutKind::GrpcStream, Answer::GrpcInitialMetadata(map)) => self.grpc_metadata(root, token, map, false),
            (CalloutKind::GrpcStream, Answer::GrpcTrailingMetadata(map)) => self.grpc_metadata(root, token, map, true),
            (CalloutKind::GrpcCall | CalloutKind::GrpcStream, Answer::GrpcClose { status, message }) => {
                self.forget_callout(root, token);
                self.grpc_closed(root, token, status, &message);
            }
            (CalloutKind::GrpcCall | CalloutKind::GrpcStream, Answer::Timeout) => {
                self.forget_callout(root, token);
                self.grpc_closed(root, token, 14, TIMEOUT);
            }
            (CalloutKind::GrpcCall | CalloutKind::GrpcStream, Answer::Unreachable | Answer::Reset) => {
                self.forget_callout(root, token);
                self.grpc_closed(root, token, 14, UNREACHABLE);
            }
            _ => return Err(HostError::WrongAnswer),
        }
        Ok(())
    }

    /// No response means that the connection broke: the callback gets no headers, and the status says why.
    fn http_answered(&mut self, root: u32, token: u32, response: Option<CallResponse>) {
        self.forget_callout(root, token);
        let trailers = response.as_ref().and_then(|response| response.trailers.as_ref());
        let counts = response.as_ref().map_or((0, 0, 0), |response| {
            (as_u32(response.headers.len()), as_u32(response.body.len()), as_u32(trailers.map_or(0, HeaderMap::len)))
        });
        let Some(context) = self.root_mut(root) else { return };
        if response.is_none() {
            context.status = (Status::BrokenConnection.code(), "reset".to_owned());
        }
        context.call_response = response;
        self.actions().push_back(Action::EndOfAnswer { root });
        let exports = self.exports();
        if let Some(callback) = &exports.on_http_call_response {
            let arguments = (root, token, counts.0, counts.1, counts.2);
            self.enter(root, "proxy_on_http_call_response", callback, arguments);
        }
        self.after_callback();
    }

    fn grpc_message(&mut self, root: u32, token: u32, message: Vec<u8>) {
        let Some(context) = self.root_mut(root) else { return };
        let size = as_u32(message.len());
        context.grpc_message = Some(message);
        self.actions().push_back(Action::EndOfAnswer { root });
        let exports = self.exports();
        if let Some(callback) = &exports.on_grpc_receive {
            self.enter(root, "proxy_on_grpc_receive", callback, (root, token, size));
        }
        self.after_callback();
    }

    fn grpc_metadata(&mut self, root: u32, token: u32, map: HeaderMap, trailing: bool) {
        let Some(context) = self.root_mut(root) else { return };
        let count = as_u32(map.len());
        if trailing {
            context.grpc_trailing = Some(map);
        } else {
            context.grpc_initial = Some(map);
        }
        let exports = self.exports();
        let (name, export) = if trailing {
            ("proxy_on_grpc_receive_trailing_metadata", &exports.on_grpc_receive_trailing_metadata)
        } else {
            ("proxy_on_grpc_receive_initial_metadata", &exports.on_grpc_receive_initial_metadata)
        };
        if let Some(callback) = export {
            self.enter(root, name, callback, (root, token, count));
        }
        self.after_callback();
        self.end_answer(root);
    }

    pub(crate) fn grpc_closed(&mut self, root: u32, token: u32, status: u32, message: &str) {
        let Some(context) = self.root_mut(root) else { return };
        context.status = (status, message.to_owned());
        self.actions().push_back(Action::EndOfAnswer { root });
        let exports = self.exports();
        if let Some(callback) = &exports.on_grpc_close {
            self.enter(root, "proxy_on_grpc_close", callback, (root, token, status));
        }
        self.after_callback();
    }

    /// The callback is over: what it could read is gone. The status code stays, its message does not.
    pub(crate) fn end_answer(&mut self, root: u32) {
        let Some(context) = self.root_mut(root) else { return };
        context.call_response = None;
        context.grpc_message = None;
        context.grpc_initial = None;
        context.grpc_trailing = None;
        context.status.1.clear();
    }

    fn root_mut(&mut self, root: u32) -> Option<&mut Root> {
        self.state_mut().roots.get_mut(&root)
    }

    fn forget_callout(&mut self, root: u32, token: u32) {
        self.state_mut().forget_callout(root, token);
    }
}

impl crate::state::VmState {
    /// Takes a callout off the lists; false if it was not on them.
    pub(crate) fn forget_callout(&mut self, root: u32, token: u32) -> bool {
        let known = self.roots.get_mut(&root).and_then(|root| root.callouts.remove(&token));
        let Some(id) = known else { return false };
        lock(&self.shared.pending).remove(&id);
        true
    }
}
