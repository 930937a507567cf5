//! Where a count lives: the shard, and the slot inside it, by a hash whose key no client knows.
//!
//! Two halves of the shards. Counts that belong to one grant (its own, and its sessions) all sit in the shard of that
//! grant, so that they commit together, and a grant that invents sessions only fills its own part. Counts that grants
//! share (addresses, claims, headers, everybody) sit in the other, smaller half, so that a client that invents header
//! values can fill that half at worst, and nobody's own counts.
//!
//! A slot is known by 64 bits: 24 of the hash of its owner, a flag, and 39 of the hash of owner, counter and scope value.
//! Two counts of different owners are mistaken for each other with odds of 2^-63 per pair in one shard, two counts of
//! one owner with 2^-39: with 65 000 grants of four limits, less than one chance in a million that it happens to
//! anyone. What happens then is that both count in one slot, and so are refused too early; never too late.

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher13;

use super::charge::{Charge, CounterName, Principal, ScopeValue, Unit};

/// The key of the hash, drawn at random once and shared by all workers.
pub(super) type Seed = [u8; 16];

/// The name of a slot inside its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId(pub(super) u64);

/// The part of a [`SlotId`] that says whose slot it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner(u64);

/// Where a charge counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) shard: u32,
    pub(super) slot: SlotId,
}

const OWNER_SHIFT: u32 = 40;
const SHARED_FLAG: u64 = 1 << 39;
const ITEM_MASK: u64 = SHARED_FLAG - 1;
/// Owns the slots that principals without one share. No principal is given it.
const ANYONE: Owner = Owner(0);

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

/// Finds the spot of a charge among `shards` shards, of which the last `shared` are for counts that grants share.
pub(super) fn spot(
    seed: &Seed,
    principal: Principal<'_>,
    charge: &Charge<'_>,
    shards: u32,
) -> Spot {
    let owner_hash = owner_hash(seed, principal, charge);
    let shared = shared_shards(shards);
    let own = shards.saturating_sub(shared);
    let shard = match charge.scope {
        ScopeValue::Grant | ScopeValue::Session(_) => reduce(owner_hash, own),
        ScopeValue::ClientIp(_)
        | ScopeValue::Claim { .. }
        | ScopeValue::Header { .. }
        | ScopeValue::Global => own.saturating_add(reduce(owner_hash, shared)),
    };
    let mut hash = SipHasher13::new_with_key(seed);
    hash.write_u8(b'i');
    hash.write_u64(owner_hash);
    write_scope(&mut hash, charge.scope);
    write_counter(&mut hash, charge.counter, charge.unit);
    // The top bits chose the shard: the tag is taken from the others.
    let owner = Owner((owner_hash & 0xff_ffff).max(1));
    Spot {
        shard,
        slot: SlotId::new(owner, hash.finish()),
    }
}

/// An eighth of all shards.
pub(super) const fn shared_shards(shards: u32) -> u32 {
    if shards < 16 { 1 } else { shards / 8 }
}

/// Maps a hash evenly onto `0..n` by its top 32 bits.
fn reduce(hash: u64, n: u32) -> u32 {
    let scaled = (hash >> 32).saturating_mul(n.into()) >> 32;
    u32::try_from(scaled).unwrap_or(0)
}

/// Whose slot it is: the grant for its own counts; otherwise the scope's value, so that an address's counts are
/// together, whoever calls. Counts that everybody shares are kept apart, or one shard would serve every call.
fn owner_hash(seed: &Seed, principal: Principal<'_>, charge: &Charge<'_>) -> u64 {
    let mut hash = SipHasher13::new_with_key(seed);
    match charge.scope {
        ScopeValue::Grant | ScopeValue::Session(_) => match principal {
            Principal::Grant {
                source,
                issuer,
                value,
            } => {
                hash.write_u8(b'g');
                write_str(&mut hash, source);
                write_str(&mut hash, issuer);
                write_str(&mut hash, value);
            }
            Principal::Anonymous => hash.write_u8(b'a'),
        },
        ScopeValue::ClientIp(Some(_))
        | ScopeValue::Claim { value: Some(_), .. }
        | ScopeValue::Header { value: Some(_), .. } => {
            hash.write_u8(b's');
            write_scope(&mut hash, charge.scope);
        }
        ScopeValue::ClientIp(None)
        | ScopeValue::Claim { value: None, .. }
        | ScopeValue::Header { value: None, .. }
        | ScopeValue::Global => {
            hash.write_u8(b'e');
            write_scope(&mut hash, charge.scope);
            write_counter(&mut hash, charge.counter, charge.unit);
        }
    }
    hash.finish()
}

/// A counter and the kind of its scope, without the value: what those that share a slot have in common.
fn limit_hash(seed: &Seed, charge: &Charge<'_>) -> u64 {
    let mut hash = SipHasher13::new_with_key(seed);
    hash.write_u8(b'l');
    match charge.scope {
        ScopeValue::Grant => hash.write_u8(b'g'),
        ScopeValue::Session(_) => hash.write_u8(b's'),
        ScopeValue::ClientIp(_) => hash.write_u8(b'i'),
        ScopeValue::Claim { name, .. } => {
            hash.write_u8(b'c');
            write_str(&mut hash, name);
        }
        ScopeValue::Header { name, .. } => {
            hash.write_u8(b'h');
            write_str(&mut hash, name);
        }
        ScopeValue::Global => hash.write_u8(b'e'),
    }
    write_counter(&mut hash, charge.counter, charge.unit);
    hash.finish()
}

fn write_counter(hash: &mut SipHasher13, name: CounterName<'_>, unit: Unit) {
    hash.write_u8(match unit {
        Unit::Calls => 1,
        Unit::Millionths => 2,
    });
    write_str(hash, name.policy);
    write_str(hash, name.counter);
}

fn write_scope(hash: &mut SipHasher13, scope: ScopeValue<'_>) {
    match scope {
        ScopeValue::Grant => hash.write_u8(b'g'),
        ScopeValue::Session(value) => {
            hash.write_u8(b's');
            write_value(hash, value);
        }
        ScopeValue::ClientIp(None) => hash.write_u8(b'i'),
        ScopeValue::ClientIp(Some(address)) => match address.to_canonical() {
            IpAddr::V4(v4) => {
                hash.write_u8(4);
                hash.write(&v4.octets());
            }
            IpAddr::V6(v6) => {
                hash.write_u8(6);
                let [network @ .., _, _, _, _] = v6.segments();
                network.iter().for_each(|&segment| hash.write_u16(segment));
            }
        },
        ScopeValue::Claim { name, value } => {
            hash.write_u8(b'c');
            write_str(hash, name);
            write_value(hash, value);
        }
        ScopeValue::Header { name, value } => {
            hash.write_u8(b'h');
            write_str(hash, name);
            write_value(hash, value);
        }
        ScopeValue::Global => hash.write_u8(b'e'),
    }
}

fn write_value(hash: &mut SipHasher13, value: Option<&str>) {
    match value {
        Some(value) => write_str(hash, value),
        // No string begins with the byte that ends one.
        None => hash.write_u8(0xfe),
    }
}

/// A string and an end that no UTF-8 holds, so that neighbours cannot trade characters.
fn write_str(hash: &mut SipHasher13, text: &str) {
    hash.write(text.as_bytes());
    hash.write_u8(0xff);
}
