//! The end of an admitted call, which what it took may wait for.

use super::Stream;
use crate::host::{self, Buffer, HeaderMap, Headers};

impl Stream {
    pub(super) fn see_answer_begin(&mut self, end_of_stream: bool) {
        let Some(admission) = &mut self.admission else { return };
        let ids = core::mem::take(&mut self.asked);
        admission.answer_begins(|| Headers::read(HeaderMap::Response).ok(), || ids);
        if end_of_stream {
            self.see_answer_end();
        }
    }

    /// Looks at a piece of the answer before anything is taken out of it.
    pub(super) fn see_answer_go_on(&mut self, size: usize, end_of_stream: bool) {
        let Some(admission) = &mut self.admission else { return };
        admission.answer_goes_on(|| host::bytes(Buffer::Response, size));
        if end_of_stream {
            self.see_answer_end();
        }
    }

    pub(super) fn see_answer_end(&mut self) {
        if let Some(admission) = self.admission.take() {
            admission.answer_ended();
        }
    }
}
