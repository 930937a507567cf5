//! Unsigned LEB128: seven bits a byte, lowest first. Small counts, which are most, take one byte.

/// Bytes that the largest value takes.
const LONGEST: usize = 10;

/// Appends `value`.
pub(super) fn write(mut value: u64, out: &mut Vec<u8>) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Writes `value` over one that takes as many bytes.
pub(super) fn write_over(mut value: u64, bytes: &mut [u8]) {
    for byte in bytes {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            *byte = low;
            return;
        }
        *byte = low | 0x80;
    }
}

/// Bytes that [`write`] appends for `value`.
pub(super) const fn length(value: u64) -> usize {
    match value.checked_ilog2() {
        None => 1,
        Some(top_bit) => (top_bit as usize / 7).saturating_add(1),
    }
}

/// The largest value that takes as many bytes as `value`.
pub(super) fn largest_like(value: u64) -> u64 {
    let bits = u32::try_from(length(value)).unwrap_or(u32::MAX).saturating_mul(7);
    1u64.checked_shl(bits).map_or(u64::MAX, |next| next.saturating_sub(1))
}

/// Takes one value off the front; `None` if the bytes end too soon or say more than 64 bits.
pub(super) fn read(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    let mut rest = bytes;
    for place in 0..LONGEST {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        let shift = u32::try_from(place).ok()?.checked_mul(7)?;
        let bits = u64::from(byte & 0x7f);
        let placed = bits.checked_shl(shift)?;
        if placed >> shift != bits {
            return None;
        }
        value |= placed;
        if byte & 0x80 == 0 {
            return Some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_reads_back(value: u64, tail: Vec<u8>) {
            for value in [value, value >> 32, value >> 57, 0, u64::MAX] {
                let mut bytes = Vec::new();
                write(value, &mut bytes);
                prop_assert_eq!(bytes.len(), length(value));
                let largest = largest_like(value);
                prop_assert!(value <= largest && length(largest) == length(value));
                prop_assert!(largest == u64::MAX || length(largest + 1) > length(value));
                bytes.extend(&tail);
                prop_assert_eq!(read(&bytes), Some((value, tail.as_slice())));
            }
        }

        #[test]
        fn any_bytes_read_or_fail(bytes: Vec<u8>) {
            read(&bytes);
        }
    }

    #[test]
    fn a_value_beyond_64_bits_is_refused() {
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]), None);
        assert_eq!(read(&[0x80; 11]), None);
        assert_eq!(read(&[0x80]), None);
    }
}
