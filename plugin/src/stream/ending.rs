//! The end of an admitted call, which what it took may wait for.

use super::{Phase, Stream};
use crate::host::{self, Buffer, HeaderMap, Headers};

impl Stream {
    pub(super) fn see_answer_begin(&mut self, end_of_stream: bool) {
        if self.is_too_early(end_of_stream) {
            return;
        }
        let Some(admission) = &mut self.admission else { return };
        let ids = core::mem::take(&mut self.asked);
        admission.answer_begins(|| Headers::read(HeaderMap::Response).ok(), || ids);
        if end_of_stream {
            self.see_answer_end();
        }
    }

    /// Looks at a piece of the answer before anything is taken out of it.
    pub(super) fn see_answer_go_on(&mut self, size: usize, end_of_stream: bool) {
        if self.is_too_early(end_of_stream) {
            return;
        }
        let Some(admission) = &mut self.admission else { return };
        admission.answer_goes_on(|| host::bytes(Buffer::Response, size));
        if end_of_stream {
            self.see_answer_end();
        }
    }

    pub(super) fn see_answer_end(&mut self) {
        if self.is_too_early(true) {
            return;
        }
        if let Some(admission) = self.admission.take() {
            admission.answer_ended();
        }
    }

    /// Whether the request is not judged yet. Its call, should it be admitted, ends at once if the answer has: nothing of
    /// that comes by here again.
    fn is_too_early(&mut self, ends: bool) -> bool {
        let unjudged = matches!(self.phase, Phase::Body(_) | Phase::Asking(..));
        self.answer_over |= unjudged && ends;
        unjudged
    }
}
