//! What the filter asks, put to rate-limit services: both count it, each in its own way, and nothing else admits.

use std::time::Duration;

use anyhow::{Context, Result};
use envoy::ratelimit::{self, Code, Headers, Kind, RateLimitService, Redis, Store};
use policy::{
    config::{self, Config},
    global::{self, Answer, Ask, Misanswer, Question},
    quota::{CalendarUnit, Charge, CounterName, Principal, ScopeValue, Unit, Window},
};
use tokio::time::timeout;

/// Names as a policy may have them, which the limits file has to write so that Limitador reads the same.
const COUNTER: &str = r#"it's "my" \ ü 🤖: # [0]"#;
const TEAM: &str = "te'am";

/// Ten calls an hour for a team, and a budget of 2.5 a month for a grant.
fn config() -> Config {
    let document = serde_json::json!({
        "policies": { "lab": { "version": "1", "default": "deny", "tools": { "run": { "limits": [
            { "counter": COUNTER, "window": "hour", "align": "calendar", "max": 10, "scope": format!("claim:{TEAM}"), "store": "global" },
            { "counter": "spend", "window": "month", "align": "calendar", "max": 2.5, "increment_from": "args.amount", "store": "global" },
        ] } } } },
        "routes": [{ "policy": "lab" }],
        "global_counters": { "cluster": "ratelimit", "digest_key": "a secret that all of a fleet have" },
    });
    config::load(document.to_string().as_bytes()).expect("a configuration")
}

/// One call of a team.
fn run(team: &str) -> Charge<'_> {
    Charge {
        call: 0,
        counter: CounterName { policy: "lab", counter: COUNTER },
        scope: ScopeValue::Claim { name: TEAM, value: Some(team) },
        window: Window::calendar(CalendarUnit::Hour),
        unit: Unit::Calls,
        max: 10,
        amount: 1,
    }
}

/// So many millionths.
fn spend(amount: u64) -> Charge<'static> {
    Charge {
        counter: CounterName { policy: "lab", counter: "spend" },
        scope: ScopeValue::Grant,
        window: Window::calendar(CalendarUnit::Month),
        unit: Unit::Millionths,
        max: 2_500_000,
        amount,
        ..run("")
    }
}

fn question(charge: &Charge<'_>) -> Question {
    let settings = config().global_counters.expect("they are configured");
    match global::ask(&settings, Principal::Anonymous, charge) {
        Ask::Service(question) => question,
        other => panic!("{other:?}"),
    }
}

/// What a service says of a charge.
async fn answer(service: &RateLimitService, charge: &Charge<'_>) -> Result<Result<Answer, Misanswer>> {
    let question = question(charge);
    let answer = ratelimit::ask(service.address(), question.request()).await?;
    Ok(question.read(&answer))
}

/// How many of so many equal calls are admitted; all others must be over the limit.
async fn admitted(service: &RateLimitService, charge: &Charge<'_>, calls: usize) -> Result<usize> {
    let mut count = 0;
    for _ in 0..calls {
        match answer(service, charge).await?? {
            Answer::Admitted => count += 1,
            Answer::OverLimit { retry_after_ms } => assert!(retry_after_ms.is_some_and(|ms| ms > 0)),
        }
    }
    Ok(count)
}

fn limits() -> String {
    global::limitador_limits(&config()).expect("global limits")
}

async fn limitador(store: Store) -> Result<RateLimitService> {
    Ok(RateLimitService::start(Kind::limitador(limits(), store)).await?)
}

/// Monday, 2026-11-23, 10:00:00 UTC.
const TEN: u64 = 1_795_428_000;

#[tokio::test(flavor = "multi_thread")]
async fn ratelimit_counts_by_the_override_until_the_hour_is_over() -> Result<()> {
    let service = RateLimitService::start(Kind::ratelimit()).await?;
    service.set_clock(TEN + 3_500);
    assert_eq!(admitted(&service, &run("red"), 12).await?, 10);
    assert_eq!(answer(&service, &run("red")).await?, Ok(Answer::OverLimit { retry_after_ms: Some(100_000) }));
    assert_eq!(admitted(&service, &run("blue"), 1).await?, 1, "another team");
    service.set_clock(TEN + 3_600);
    assert_eq!(admitted(&service, &run("red"), 12).await?, 10);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ratelimit_judges_one_count_by_a_changed_max() -> Result<()> {
    let service = RateLimitService::start(Kind::ratelimit()).await?;
    service.set_clock(TEN);
    assert_eq!(admitted(&service, &run("red"), 10).await?, 10);
    assert_eq!(admitted(&service, &Charge { max: 12, ..run("red") }, 5).await?, 2);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ratelimit_counts_what_it_refuses_and_limitador_does_not() -> Result<()> {
    let ratelimit = RateLimitService::start(Kind::ratelimit()).await?;
    ratelimit.set_clock(TEN);
    for (service, last) in [(ratelimit, 0), (limitador(Store::Memory(100)).await?, 1)] {
        assert_eq!(admitted(&service, &spend(2_000_000), 1).await?, 1);
        assert_eq!(admitted(&service, &spend(1_000_000), 1).await?, 0);
        assert_eq!(admitted(&service, &spend(500_000), 1).await?, last);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_that_ratelimit_does_not_know_admits_nothing() -> Result<()> {
    let service = RateLimitService::start(Kind::Ratelimit { domains: vec!["envoy".to_owned()] }).await?;
    assert_eq!(answer(&service, &run("red")).await?, Err(Misanswer::NoLimit));
    Ok(())
}

/// The limits file means to Limitador what the policy means, whatever its names are.
#[tokio::test(flavor = "multi_thread")]
async fn limitador_counts_by_the_file_that_was_written_for_it() -> Result<()> {
    counts_by_its_file(&limitador(Store::Memory(100)).await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn limitador_counts_in_redis_as_in_memory() -> Result<()> {
    let Some(redis) = Redis::start().await? else { return Ok(()) };
    let one = limitador(Store::Redis(redis.address())).await?;
    counts_by_its_file(&one).await?;
    let other = limitador(Store::Redis(redis.address())).await?;
    assert_eq!(admitted(&other, &run("red"), 1).await?, 0, "a second one has the same counts");
    drop(redis);
    let refused = ratelimit::ask(one.address(), question(&run("red")).request()).await;
    assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
    Ok(())
}

async fn counts_by_its_file(service: &RateLimitService) -> Result<()> {
    assert_eq!(admitted(service, &run("red"), 12).await?, 10);
    assert_eq!(admitted(service, &run("blue"), 12).await?, 10, "another team");
    assert_eq!(admitted(service, &spend(500_000), 7).await?, 5);
    let nobody = Charge { scope: ScopeValue::Claim { name: TEAM, value: None }, ..run("") };
    assert_eq!(admitted(service, &nobody, 12).await?, 10, "those without a team share one count");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_in_limitadors_file_admits_nothing() -> Result<()> {
    let service = limitador(Store::Memory(100)).await?;
    let unknown = Charge { counter: CounterName { counter: "other", ..run("").counter }, ..run("red") };
    assert_eq!(answer(&service, &unknown).await?, Err(Misanswer::NoLimit));
    let changed = Charge { max: 11, ..run("red") };
    assert!(matches!(answer(&service, &changed).await?, Err(Misanswer::OtherLimit(_))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn limitador_without_headers_admits_nothing() -> Result<()> {
    let kind = Kind::Limitador { limits: limits(), store: Store::Memory(100), headers: Headers::None };
    let service = RateLimitService::start(kind).await?;
    assert_eq!(answer(&service, &run("red")).await?, Err(Misanswer::NoLimit));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broken_service_answers_is_no_answer() -> Result<()> {
    for (kind, wanted) in [(Kind::Unknown, Misanswer::Unknown), (Kind::Garbage, Misanswer::Unreadable)] {
        let service = RateLimitService::start(kind).await?;
        assert_eq!(answer(&service, &run("red")).await?, Err(wanted));
    }
    let service = RateLimitService::start(Kind::GrpcStatus(Code::ResourceExhausted)).await?;
    let refused = ratelimit::ask(service.address(), question(&run("red")).request()).await;
    assert_eq!(refused.unwrap_err().code(), Code::ResourceExhausted);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_service_is_slow_and_one_that_is_down_comes_back() -> Result<()> {
    let mut service = RateLimitService::start(Kind::Slow(Duration::from_secs(3600))).await?;
    let question = question(&run("red"));
    let asked = ratelimit::ask(service.address(), question.request());
    assert!(timeout(Duration::from_millis(200), asked).await.is_err(), "it answered");
    assert_eq!(service.seen().len(), 1);
    let waiting = tokio::spawn({
        let (address, request) = (service.address(), question.request().to_vec());
        async move { ratelimit::ask(address, &request).await }
    });
    while service.seen().len() < 2 {
        tokio::task::yield_now().await;
    }
    service.stop();
    assert!(waiting.await?.is_err(), "its connections are closed");
    assert!(ratelimit::ask(service.address(), question.request()).await.is_err());
    let again = RateLimitService::start_on(Kind::ratelimit(), service.address().port()).await?;
    assert_eq!(answer(&again, &run("red")).await?, Ok(Answer::Admitted));
    Ok(())
}

/// Held against Envoy's own definitions, which the filter does not read or write by.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_reads_what_the_filter_writes() -> Result<()> {
    let service = RateLimitService::start(Kind::ratelimit()).await?;
    answer(&service, &spend(1)).await??;
    let seen = service.seen();
    let [request] = seen.as_slice() else { panic!("{seen:?}") };
    let [descriptor] = request.descriptors.as_slice() else { panic!("{request:?}") };
    assert_eq!((request.domain.as_str(), request.hits_addend, descriptor.hits_addend), ("mcp", 1, None));
    let entries: Vec<_> = descriptor.entries.iter().map(|e| (e.key.as_str(), e.value.as_str())).collect();
    let value = entries.last().context("entries")?.1;
    assert!(value.len() == 32 && value.bytes().all(|byte| byte.is_ascii_hexdigit()), "{value}");
    assert_eq!(
        entries,
        [
            ("policy", "lab"),
            ("counter", "spend"),
            ("scope", "grant"),
            ("window", "month"),
            ("unit", "0.000001"),
            ("value", value)
        ]
    );
    let limit = descriptor.limit.context("a limit override")?;
    assert_eq!((limit.requests_per_unit, limit.unit().as_str_name()), (2_500_000, "MONTH"));
    Ok(())
}
