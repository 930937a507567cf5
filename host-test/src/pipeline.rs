//! The way of a message through Envoy's filter manager with this one filter in it: both directions go the same
//! way. Functions named `through_filter` call the guest; `pass_` functions hand on what it let go.

use crate::error::Fault;
use crate::half::{Direction, Iteration};
use crate::headers::HeaderMap;
use crate::state::HttpStream;
use crate::vm::Vm;

/// Answers of a headers callback.
const STOP_ITERATION: u32 = 1;
const STOP_ALL_AND_BUFFER: u32 = 3;
pub(crate) const STOP_ALL_AND_WATERMARK: u32 = 4;
/// Answers of a body callback.
const STOP_AND_BUFFER: u32 = 1;
const STOP_AND_WATERMARK: u32 = 2;
/// The answer of every callback that lets the message go on.
const CONTINUE: u32 = 0;

impl Vm {
    pub(crate) fn http(&mut self, id: u32) -> &mut HttpStream {
        // A stream stays in the map until the test's handle is dropped, so the entry is always there.
        self.state_mut().streams.entry(id).or_default()
    }

    /// Headers arrive from the client or the upstream.
    pub(crate) fn headers(&mut self, id: u32, direction: Direction, map: HeaderMap, end: bool) {
        let stream = self.http(id);
        if stream.is_stopped(direction) {
            return;
        }
        let half = stream.half_mut(direction);
        half.headers = Some(map);
        half.end_seen = end;
        self.headers_through_filter(id, direction, end);
    }

    fn headers_through_filter(&mut self, id: u32, direction: Direction, end: bool) {
        let answer = self.on_headers(id, direction, end);
        if self.is_over_after_callback(id, direction) {
            return;
        }
        let half = self.http(id).half_mut(direction);
        match answer {
            STOP_ITERATION => half.iteration = Iteration::StopSingle,
            STOP_ALL_AND_BUFFER => half.iteration = Iteration::StopAllBuffer,
            STOP_ALL_AND_WATERMARK => half.iteration = Iteration::StopAllWatermark,
            _ => {
                half.headers_continued = true;
                self.pass_headers(id, direction, end);
            }
        }
    }

    /// Body data arrives.
    pub(crate) fn body(&mut self, id: u32, direction: Direction, data: &[u8], end: bool) {
        let stream = self.http(id);
        if stream.is_stopped(direction) {
            return;
        }
        let half = stream.half_mut(direction);
        half.end_seen |= end;
        if half.iteration.is_stop_all() {
            half.streaming = half.iteration == Iteration::StopAllWatermark;
            self.hold(id, direction, data);
        } else if !half.filter_saw_end {
            self.data_through_filter(id, direction, data.to_vec(), end, false);
        }
    }

    /// `held`: the data is what was held back, not a new piece.
    fn data_through_filter(&mut self, id: u32, direction: Direction, data: Vec<u8>, end: bool, held: bool) {
        self.http(id).half_mut(direction).filter_saw_end = end;
        let answer = self.on_body(id, direction, data, end);
        if self.is_over_after_callback(id, direction) {
            return;
        }
        let half = self.http(id).half_mut(direction);
        let data = half.current.take().unwrap_or_default();
        match answer {
            CONTINUE if half.iteration == Iteration::StopSingle => {
                self.hold(id, direction, &data);
                self.resume(id, direction);
            }
            CONTINUE => self.pass_data(id, direction, &data, end),
            STOP_AND_BUFFER | STOP_AND_WATERMARK => {
                half.iteration = Iteration::StopSingle;
                half.streaming = answer == STOP_AND_WATERMARK;
                if held {
                    half.buffered = Some(data);
                } else {
                    self.hold(id, direction, &data);
                }
            }
            _ => {
                half.iteration = Iteration::StopSingle;
                if half.end_seen && half.trailers.is_none() && half.buffered.is_none() {
                    // So that a resume has an empty last piece to send.
                    half.buffered = Some(Vec::new());
                }
            }
        }
    }

    /// Holds data back, and answers for Envoy when that is too much.
    pub(crate) fn hold(&mut self, id: u32, direction: Direction, data: &[u8]) {
        let limit = self.state().shared.settings.buffer_limit;
        if self.http(id).half_mut(direction).hold(data, limit) {
            self.too_large(id, direction);
        }
    }

    /// Trailers arrive: the end of the message.
    pub(crate) fn trailers(&mut self, id: u32, direction: Direction, map: HeaderMap) {
        let stream = self.http(id);
        if stream.is_stopped(direction) {
            return;
        }
        let half = stream.half_mut(direction);
        half.trailers = Some(map);
        half.end_seen = true;
        if !half.iteration.is_stop_all() {
            self.trailers_through_filter(id, direction);
        }
    }

    fn trailers_through_filter(&mut self, id: u32, direction: Direction) {
        let answer = self.on_trailers(id, direction);
        if self.is_over_after_callback(id, direction) {
            return;
        }
        let half = self.http(id).half_mut(direction);
        if answer != CONTINUE {
            if half.iteration == Iteration::Continue {
                half.iteration = Iteration::StopSingle;
            }
        } else if half.iteration == Iteration::StopSingle {
            self.resume(id, direction);
        } else {
            self.pass_trailers(id, direction);
        }
    }

    /// Lets a stopped direction go on. After a stop of everything, what was held goes through the filter now.
    pub(crate) fn resume(&mut self, id: u32, direction: Direction) {
        let stream = self.http(id);
        if stream.is_stopped(direction) {
            return;
        }
        let half = stream.half_mut(direction);
        let from_this_filter = half.iteration.is_stop_all();
        half.iteration = Iteration::Continue;
        if !half.headers_continued {
            half.headers_continued = true;
            let end = half.end_seen && half.buffered.is_none() && half.trailers.is_none();
            self.pass_headers(id, direction, end);
        }
        let half = self.http(id).half_mut(direction);
        let had_trailers = half.trailers.is_some();
        let end = half.end_seen && !had_trailers;
        match half.buffered.take() {
            Some(data) if from_this_filter => self.data_through_filter(id, direction, data, end, true),
            Some(data) => self.pass_data(id, direction, &data, end),
            None => {}
        }
        let stream = self.http(id);
        if !had_trailers || stream.is_stopped(direction) {
            return;
        }
        if from_this_filter {
            self.trailers_through_filter(id, direction);
        } else {
            self.pass_trailers(id, direction);
        }
    }

    /// Carries out a local reply that waited for the callback to return. True if nothing more may happen to the
    /// message in this direction.
    fn is_over_after_callback(&mut self, id: u32, direction: Direction) -> bool {
        if direction == Direction::Request
            && let Some(reply) = self.http(id).prepared.take()
        {
            self.send_reply_through_filter(id, reply);
        }
        self.http(id).is_stopped(direction)
    }

    fn pass_headers(&mut self, id: u32, direction: Direction, end: bool) {
        let half = self.http(id).half_mut(direction);
        half.delivered.headers.clone_from(&half.headers);
        if end {
            self.pass_end(id, direction);
        }
    }

    fn pass_data(&mut self, id: u32, direction: Direction, data: &[u8], end: bool) {
        let half = self.http(id).half_mut(direction);
        if !data.is_empty() {
            half.delivered.body.extend_from_slice(data);
            half.delivered.pieces.push(data.len());
        }
        if end && half.trailers.is_some() {
            // The filter added trailers in its last body callback.
            self.pass_trailers(id, direction);
        } else if end {
            self.pass_end(id, direction);
        }
    }

    fn pass_trailers(&mut self, id: u32, direction: Direction) {
        let half = self.http(id).half_mut(direction);
        half.delivered.trailers.clone_from(&half.trailers);
        self.pass_end(id, direction);
    }

    fn pass_end(&mut self, id: u32, direction: Direction) {
        let stream = self.http(id);
        let bodiless = stream.head && direction == Direction::Response;
        let delivered = &mut stream.half_mut(direction).delivered;
        delivered.ended = true;
        let announced = delivered.header("content-length").and_then(|length| length.parse().ok());
        let sent = delivered.body.len();
        if let Some(announced) = announced.filter(|announced| *announced != sent && !bodiless) {
            self.state().shared.fault(Fault::WrongLength { context: id, announced, sent });
        }
        if direction == Direction::Response {
            self.complete(id);
        }
    }
}
