//! Limits that a rate-limit service counts, for all Envoys of a fleet.

use std::{net::SocketAddr, time::Duration};

use anyhow::Result;
use envoy::{
    Cluster, Config, Envoy,
    filters::PolicyFilter,
    ratelimit::{Code, Kind, RateLimitService, Redis, Store},
    upstream::Upstream,
    wire,
};
use policy::{config, global};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

/// Thursday, 2026-11-26, 10:00:00 UTC.
const TEN: u64 = 1_795_687_200;
const MAX: usize = 5;

fn configuration(more: &Value) -> Value {
    let mut service =
        json!({ "cluster": "ratelimit", "digest_key": "0123456789abcdef0123456789abcdef", "timeout": "5s" });
    service.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let hourly = json!({ "window": "hour", "align": "calendar", "store": "global" });
    let limit = |more: Value| {
        let mut limit = hourly.clone();
        limit.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        limit
    };
    json!({
        "policies": { "lab": { "version": "1", "default": "deny", "tools": {
            "create_run": { "limits": [limit(json!({ "counter": "runs", "max": MAX }))] },
            "charge": { "limits": [
                { "counter": "local", "window": "hour", "max": 3 },
                limit(json!({ "counter": "spent", "max": 1.5, "increment_from": "args.amount", "scope": "global" })),
            ] },
        } } },
        "routes": [{ "policy": "lab" }],
        "identity": { "grant": [{ "header": "x-grant" }] },
        "request_headers": "hold",
        "global_counters": service,
    })
}

/// What Limitador is started with.
fn limits_file() -> String {
    let config = config::load(configuration(&json!({})).to_string().as_bytes()).expect("a configuration");
    global::limitador_limits(&config).expect("global limits")
}

async fn envoy(upstream: &Upstream, service: SocketAddr, more: &Value) -> Result<Envoy> {
    let cluster = Cluster { http2: true, ..Cluster::new("ratelimit", service) };
    let config = Config::new(upstream.address()).cluster(cluster).workers(2);
    Ok(Envoy::start(&config.policy(PolicyFilter::new(configuration(more))?)).await?)
}

async fn upstream() -> Result<Upstream> {
    Ok(Upstream::json(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#).await?)
}

async fn call(envoy: &Envoy, who: &str, tool: &str, arguments: &Value) -> Result<Value> {
    let request = wire::post(envoy.url("/mcp"), &wire::call(tool, arguments)).header("x-grant", who);
    Ok(request.send().await?.json().await?)
}

fn ran(answer: &Value) -> bool {
    answer["result"]["content"] == json!([])
}

/// How many of so many calls ran, half of them through each Envoy.
async fn admitted(fleet: &[Envoy], who: &str, calls: usize) -> Result<usize> {
    let mut count = 0;
    for (_, envoy) in (0..calls).zip(fleet.iter().cycle()) {
        count += usize::from(ran(&call(envoy, who, "create_run", &json!({})).await?));
    }
    Ok(count)
}

/// Two Envoys count together, for each grant; what is refused never reaches the server.
async fn counts_for_a_fleet(service: &RateLimitService) -> Result<()> {
    let upstream = upstream().await?;
    let fleet = [
        envoy(&upstream, service.address(), &json!({})).await?,
        envoy(&upstream, service.address(), &json!({})).await?,
    ];
    assert_eq!(admitted(&fleet, "one", 12).await?, MAX);
    assert_eq!(admitted(&fleet, "another", 12).await?, MAX);
    assert_eq!(upstream.seen().len(), 2 * MAX);
    let refused = call(&fleet[1], "one", "create_run", &json!({})).await?;
    assert_eq!(wire::rule(&refused), Some("/tools/create_run/limits/runs"));
    let retry = refused["result"]["_meta"]["retry_after_ms"].as_u64().unwrap_or_default();
    assert!((1..=3_600_000).contains(&retry), "{refused}");
    // A budget, everybody's. What the service refuses has taken nothing from the limit beside it.
    let charge = async |who: &str, amount: f64| {
        let answer = call(&fleet[0], who, "charge", &json!({ "amount": amount })).await?;
        anyhow::Ok(ran(&answer))
    };
    assert!(charge("a", 1.0).await? && !charge("a", 0.75).await? && !charge("a", 2.0).await?);
    assert!(charge("a", 0.25).await? && charge("b", 0.25).await?);
    assert!(charge("a", 0.0).await? && !charge("a", 0.0).await?, "the local limit of three");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn envoyproxy_ratelimit_counts_for_a_fleet_by_the_policys_own_limits() -> Result<()> {
    let service = RateLimitService::start(Kind::ratelimit()).await?;
    service.set_clock(TEN);
    let upstream = upstream().await?;
    let fleet = [
        envoy(&upstream, service.address(), &json!({})).await?,
        envoy(&upstream, service.address(), &json!({})).await?,
    ];
    assert_eq!(admitted(&fleet, "one", 12).await?, MAX);
    let refused = call(&fleet[0], "one", "create_run", &json!({})).await?;
    assert_eq!(refused["result"]["_meta"]["retry_after_ms"], 3_600_000);
    service.set_clock(TEN + 3_600);
    assert_eq!(admitted(&fleet, "one", 12).await?, MAX);
    let questions = format!("{:?}", service.seen());
    assert!(questions.contains("runs") && !questions.contains("\"one\""), "the grant leaves the filter: {questions}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn limitador_counts_for_a_fleet_in_memory_and_in_redis() -> Result<()> {
    counts_for_a_fleet(&RateLimitService::start(Kind::limitador(limits_file(), Store::Memory(100))).await?).await?;
    let Some(redis) = Redis::start().await? else { return Ok(()) };
    counts_for_a_fleet(&RateLimitService::start(Kind::limitador(limits_file(), Store::Redis(redis.address()))).await?)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_gives_no_proper_answer_refuses_or_is_overlooked_as_configured() -> Result<()> {
    let upstream = upstream().await?;
    let kinds = [
        (Kind::Slow(Duration::from_secs(60)), "gRPC status"),
        (Kind::Unknown, "UNKNOWN"),
        (Kind::Garbage, ""),
        (Kind::GrpcStatus(Code::Unavailable), "gRPC status 14"),
        (Kind::Ratelimit { domains: vec![] }, "knows no limit"),
    ];
    for (kind, why) in kinds {
        for (on_error, passes) in [("deny", false), ("allow", true)] {
            let service = RateLimitService::start(kind.clone()).await?;
            let more = json!({ "on_error": on_error, "timeout": "200ms" });
            let envoy = envoy(&upstream, service.address(), &more).await?;
            let before = upstream.seen().len();
            let answer = call(&envoy, "one", "create_run", &json!({})).await?;
            assert_eq!(ran(&answer), passes, "{kind:?} {answer}");
            assert_eq!(upstream.seen().len() - before, usize::from(passes), "{kind:?}");
            assert!(envoy.log().contains(why), "{kind:?}: {}", envoy.log());
            // What could not be asked for the budget has taken nothing from the limit beside it.
            for _ in 0..4 {
                let answer = call(&envoy, "one", "charge", &json!({ "amount": 1 })).await?;
                let rule = if passes { "/tools/charge/limits/local" } else { "/tools/charge/limits/spent" };
                assert!(ran(&answer) || wire::rule(&answer) == Some(rule), "{kind:?} {answer}");
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_down_refuses_and_is_asked_again_when_it_is_back() -> Result<()> {
    let upstream = upstream().await?;
    let mut service = RateLimitService::start(Kind::ratelimit()).await?;
    service.set_clock(TEN);
    let fleet = [envoy(&upstream, service.address(), &json!({})).await?];
    assert_eq!(admitted(&fleet, "one", 2).await?, 2);
    service.stop();
    assert_eq!(admitted(&fleet, "one", 3).await?, 0);
    let service = RateLimitService::start_on(Kind::ratelimit(), service.address().port()).await?;
    service.set_clock(TEN);
    // The connection that broke is made anew.
    assert_eq!(admitted(&fleet, "one", 12).await?, MAX);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_at_the_same_moment_are_admitted_exactly_as_often_as_the_service_says() -> Result<()> {
    let service = RateLimitService::start(Kind::ratelimit()).await?;
    service.set_clock(TEN);
    let upstream = upstream().await?;
    let envoy = std::sync::Arc::new(envoy(&upstream, service.address(), &json!({})).await?);
    for race in 0..20 {
        let tasks: Vec<_> = (0..24)
            .map(|_| {
                let envoy = std::sync::Arc::clone(&envoy);
                tokio::spawn(async move { call(&envoy, &race.to_string(), "create_run", &json!({})).await })
            })
            .collect();
        let mut count = 0;
        for task in tasks {
            count += usize::from(ran(&task.await??));
        }
        assert_eq!(count, MAX, "race {race}");
    }
    Ok(())
}

/// Waits until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so().await? {
        anyhow::ensure!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn stat(envoy: &Envoy, name: &str) -> Result<u64> {
    Ok(envoy.admin().stats(name).await?.values().sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_while_the_service_is_asked_holds_nothing_and_sends_nothing() -> Result<()> {
    for mode in ["stream", "hold"] {
        let mut configuration = configuration(&json!({}));
        let tool = &mut configuration["policies"]["lab"]["tools"]["create_run"];
        tool["concurrency"] = json!({ "max": 1 });
        tool["limits"] = json!([{ "counter": "local", "window": "hour", "max": 1 }, tool["limits"][0]]);
        configuration["request_headers"] = mode.into();
        let upstream = upstream().await?;
        // Long enough to hang up meanwhile.
        let service = RateLimitService::start(Kind::Slow(Duration::from_secs(2))).await?;
        let cluster = Cluster { http2: true, ..Cluster::new("ratelimit", service.address()) };
        let config = Config::new(upstream.address()).cluster(cluster).policy(PolicyFilter::new(configuration)?);
        let envoy = Envoy::start(&config).await?;
        // The next is asked about only if the one before has left its slot and what it took from the local limit.
        for asked in 1..=3 {
            let request = wire::post(envoy.url("/mcp"), &wire::call("create_run", &json!({}))).header("x-grant", "one");
            let client = tokio::spawn(request.send());
            until("the service is asked", async || Ok(service.seen().len() == asked)).await?;
            client.abort();
            assert!(client.await.is_err_and(|error| error.is_cancelled()), "{mode}: it was answered");
            until("Envoy has seen the client go", async || {
                Ok(stat(&envoy, "http.mcp.downstream_rq_active").await? == 0)
            })
            .await?;
        }
        let answer = call(&envoy, "one", "create_run", &json!({})).await?;
        assert!(ran(&answer), "{mode} {answer}");
        let answer = call(&envoy, "one", "create_run", &json!({})).await?;
        assert_eq!(wire::rule(&answer), Some("/tools/create_run/limits/local"), "{mode}");
        until("the service has answered about all of them", async || {
            Ok(stat(&envoy, "cluster.ratelimit.upstream_rq_completed").await? == 4)
        })
        .await?;
        let bodies = upstream.seen().into_iter().filter(|seen| !seen.body.is_empty()).count();
        assert_eq!(bodies, 1, "{mode}: a call went on without its client");
    }
    Ok(())
}
