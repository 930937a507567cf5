//! Where calls count, without hashing what was hashed for calls before.

use std::cell::RefCell;

use super::cache::Cache;
use super::charge::{Charge, CounterName, Principal, ScopeValue};
use super::hash::{Spot, counter_kind};

/// The longest texts of a charge that are remembered, in bytes.
const LONGEST: usize = 512;

/// The spots of charges, of which the latest are remembered: [`ENTRIES`](super::cache::ENTRIES), of some 200 bytes
/// each if the texts are of usual length.
#[derive(Debug, Default)]
pub(super) struct Spots {
    known: RefCell<Cache<Known>>,
}

/// A charge and its spot.
#[derive(Debug, Default)]
struct Known {
    kinds: Kinds,
    lengths: [usize; TEXTS],
    /// One behind the other: what is remembered of many charges is not in the processor's cache, so it lies together.
    texts: String,
    spot: Option<Spot>,
}

/// All that the hash of a charge takes in.
struct Hashed<'c> {
    kinds: Kinds,
    texts: [&'c str; TEXTS],
}

const TEXTS: usize = 7;

/// Whether there is a grant, the kind of the scope, whether that has a value, and the kind of the counter.
type Kinds = (bool, u8, bool, u8);

impl Spots {
    /// The spot of a charge, for which it is hashed unless it is remembered.
    pub(super) fn of(&self, principal: Principal<'_>, charge: &Charge<'_>, hash: impl FnOnce() -> Spot) -> Spot {
        let (Some(hashed), Ok(mut known)) = (Hashed::new(principal, charge), self.known.try_borrow_mut()) else {
            return hash();
        };
        if let Some(spot) = known.recent().and_then(|recent| recent.spot_of(&hashed)) {
            return spot;
        }
        let Some((known, _)) = known.find(hashed.tag()) else { return hash() };
        if let Some(spot) = known.spot_of(&hashed) {
            return spot;
        }
        let spot = hash();
        known.become_one_of(&hashed, spot);
        spot
    }
}

impl Known {
    /// The spot, if it is that of a charge.
    fn spot_of(&self, hashed: &Hashed<'_>) -> Option<Spot> {
        let mut mine = self.texts.as_bytes();
        // Most have only some of the texts.
        let is_mine = |(text, length): (&str, usize)| {
            text.len() == length
                && (length == 0
                    || mine.split_at_checked(length).is_some_and(|(begin, rest)| {
                        mine = rest;
                        is_same(begin, text.as_bytes())
                    }))
        };
        let is = self.kinds == hashed.kinds && hashed.texts.into_iter().zip(self.lengths).all(is_mine);
        self.spot.filter(|_| is)
    }

    fn become_one_of(&mut self, hashed: &Hashed<'_>, spot: Spot) {
        self.kinds = hashed.kinds;
        self.lengths = hashed.texts.map(str::len);
        self.texts.clear();
        hashed.texts.into_iter().for_each(|text| self.texts.push_str(text));
        self.spot = Some(spot);
    }
}

impl<'c> Hashed<'c> {
    /// `None` if the charge is not one to remember: if it is by an address, or its texts are long.
    fn new(principal: Principal<'c>, charge: &Charge<'c>) -> Option<Self> {
        let CounterName { policy, counter } = charge.counter;
        let (is_grant, [source, issuer, grant]) = match (charge.scope, principal) {
            (ScopeValue::Grant | ScopeValue::Session(_), Principal::Grant { source, issuer, value }) => {
                (true, [source, issuer, value])
            }
            _ => (false, [""; 3]),
        };
        let (scope, name, value) = match charge.scope {
            ScopeValue::Grant => (b'g', "", None),
            ScopeValue::Global => (b'e', "", None),
            ScopeValue::Session(value) => (b's', "", value),
            ScopeValue::Claim { name, value } => (b'c', name, value),
            ScopeValue::Header { name, value } => (b'h', name, value),
            ScopeValue::ClientIp(_) => return None,
        };
        let texts = [policy, counter, source, issuer, grant, name, value.unwrap_or_default()];
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let kinds = (is_grant, scope, value.is_some(), counter_kind(charge));
        (bytes <= LONGEST).then_some(Self { kinds, texts })
    }

    /// The tag that it is remembered by: of all of whose count it is, and of how the other names end. Charges may share one.
    fn tag(&self) -> u32 {
        let [policy, counter, source, issuer, grant, name, value] = self.texts;
        let mut mixed = 0u64;
        let mut mix = |word: u64| mixed = (mixed.rotate_left(5) ^ word).wrapping_mul(ODD);
        let word = |bytes: &[u8]| bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        for text in [grant, value] {
            let (words, rest) = text.as_bytes().as_chunks();
            words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
            mix(word(rest));
        }
        for text in [policy, counter, source, issuer, name] {
            mix(text.as_bytes().last_chunk().map_or(0, |word| u32::from_le_bytes(*word).into()));
        }
        u32::try_from(mixed >> u32::BITS).unwrap_or(0)
    }
}

/// The fraction of pi. By the product with an odd number no bit is lost, and all have a say in the upper half.
const ODD: u64 = 0x243f_6a88_85a3_08d3;

/// Whether two texts of one length are equal, four bytes at a time: WebAssembly has no instruction that compares memory.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let (words, bytes) = one.as_chunks::<4>();
    let (other_words, other_bytes) = other.as_chunks::<4>();
    let mut words = words.iter().zip(other_words);
    let mut bytes = bytes.iter().zip(other_bytes);
    words.all(|(word, other)| u32::from_le_bytes(*word) == u32::from_le_bytes(*other))
        && bytes.all(|(byte, other)| byte == other)
}

#[cfg(test)]
mod tests {
    use super::super::charge::Unit;
    use super::super::hash;
    use super::super::window::Window;
    use super::*;
    use proptest::prelude::*;

    const SEED: hash::Seed = [7; 16];

    /// Texts that are equal now and then, and that begin alike.
    fn text() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["", "a", "ab", "abcd", "abce", "abcdefgh", "abcdefgi", "abcdefghi", "abcdefghij"])
    }

    fn principal() -> impl Strategy<Value = Principal<'static>> {
        prop_oneof![
            Just(Principal::Anonymous),
            (text(), text(), text()).prop_map(|(source, issuer, value)| Principal::Grant { source, issuer, value }),
        ]
    }

    fn scope() -> impl Strategy<Value = ScopeValue<'static>> {
        let value = || prop::option::of(text());
        prop_oneof![
            4 => Just(ScopeValue::Grant),
            1 => Just(ScopeValue::Global),
            1 => value().prop_map(ScopeValue::Session),
            1 => (text(), value()).prop_map(|(name, value)| ScopeValue::Claim { name, value }),
            1 => (text(), value()).prop_map(|(name, value)| ScopeValue::Header { name, value }),
            1 => prop::option::of(any::<std::net::IpAddr>()).prop_map(ScopeValue::ClientIp),
        ]
    }

    fn charge() -> impl Strategy<Value = Charge<'static>> {
        let window = prop_oneof![Just(Window::MINUTE), Just(Window::HOUR), Just(Window::Running)];
        let unit = prop_oneof![Just(Unit::Calls), Just(Unit::Millionths)];
        (text(), text(), scope(), window, unit).prop_map(|(policy, counter, scope, window, unit)| Charge {
            call: 0,
            counter: CounterName { policy, counter },
            scope,
            window,
            unit,
            max: 1,
            amount: 1,
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// Whatever was asked before, also if it differs in one thing only.
        #[test]
        fn a_spot_is_that_of_the_hash(
            pairs in prop::collection::vec((principal(), charge(), principal(), charge()), 1..20),
            order in prop::collection::vec((any::<prop::sample::Index>(), 0..12u8), 1..60),
        ) {
            let spots = Spots::default();
            for (pair, change) in order {
                let (principal, charge, other, other_charge) = pairs[pair.index(pairs.len())];
                let (principal, charge) = match change {
                    0 => (other, charge),
                    1 => (principal, Charge { counter: other_charge.counter, ..charge }),
                    2 => (principal, Charge { scope: other_charge.scope, ..charge }),
                    3 => (principal, Charge { window: other_charge.window, ..charge }),
                    4 => (principal, Charge { unit: other_charge.unit, ..charge }),
                    _ => (principal, charge),
                };
                let hash = || hash::spot(&SEED, principal, &charge, 64);
                prop_assert_eq!(spots.of(principal, &charge, hash), hash());
            }
        }
    }

    fn robot(value: &str) -> Principal<'_> {
        Principal::Grant { source: "jwt_claim:sub", issuer: "https://idp", value }
    }

    fn runs() -> Charge<'static> {
        Charge {
            call: 0,
            counter: CounterName { policy: "lab", counter: "runs" },
            scope: ScopeValue::Session(Some("5f0c")),
            window: Window::MINUTE,
            unit: Unit::Calls,
            max: 1,
            amount: 1,
        }
    }

    /// How many of these grants have to be hashed when they call a second time.
    fn hashed_again(grants: &[String]) -> usize {
        let (spots, hashed) = (Spots::default(), std::cell::Cell::new(0));
        for grant in grants.iter().chain(grants) {
            spots.of(robot(grant), &runs(), || {
                hashed.set(hashed.get() + 1);
                hash::spot(&SEED, robot(grant), &runs(), 64)
            });
        }
        hashed.get() - grants.len()
    }

    #[test]
    fn agents_that_call_in_turns_are_hashed_once() {
        assert_eq!(hashed_again(&["robot-7".to_owned()]), 0);
        let names: [fn(u32) -> String; 3] = [
            |nth| format!("robot-{nth}"),
            |nth| format!("robot-{nth}-of-the-lab"),
            |nth| format!("{:08x}", nth.wrapping_mul(2_654_435_769)),
        ];
        for name in names {
            // Sixteen that call in turns seldom want five of the same four places.
            let groups = (0..100).map(|group| (0..16).map(|nth| name(16 * group + nth)).collect::<Vec<_>>());
            let again: usize = groups.map(|grants| hashed_again(&grants)).sum();
            assert!(again <= 20, "{again} of 1600");
        }
    }

    /// Texts that are all empty, or none at all.
    #[test]
    fn nobody_is_not_somebody_without_a_name() {
        let spots = Spots::default();
        for principal in [Principal::Anonymous, Principal::Grant { source: "", issuer: "", value: "" }].repeat(2) {
            let hash = || hash::spot(&SEED, principal, &runs(), 64);
            assert_eq!(spots.of(principal, &runs(), hash), hash());
        }
    }

    #[test]
    fn what_is_long_is_not_remembered() {
        assert_eq!(hashed_again(&["r".repeat(600)]), 1);
    }
}
