//! Strings: what ends them, and what may not stand in them.

use super::super::error::{Problem, SyntaxError};
use super::super::text::{Text, unescape_unicode};
use super::{Reader, Result};

impl<'a> Reader<'a> {
    /// Reads a string whose opening quote `peek` has seen.
    pub(super) fn string(&mut self) -> Result<Text<'a>> {
        self.advance(1);
        let start = self.rest;
        let mut escaped = false;
        let mut ascii = true;
        loop {
            ascii &= self.pass_plain();
            match self.rest {
                [b'"', ..] => break,
                [b'\\', rest @ ..] => {
                    escaped = true;
                    self.rest = rest;
                    self.escape()?;
                }
                [_, ..] => return self.fail(Problem::ControlCharacter),
                [] => return self.fail(Problem::UnexpectedEnd),
            }
        }
        let length = start.len().saturating_sub(self.rest.len());
        let raw = start.get(..length).unwrap_or_default();
        if !ascii
            && !self.checked
            && let Err(error) = core::str::from_utf8(raw)
        {
            let offset = self.offset().saturating_sub(length).saturating_add(error.valid_up_to());
            return Err(SyntaxError { offset, problem: Problem::InvalidUtf8 });
        }
        self.advance(1);
        Ok(Text::new(raw, escaped))
    }

    /// Passes what may stand in a string as it is. Says whether all of it is ASCII; a no may be due to what follows.
    pub(super) fn pass_plain(&mut self) -> bool {
        let mut high = 0;
        while let Some((word, rest)) = self.rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*word);
            high |= word;
            let special = special_bytes(word);
            if special != 0 {
                self.advance(special.trailing_zeros() as usize / 8);
                return high & HIGH_BITS == 0;
            }
            self.rest = rest;
            // Most strings have ended by now. The others may be long.
            while let Some((block, rest)) = self.rest.split_first_chunk::<32>() {
                let (special, not_ascii) = survey(block);
                if special {
                    break;
                }
                high |= if not_ascii { HIGH_BITS } else { 0 };
                self.rest = rest;
            }
        }
        while let [byte, rest @ ..] = self.rest
            && !matches!(byte, b'"' | b'\\' | 0..0x20)
        {
            high |= u64::from(*byte);
            self.rest = rest;
        }
        high & HIGH_BITS == 0
    }

    /// Checks what follows a backslash.
    fn escape(&mut self) -> Result<()> {
        match self.rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => {
                self.rest = rest;
                Ok(())
            }
            [b'u', digits @ ..] => {
                if digits.len() < 4 {
                    return self.fail(Problem::UnexpectedEnd);
                }
                if !digits.iter().take(4).all(u8::is_ascii_hexdigit) {
                    return self.fail(Problem::BadEscape);
                }
                let (character, rest) = unescape_unicode(digits);
                if character.is_none() {
                    return self.fail(Problem::LoneSurrogate);
                }
                self.rest = rest;
                Ok(())
            }
            [] => self.fail(Problem::UnexpectedEnd),
            _ => self.fail(Problem::BadEscape),
        }
    }
}

const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The high bit of each byte that ends a run of plain characters: a quote, a backslash or a control character. Bits
/// above the lowest one set may be wrong.
fn special_bytes(word: u64) -> u64 {
    let below = |word: u64, bound: u8| word.wrapping_sub(u64::from_ne_bytes([bound; 8])) & !word;
    let quote = below(word ^ u64::from_ne_bytes([b'"'; 8]), 1);
    let backslash = below(word ^ u64::from_ne_bytes([b'\\'; 8]), 1);
    (quote | backslash | below(word, 0x20)) & HIGH_BITS
}

/// Whether a byte of the block ends a run of plain characters, and whether one is not ASCII. Written without branches,
/// so that the compiler makes vector comparisons of it.
fn survey(block: &[u8; 32]) -> (bool, bool) {
    let (mut special, mut high) = (0_u8, 0_u8);
    for byte in block {
        special |= u8::from(*byte == b'"') | u8::from(*byte == b'\\') | u8::from(*byte < 0x20);
        high |= byte >> 7;
    }
    (special != 0, high != 0)
}
