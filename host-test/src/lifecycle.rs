//! How a stream is answered by Envoy itself, and how it ends.

use crate::error::Fault;
use crate::half::{Direction, Iteration};
use crate::reply::{Reply, ReplyRequest};
use crate::vm::Vm;

const FAILED_DETAILS: &str = "wasm_fail_stream";

impl Vm {
    /// A local reply: through the filter's response callbacks if the response has not begun, straight to the client
    /// if its headers are still held, and a reset if they have gone out.
    pub(crate) fn local_reply(&mut self, id: u32, request: ReplyRequest) {
        let stream = self.http(id);
        let second = request.by_filter && std::mem::replace(&mut stream.filter_replied, true);
        let complete = stream.complete;
        if second {
            self.state().shared.fault(Fault::SecondReply { context: id });
        }
        if complete {
            return;
        }
        let stream = self.http(id);
        match stream.calling {
            Some(Direction::Request) => stream.request_aborted = true,
            Some(Direction::Response) => stream.response_aborted = true,
            None => {}
        }
        let by_filter = request.by_filter;
        let reply = request.complete(stream.head, stream.grpc);
        stream.details = Some(reply.details.clone());
        if stream.response.headers.is_none() {
            if stream.calling == Some(Direction::Request) {
                // The first of several asked for in one callback is the one that is sent.
                stream.prepared.get_or_insert(reply);
            } else {
                self.send_reply_through_filter(id, reply);
            }
        } else if stream.response.delivered.headers.is_none() {
            self.send_reply_directly(id, reply);
        } else {
            if by_filter {
                self.state().shared.fault(Fault::ReplyAfterHeaders { context: id });
            }
            self.reset(id);
        }
    }

    pub(crate) fn send_reply_through_filter(&mut self, id: u32, reply: Reply) {
        let (headers, body) = (reply.headers.clone(), reply.body.clone());
        self.http(id).reply = Some(reply);
        self.headers(id, Direction::Response, headers, body.is_empty());
        if !body.is_empty() {
            self.body(id, Direction::Response, &body, true);
        }
    }

    fn send_reply_directly(&mut self, id: u32, reply: Reply) {
        let stream = self.http(id);
        stream.response.headers = Some(reply.headers.clone());
        let delivered = &mut stream.response.delivered;
        delivered.headers = Some(reply.headers.clone());
        delivered.body.clone_from(&reply.body);
        delivered.ended = true;
        stream.reply = Some(reply);
        self.complete(id);
    }

    /// The machine behind the stream has failed: 503.
    pub(crate) fn fail_stream(&mut self, id: u32) {
        if self.http(id).failure_reply_sent {
            return;
        }
        let mut reply = ReplyRequest::by_host(503, "", FAILED_DETAILS);
        reply.grpc_status = Some(14);
        self.local_reply(id, reply);
        self.http(id).failure_reply_sent = true;
    }

    /// More was held back than the connection's buffer limit allows.
    pub(crate) fn too_large(&mut self, id: u32, direction: Direction) {
        let reply = match direction {
            Direction::Request => ReplyRequest::by_host(413, "Payload Too Large", "request_payload_too_large"),
            Direction::Response => ReplyRequest::by_host(500, "Internal Server Error", "response_payload_too_large"),
        };
        self.local_reply(id, reply);
    }

    /// `proxy_continue_stream`, carried out after the callback.
    pub(crate) fn resume_from_guest(&mut self, id: u32, direction: Direction) {
        let stream = self.http(id);
        if stream.is_stopped(direction) {
            return;
        }
        let half = stream.half(direction);
        if half.headers.is_none() {
            let what = "resumed a response that has not begun";
            self.state().shared.fault(Fault::Crash { context: id, what });
        } else if half.iteration != Iteration::Continue {
            self.resume(id, direction);
        } else if !half.headers_continued {
            self.state().shared.fault(Fault::ResumeInHeaders { context: id });
            self.resume(id, direction);
        }
    }

    /// `proxy_close_stream`, carried out after the callback.
    pub(crate) fn close_stream(&mut self, id: u32) {
        let stream = self.http(id);
        if stream.log_phase {
            let what = "closed a stream while logging it, which logs it again, without end";
            self.state().shared.fault(Fault::Crash { context: id, what });
            return;
        }
        stream.details.get_or_insert_with(|| "wasm_close_stream".to_owned());
        self.reset(id);
    }

    /// The stream is reset, by whichever side.
    pub(crate) fn reset(&mut self, id: u32) {
        let stream = self.http(id);
        if stream.complete {
            return;
        }
        if !stream.response.delivered.ended {
            stream.response.delivered.reset = true;
        }
        self.complete(id);
    }

    /// The client has its whole answer, or will get no more of it: log, done, delete, all at once.
    pub(crate) fn complete(&mut self, id: u32) {
        let stream = self.http(id);
        if std::mem::replace(&mut stream.complete, true) {
            return;
        }
        let from_upstream = stream.reply.is_none() && stream.response.end_seen;
        let sent = &mut stream.request.delivered;
        if sent.headers.is_some() && !(sent.ended && from_upstream) {
            sent.reset = true;
        }
        self.log_stream(id);
        self.destroy_stream(id);
    }

    fn log_stream(&mut self, id: u32) {
        // Streams that ended before the filter saw them get their context for the log's sake.
        self.create_context(id);
        if self.http(id).unfiltered {
            return;
        }
        self.http(id).log_phase = true;
        let exports = self.exports();
        if let Some(on_log) = &exports.on_log {
            self.enter(id, "proxy_on_log", on_log, id);
        }
        self.after_callback();
        self.http(id).log_phase = false;
    }

    fn destroy_stream(&mut self, id: u32) {
        let (root, unfiltered) = (self.http(id).root, self.http(id).unfiltered);
        if !unfiltered {
            let exports = self.exports();
            if let Some(on_done) = &exports.on_done {
                self.enter(id, "proxy_on_done", on_done, id);
            }
            self.after_callback();
            self.on_delete(id);
        }
        self.http(id).destroyed = true;
        if let Some(root) = self.state_mut().roots.get_mut(&root) {
            root.streams = root.streams.saturating_sub(1);
        }
        self.shut_down_if_drained(root);
    }
}
