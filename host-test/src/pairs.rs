//! The ABI's serialised list of pairs: a count, the lengths of each name and value, then the texts, each with a
//! NUL behind it. All numbers are 32 bits, little-endian.

/// Longer lists are not read.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;
/// Lists of more pairs are not read.
pub(crate) const MAX_PAIRS: usize = 1024;

type Pair = (Vec<u8>, Vec<u8>);

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes()
}

/// Writes pairs. There is no limit in this direction.
pub(crate) fn write(pairs: &[Pair]) -> Vec<u8> {
    let mut out = u32::try_from(pairs.len()).unwrap_or(u32::MAX).to_le_bytes().to_vec();
    for (name, value) in pairs {
        out.extend(length(name));
        out.extend(length(value));
    }
    for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
        out.extend_from_slice(text);
        out.push(0);
    }
    out
}

/// Reads pairs as Envoy does: whatever is not exactly right, or too large, is an empty list and no error.
pub(crate) fn read(bytes: &[u8]) -> Vec<Pair> {
    if bytes.len() > MAX_BYTES { Vec::new() } else { parse(bytes).unwrap_or_default() }
}

fn parse(bytes: &[u8]) -> Option<Vec<Pair>> {
    let mut rest = bytes;
    let count = take_number(&mut rest)?;
    if count > MAX_PAIRS {
        return None;
    }
    let mut lengths = Vec::new();
    for _ in 0..count {
        lengths.push((take_number(&mut rest)?, take_number(&mut rest)?));
    }
    let mut pairs = Vec::new();
    for (name, value) in lengths {
        pairs.push((take_text(&mut rest, name)?, take_text(&mut rest, value)?));
    }
    rest.is_empty().then_some(pairs)
}

fn take_number(rest: &mut &[u8]) -> Option<usize> {
    let (number, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

fn take_text(rest: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (text, tail) = rest.split_at_checked(length)?;
    let (nul, tail) = tail.split_first()?;
    *rest = tail;
    (*nul == 0).then(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> Pair {
        (name.into(), value.into())
    }

    #[test]
    fn a_written_list_reads_back() {
        let pairs = vec![pair("a", "1"), pair("", ""), pair("b", "two")];
        assert_eq!(read(&write(&pairs)), pairs);
    }

    #[test]
    fn a_list_that_is_cut_or_too_long_is_empty() {
        let whole = write(&[pair("a", "1")]);
        assert!((0..whole.len()).all(|end| read(&whole[..end]).is_empty()));
        assert!(read(&[whole, vec![0]].concat()).is_empty());
    }

    #[test]
    fn the_limits_are_1024_pairs_and_one_mebibyte() {
        assert_eq!(read(&write(&vec![pair("a", "1"); 1024])).len(), 1024);
        assert!(read(&write(&vec![pair("a", "1"); 1025])).is_empty());
        let overhead = write(&[pair("a", "")]).len();
        let full = "x".repeat(MAX_BYTES - overhead);
        assert_eq!(read(&write(&[pair("a", &full)])).len(), 1);
        assert!(read(&write(&[pair("a", &(full + "x"))])).is_empty());
    }
}
