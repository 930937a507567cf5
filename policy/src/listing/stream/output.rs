use core::ops::Range;
use std::borrow::Cow;

/// What goes on of one chunk. Copies nothing while it is the front of the chunk.
pub(super) struct Output<'c> {
    chunk: &'c [u8],
    so_far: Cow<'c, [u8]>,
}

impl<'c> Output<'c> {
    pub(super) fn new(chunk: &'c [u8]) -> Self {
        Self { chunk, so_far: Cow::Borrowed(&[]) }
    }

    /// Lets a range of the chunk pass.
    pub(super) fn pass(&mut self, range: Range<usize>) {
        match &mut self.so_far {
            // While borrowed, what went on is the front of the chunk.
            Cow::Borrowed(front) if front.len() == range.start => {
                *front = self.chunk.get(..range.end).unwrap_or_default();
            }
            so_far => {
                let piece = self.chunk.get(range).unwrap_or_default();
                so_far.to_mut().extend_from_slice(piece);
            }
        }
    }

    /// Adds bytes that are not the chunk's.
    pub(super) fn append(&mut self, bytes: Vec<u8>) {
        if self.so_far.is_empty() {
            self.so_far = Cow::Owned(bytes);
        } else {
            self.so_far.to_mut().extend_from_slice(&bytes);
        }
    }

    pub(super) fn into_cow(self) -> Cow<'c, [u8]> {
        self.so_far
    }
}
