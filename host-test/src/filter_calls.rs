//! The filter in Envoy's filter manager: what is set up before each HTTP callback, and how its answer is read.

use crate::half::Direction;
use crate::pipeline::STOP_ALL_AND_WATERMARK;
use crate::shared::HeaderStop;
use crate::vm::{Vm, as_u32};

const STOP_ITERATION: u32 = 1;
/// Body: stop, and drop what came.
const STOP_NO_BUFFER: u32 = 3;
/// Trailers: stop.
const STOP_TRAILERS: u32 = 1;

impl Vm {
    pub(crate) fn on_headers(&mut self, id: u32, direction: Direction, end: bool) -> u32 {
        if direction == Direction::Request {
            self.create_context(id);
        }
        if self.is_past_filter(id) {
            return 0;
        }
        let stream = self.http(id);
        stream.end_of_stream = end;
        stream.calling = Some(direction);
        let half = stream.half_mut(direction);
        half.headers_visible = true;
        let count = as_u32(half.headers.as_ref().map_or(0, |map| map.len()));
        let exports = self.exports();
        let (name, export) = match direction {
            Direction::Request => ("proxy_on_request_headers", &exports.on_request_headers),
            Direction::Response => ("proxy_on_response_headers", &exports.on_response_headers),
        };
        let answer = self.http_callback(id, STOP_ALL_AND_WATERMARK, |vm| {
            let export = export.as_ref()?;
            let answer = vm.enter(id, name, export, (id, count, u32::from(end))).unwrap_or_default();
            let stop_all = vm.state().shared.settings.header_stop == HeaderStop::StopAll;
            let stopped = vm.state().stop_next || answer > STOP_ALL_AND_WATERMARK;
            Some(if stopped || (answer == STOP_ITERATION && stop_all) { STOP_ALL_AND_WATERMARK } else { answer })
        });
        let stream = self.http(id);
        stream.calling = None;
        // 2 asks for something that Envoy does not do, and is read as "continue".
        if answer == 0 || answer == 2 {
            stream.half_mut(direction).headers_visible = false;
        }
        answer
    }

    pub(crate) fn on_body(&mut self, id: u32, direction: Direction, data: Vec<u8>, end: bool) -> u32 {
        let stream = self.http(id);
        if !stream.created || (direction == Direction::Response && stream.failure_reply_sent) {
            stream.half_mut(direction).current = Some(data);
            return 0;
        }
        stream.calling = Some(direction);
        let half = stream.half_mut(direction);
        half.current_hidden = false;
        if half.filter_buffering {
            half.streaming = false;
            half.current = Some(Vec::new());
            self.hold(id, direction, &data);
            if self.http(id).destroyed {
                return STOP_NO_BUFFER;
            }
        } else {
            half.current = Some(data);
        }
        let stream = self.http(id);
        stream.end_of_stream = end;
        let size = as_u32(stream.half(direction).body().map_or(0, Vec::len));
        let exports = self.exports();
        let (name, export) = match direction {
            Direction::Request => ("proxy_on_request_body", &exports.on_request_body),
            Direction::Response => ("proxy_on_response_body", &exports.on_response_body),
        };
        let answer = self.http_callback(id, STOP_NO_BUFFER, |vm| {
            let export = export.as_ref()?;
            let answer = vm.enter(id, name, export, (id, size, u32::from(end))).unwrap_or_default();
            let stopped = vm.state().stop_next || answer > STOP_NO_BUFFER;
            Some(if stopped { STOP_NO_BUFFER } else { answer })
        });
        let stream = self.http(id);
        stream.calling = None;
        // "Stop and buffer": from now on the body functions work on all that was held back.
        stream.half_mut(direction).filter_buffering = answer == 1;
        answer
    }

    pub(crate) fn on_trailers(&mut self, id: u32, direction: Direction) -> u32 {
        let stream = self.http(id);
        if !stream.created || (direction == Direction::Response && stream.failure_reply_sent) {
            return 0;
        }
        stream.calling = Some(direction);
        let half = stream.half_mut(direction);
        half.trailers_visible = true;
        let count = as_u32(half.trailers.as_ref().map_or(0, |map| map.len()));
        let exports = self.exports();
        let (name, export) = match direction {
            Direction::Request => ("proxy_on_request_trailers", &exports.on_request_trailers),
            Direction::Response => ("proxy_on_response_trailers", &exports.on_response_trailers),
        };
        let answer = self.http_callback(id, STOP_TRAILERS, |vm| {
            let export = export.as_ref()?;
            let answer = vm.enter(id, name, export, (id, count)).unwrap_or_default();
            Some(if vm.state().stop_next || answer > STOP_TRAILERS { STOP_TRAILERS } else { answer })
        });
        let stream = self.http(id);
        stream.calling = None;
        if answer == 0 {
            stream.half_mut(direction).trailers_visible = false;
        }
        answer
    }

    /// The filter is not asked about responses to requests that it never saw, nor about the 503 for its failure.
    fn is_past_filter(&mut self, id: u32) -> bool {
        let stream = self.http(id);
        !stream.created || stream.failure_reply_sent
    }

    /// One HTTP callback with Envoy's check for a failed machine before and after it. `call` gives `None` if there
    /// is no such export. `closed` is what a failed machine answers.
    fn http_callback(&mut self, id: u32, closed: u32, call: impl FnOnce(&mut Vm) -> Option<u32>) -> u32 {
        if let Some(answer) = self.answer_if_failed(id, closed) {
            return answer;
        }
        let Some(answer) = call(self) else { return 0 };
        let answer = self.answer_if_failed(id, closed).unwrap_or(answer);
        self.after_callback();
        answer
    }

    fn answer_if_failed(&mut self, id: u32, closed: u32) -> Option<u32> {
        // Whatever the policy: one that opens has left the filter out of streams that begin after the failure, and
        // those that were under way are lost all the same.
        if !self.state().failed {
            return None;
        }
        if !self.http(id).stream_failed {
            self.http(id).stream_failed = true;
            self.fail_stream(id);
        }
        Some(closed)
    }

    pub(crate) fn create_context(&mut self, id: u32) {
        let stream = self.http(id);
        if stream.unfiltered || std::mem::replace(&mut stream.created, true) {
            return;
        }
        let root = stream.root;
        let exports = self.exports();
        if let Some(create) = &exports.on_context_create {
            self.enter(id, "proxy_on_context_create", create, (id, root));
        }
        self.after_callback();
    }
}
