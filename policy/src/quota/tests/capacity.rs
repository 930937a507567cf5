//! Memory: bounded whatever comes, and enough for what is promised.

use super::*;

#[test]
fn memory_is_flat_while_a_million_principals_pass() {
    const MANY: usize = 1_000_000;
    let store = Map::default();
    let max_bytes = 256 << 10;
    let quota = open(&store, max_bytes, WhenFull::Deny);
    let mut sizes = Vec::new();
    for n in 0..MANY {
        // One every 4 ms: 250 are live in a window.
        let (name, now) = (n.to_string(), after(START, n as u64 * 4));
        let outcome = quota.take(&store, grant(&name), &[charge("c", Window::SECOND, 1)], now);
        assert!(matches!(outcome, Ok(Outcome::Admitted(_))), "principal {n}: {outcome:?}");
        if n % 10_000 == 9_999 {
            let (sum, longest) = store.shard_bytes();
            assert!(sum as u64 <= max_bytes && longest <= 2_048, "{sum} {longest}");
            sizes.push(sum);
        }
    }
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(most - least < most / 4, "from {least} to {most} bytes");
}

#[test]
fn sixty_five_thousand_principals_with_four_limits_fit_the_default() {
    // The whole of it optimised; unoptimised the same density in an eighth of the shards.
    let (principals, max_bytes): (u64, u64) =
        if cfg!(debug_assertions) { (65_000 / 8, 4 << 20) } else { (65_000, 32 << 20) };
    let store = Map::default();
    let quota = open(&store, max_bytes, WhenFull::Deny);
    let charges = [
        charge("rate", Window::MINUTE, 30),
        charge("hourly", Window::HOUR, 200),
        charge("daily", Window::DAY, 1_000),
        Charge {
            amount: 2_500_000,
            unit: Unit::Millionths,
            ..charge("spend", Window::calendar(CalendarUnit::Month), u64::MAX)
        },
    ];
    for round in 0..3 {
        for n in 0..principals {
            let name = format!("agent-{n}@example.com");
            let now = after(START, round * 5_000 + n * 4_000 / principals);
            let outcome = quota.take(&store, grant(&name), &charges, now);
            assert!(admitted(outcome), "round {round}, principal {n}");
        }
    }
    let (sum, longest) = store.shard_bytes();
    assert!(sum as u64 <= max_bytes && longest <= 2_048, "{sum} {longest}");
}
