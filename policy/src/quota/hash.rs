//! Where a count lives: the shard, and the slot inside it, by a hash whose key no client knows.
//!
//! The shards are in two regions. Counts that belong to one grant (its own, and its sessions) all sit in
//! the shard of that grant, so that they commit together, and a grant that invents sessions only
//! fills its own part. Counts that grants share (addresses, claims, headers, everybody) sit in the
//! other, smaller region, so that a client that invents header values can fill that region at worst,
//! and nobody's own counts.
//!
//! A slot is known by 64 bits: 24 of the hash of its owner, a flag, and 39 of the hash of owner,
//! counter and scope value. Two counts of different owners are mistaken for each other with odds of
//! 2^-63 per pair in one shard, two counts of one owner with 2^-39: with 65 000 grants of four
//! limits, less than one chance in a million that it happens to anyone. What happens then is that
//! both count in one slot, and so are refused too early; never too late.

use std::net::IpAddr;

use siphasher::sip::SipHasher13;

use super::charge::{Charge, Principal, ScopeValue, Unit};
use super::window::Window;

/// The key of the hash, drawn at random once and shared by all workers.
pub(super) type Seed = [u8; 16];

/// The name of a slot inside its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SlotId(pub(super) u64);

/// The part of a [`SlotId`] that says whose slot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(pub(super) u64);

/// Where a charge counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) shard: u32,
    pub(super) slot: SlotId,
}

/// What is hashed, written in one place first. [`SmallVec`](smallvec::SmallVec) moves memory twice for each piece that is added, and
/// every counted call adds a dozen.
struct Text {
    near: [u8; NEAR],
    length: usize,
    /// All of it, once it does not fit.
    far: Vec<u8>,
}

/// As long as most.
const NEAR: usize = 128;

const OWNER_SHIFT: u32 = 40;
const SHARED_FLAG: u64 = 1 << 39;
const ITEM_MASK: u64 = SHARED_FLAG - 1;
/// Owns the slots that principals without one share. No principal is given it.
const ANYONE: Owner = Owner(0);

impl Text {
    const fn new() -> Self {
        Self { near: [0; NEAR], length: 0, far: Vec::new() }
    }

    fn push(&mut self, byte: u8) {
        self.extend_from_slice(&[byte]);
    }

    fn extend_from_slice(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        match self.near.get_mut(self.length..end) {
            Some(place) if self.far.is_empty() => {
                place.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
                self.length = end;
            }
            _ => self.extend_far(bytes),
        }
    }

    #[cold]
    fn extend_far(&mut self, bytes: &[u8]) {
        if self.far.is_empty() {
            self.far.extend_from_slice(self.near.get(..self.length).unwrap_or_default());
        }
        self.far.extend_from_slice(bytes);
    }

    fn bytes(&self) -> &[u8] {
        if self.far.is_empty() { self.near.get(..self.length).unwrap_or_default() } else { &self.far }
    }
}

impl SlotId {
    fn new(owner: Owner, item: u64) -> Self {
        Self(owner.0 << OWNER_SHIFT | item & ITEM_MASK)
    }

    fn shared(owner: Owner, item: u64) -> Self {
        Self(owner.0 << OWNER_SHIFT | SHARED_FLAG | item & ITEM_MASK)
    }

    pub(super) fn owner(self) -> Owner {
        Owner(self.0 >> OWNER_SHIFT)
    }

    /// Whether this is a slot that several scope values share.
    pub(super) fn is_shared(self) -> bool {
        self.0 & SHARED_FLAG != 0
    }

    /// The slot for the scope values of the same owner that found no room in the owner's part.
    pub(super) fn shared_of_owner(self, seed: &Seed, charge: &Charge<'_>) -> Self {
        Self::shared(self.owner(), limit_hash(seed, charge))
    }

    /// The slot for everybody that found no room in the shard.
    pub(super) fn shared_by_all(seed: &Seed, charge: &Charge<'_>) -> Self {
        Self::shared(ANYONE, limit_hash(seed, charge))
    }
}

/// Finds the spot of a charge among `shards` shards, of which the last `shared` are for counts that
/// grants share.
pub(super) fn spot(seed: &Seed, principal: Principal<'_>, charge: &Charge<'_>, shards: u32) -> Spot {
    let owner_hash = owner_hash(seed, principal, charge);
    let shared = shared_shards(shards);
    let own = shards.saturating_sub(shared);
    let shard = match charge.scope {
        ScopeValue::Grant | ScopeValue::Session(_) => reduce(owner_hash, own),
        ScopeValue::ClientIp(_) | ScopeValue::Claim { .. } | ScopeValue::Header { .. } | ScopeValue::Global => {
            own.saturating_add(reduce(owner_hash, shared))
        }
    };
    let mut text = Text::new();
    text.push(b'i');
    text.extend_from_slice(&owner_hash.to_le_bytes());
    write_scope(&mut text, charge.scope);
    write_counter(&mut text, charge);
    // The top bits chose the shard: the tag is taken from the others.
    let owner = Owner((owner_hash & 0xff_ffff).max(1));
    Spot { shard, slot: SlotId::new(owner, keyed(seed, &text)) }
}

/// An eighth of all shards.
pub(super) const fn shared_shards(shards: u32) -> u32 {
    if shards < 16 { 1 } else { shards / 8 }
}

/// The hash of a text that was written in full first: one call over all bytes is several times
/// faster than one per field.
fn keyed(seed: &Seed, text: &Text) -> u64 {
    SipHasher13::new_with_key(seed).hash(text.bytes())
}

/// Maps a hash evenly onto `0..n` by its top 32 bits.
fn reduce(hash: u64, n: u32) -> u32 {
    // Neither factor has more than 32 bits.
    let scaled = (hash >> 32).wrapping_mul(n.into()) >> 32;
    u32::try_from(scaled).unwrap_or(0)
}

/// Whose slot it is: the grant for its own counts; otherwise the scope's value, so that an
/// address's counts are together, whoever calls. Counts that everybody shares are kept apart, or
/// one shard would serve every call.
fn owner_hash(seed: &Seed, principal: Principal<'_>, charge: &Charge<'_>) -> u64 {
    let mut text = Text::new();
    match charge.scope {
        ScopeValue::Grant | ScopeValue::Session(_) => match principal {
            Principal::Grant { source, issuer, value } => {
                text.push(b'g');
                write_str(&mut text, source);
                write_str(&mut text, issuer);
                write_str(&mut text, value);
            }
            Principal::Anonymous => text.push(b'a'),
        },
        ScopeValue::ClientIp(Some(_))
        | ScopeValue::Claim { value: Some(_), .. }
        | ScopeValue::Header { value: Some(_), .. } => {
            text.push(b's');
            write_scope(&mut text, charge.scope);
        }
        ScopeValue::ClientIp(None)
        | ScopeValue::Claim { value: None, .. }
        | ScopeValue::Header { value: None, .. }
        | ScopeValue::Global => {
            text.push(b'e');
            write_scope(&mut text, charge.scope);
            write_counter(&mut text, charge);
        }
    }
    keyed(seed, &text)
}

/// A counter and the kind of its scope, without the value: what those that share a slot have in common.
fn limit_hash(seed: &Seed, charge: &Charge<'_>) -> u64 {
    let mut text = Text::new();
    text.push(b'l');
    match charge.scope {
        ScopeValue::Grant => text.push(b'g'),
        ScopeValue::Session(_) => text.push(b's'),
        ScopeValue::ClientIp(_) => text.push(b'i'),
        ScopeValue::Claim { name, .. } => {
            text.push(b'c');
            write_str(&mut text, name);
        }
        ScopeValue::Header { name, .. } => {
            text.push(b'h');
            write_str(&mut text, name);
        }
        ScopeValue::Global => text.push(b'e'),
    }
    write_counter(&mut text, charge);
    keyed(seed, &text)
}

/// Calls, amounts, and what runs are counted by different counters, whatever their name.
pub(super) fn counter_kind(charge: &Charge<'_>) -> u8 {
    match (charge.window, charge.unit) {
        (Window::Running, _) => 3,
        (_, Unit::Calls) => 1,
        (_, Unit::Millionths) => 2,
    }
}

fn write_counter(text: &mut Text, charge: &Charge<'_>) {
    text.push(counter_kind(charge));
    write_str(text, charge.counter.policy);
    write_str(text, charge.counter.counter);
}

fn write_scope(text: &mut Text, scope: ScopeValue<'_>) {
    match scope {
        ScopeValue::Grant => text.push(b'g'),
        ScopeValue::Session(value) => {
            text.push(b's');
            write_value(text, value);
        }
        ScopeValue::ClientIp(None) => text.push(b'i'),
        ScopeValue::ClientIp(Some(address)) => match address.to_canonical() {
            IpAddr::V4(v4) => {
                text.push(4);
                text.extend_from_slice(&v4.octets());
            }
            IpAddr::V6(v6) => {
                text.push(6);
                let [network @ .., _, _, _, _] = v6.segments();
                network.iter().for_each(|&segment| text.extend_from_slice(&segment.to_be_bytes()));
            }
        },
        ScopeValue::Claim { name, value } => {
            text.push(b'c');
            write_str(text, name);
            write_value(text, value);
        }
        ScopeValue::Header { name, value } => {
            text.push(b'h');
            write_str(text, name);
            write_value(text, value);
        }
        ScopeValue::Global => text.push(b'e'),
    }
}

fn write_value(text: &mut Text, value: Option<&str>) {
    match value {
        Some(value) => write_str(text, value),
        // No string begins with the byte that ends one.
        None => text.push(0xfe),
    }
}

/// A string and an end that no UTF-8 holds, so that neighbours cannot trade characters.
fn write_str(text: &mut Text, string: &str) {
    text.extend_from_slice(string.as_bytes());
    text.push(0xff);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_its_pieces_however_long_it_gets(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 0..6),
        ) {
            let mut text = Text::new();
            for piece in &pieces {
                text.extend_from_slice(piece);
                text.push(0xff);
            }
            let expected: Vec<u8> = pieces.iter().flat_map(|piece| piece.iter().copied().chain([0xff])).collect();
            prop_assert_eq!(text.bytes(), expected);
        }
    }
}
