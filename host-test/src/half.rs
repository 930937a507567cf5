//! One direction of a stream: what Envoy's filter manager holds for it, and what the filter may see of it.

use std::fmt;

use crate::headers::HeaderMap;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// What has passed the filter and gone out: to the upstream, or to the client.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Delivered {
    /// The headers, once they have gone out.
    pub headers: Option<HeaderMap>,
    /// The body so far.
    pub body: Vec<u8>,
    /// The sizes in bytes of the pieces that the body went out in.
    pub pieces: Vec<usize>,
    /// The trailers, if there are any.
    pub trailers: Option<HeaderMap>,
    /// Whether the message is complete.
    pub ended: bool,
    /// Whether the stream was reset before the message was complete, or before its answer was.
    pub reset: bool,
}

impl Delivered {
    /// A header's first value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref().and_then(|headers| headers.get(name))
    }

    /// The status of a response, once its headers have gone out.
    pub fn status(&self) -> Option<u16> {
        self.header(":status").and_then(|status| status.parse().ok())
    }

    /// The body as text, with replacement characters where it is not UTF-8.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Delivered { headers, body: _, pieces, trailers, ended, reset } = self;
        let mut debug = f.debug_struct("Delivered");
        debug.field("headers", headers).field("body", &self.text()).field("pieces", pieces);
        debug.field("trailers", trailers).field("ended", ended).field("reset", reset).finish()
    }
}

/// Where Envoy's filter manager stands with this filter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Iteration {
    #[default]
    Continue,
    /// Stopped, but body and trailers still reach the filter.
    StopSingle,
    /// Stopped: nothing reaches the filter until it resumes. The buffer is bounded.
    StopAllBuffer,
    /// Stopped: nothing reaches the filter until it resumes. The peer is held up instead of the buffer bounded.
    StopAllWatermark,
}

impl Iteration {
    pub(crate) fn is_stop_all(self) -> bool {
        matches!(self, Iteration::StopAllBuffer | Iteration::StopAllWatermark)
    }
}

/// Envoy's filter manager and the filter's own context, for one direction.
#[derive(Debug, Default)]
pub(crate) struct Half {
    pub(crate) headers: Option<HeaderMap>,
    pub(crate) trailers: Option<HeaderMap>,
    /// The guest can read and change the headers (from their callback until it continues or resumes).
    pub(crate) headers_visible: bool,
    pub(crate) trailers_visible: bool,
    /// The data that the running body callback was given.
    pub(crate) current: Option<Vec<u8>>,
    /// The guest resumed in this very callback: it sees the data no more.
    pub(crate) current_hidden: bool,
    /// Data held back while stopped.
    pub(crate) buffered: Option<Vec<u8>>,
    /// The filter answered the last body callback with "pause and buffer".
    pub(crate) filter_buffering: bool,
    /// The buffer may grow beyond its limit, because the peer is held up instead.
    pub(crate) streaming: bool,
    pub(crate) iteration: Iteration,
    pub(crate) headers_continued: bool,
    /// The end of the message has arrived.
    pub(crate) end_seen: bool,
    /// The filter was given the end of the message with a body callback.
    pub(crate) filter_saw_end: bool,
    pub(crate) delivered: Delivered,
}

impl Half {
    /// The buffer that the ABI's body functions work on, if there is one in this phase.
    pub(crate) fn body(&self) -> Option<&Vec<u8>> {
        if self.filter_buffering {
            self.buffered.as_ref()
        } else {
            self.current.as_ref().filter(|_| !self.current_hidden)
        }
    }

    pub(crate) fn body_mut(&mut self) -> Option<&mut Vec<u8>> {
        if self.filter_buffering {
            self.buffered.as_mut()
        } else {
            self.current.as_mut().filter(|_| !self.current_hidden)
        }
    }

    /// Adds to what is held back; true if that is now more than the limit allows.
    pub(crate) fn hold(&mut self, data: &[u8], limit: usize) -> bool {
        let held = self.buffered.get_or_insert_default();
        held.extend_from_slice(data);
        !self.streaming && held.len() > limit
    }
}
