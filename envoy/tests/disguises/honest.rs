//! Honest calls, in every spelling that is fine and by every SDK's own client.

use std::sync::Arc;

use anyhow::{Result, ensure};
use envoy::{
    client::Client,
    servers::{Call, Caller, Kind, Tools},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::{
    house::{Door, Front, House},
    spellings::{Spelling, spellings},
    words::{Words, is_allowed},
};

/// Each spelling is executed exactly as often through Envoy as straight: each call once, wherever the server takes it
/// at all.
pub(crate) async fn check_spellings(house: &House) -> Result<()> {
    let mut fronts = JoinSet::new();
    for front in &house.fronts {
        let front = Arc::clone(front);
        fronts.spawn(async move {
            let mut taken = vec![];
            for (index, Spelling { what, calls, make }) in spellings().into_iter().enumerate() {
                let mut times = vec![];
                for door in Door::ALL {
                    let words = Words::new(front.kind(), format!("{door:?}{index}").to_lowercase());
                    front.send(door, &make(&words), &words).await?;
                    times.push(executed(&front, &words)?);
                }
                let server = front.kind().name();
                ensure!([0, calls].contains(&times[0]), "{what} at {server}: {times:?}");
                ensure!(times.iter().all(|count| *count == times[0]), "{what} at {server}: {times:?}");
                taken.push(times[0] > 0);
            }
            anyhow::Ok(taken)
        });
    }
    let taken = fronts.join_all().await.into_iter().collect::<Result<Vec<_>>>()?;
    for (index, Spelling { what, .. }) in spellings().iter().enumerate() {
        let servers = taken.iter().filter(|taken| taken[index]).count();
        println!("{what}: executed by {servers} servers");
        ensure!(servers >= if what == "plain" { taken.len() } else { 1 }, "{what} is taken by {servers} servers");
    }
    Ok(())
}

/// How often the allowed call of an exchange was executed.
fn executed(front: &Front, words: &Words) -> Result<usize> {
    let calls = front.server.executed()?;
    Ok(calls.iter().filter(|call| words.made(call) && is_allowed(front.kind(), call)).count())
}

/// The clients of the SDKs list the tools and call one, each at each server: the call is executed once, and they are told
/// the same through Envoy as straight, down to the revision that they come to speak.
pub(crate) async fn check_clients(house: &House) -> Result<()> {
    for caller in Caller::ALL {
        let straight = told(house, caller, Door::Straight).await?;
        let policed = told(house, caller, Door::Shipped).await?;
        for ((front, straight), policed) in house.fronts.iter().zip(straight).zip(policed) {
            let server = front.kind().name();
            ensure!(policed == straight, "{caller:?} at {server}: {straight} became {policed}");
            let lists = policed["tools"]
                .as_array()
                .is_some_and(|tools| tools.contains(&Value::from(front.kind().tools().forbidden)));
            ensure!(lists, "{caller:?} at {server}: {policed}");
            if (caller, front.kind()) == (Caller::TypeScript2, Kind::Python2) {
                ensure!(policed["revision"] == "2026-07-28", "{policed}");
            }
        }
    }
    for front in &house.fronts {
        let (call, words) = call(front, Door::Shipped, "rmcp");
        let client = Client::connect(call.url).await?;
        ensure!(client.tools().await?.iter().any(|tool| tool == front.kind().tools().forbidden), "rmcp");
        client.call(&call.tool, call.arguments).await?;
        client.close().await?;
        ensure!(executed(front, &words)? == 1, "rmcp at {}", front.kind().name());
    }
    Ok(())
}

/// What a client is told at each server; each executes the call once.
async fn told(house: &House, caller: Caller, door: Door) -> Result<Vec<Value>> {
    let client = format!("{caller:?}{door:?}");
    let (calls, words): (Vec<_>, Vec<_>) = house.fronts.iter().map(|front| call(front, door, &client)).unzip();
    let answers = caller.call(&calls).await?;
    ensure!(answers.len() == calls.len(), "{client}: {answers:?}");
    for ((front, words), answer) in house.fronts.iter().zip(words).zip(&answers) {
        ensure!(executed(front, &words)? == 1, "{client} at {}: {answer}", front.kind().name());
    }
    Ok(answers)
}

/// A call that is allowed, and what it is known by.
fn call(front: &Front, door: Door, client: &str) -> (Call, Words) {
    let words = Words::new(front.kind(), client.to_lowercase());
    let Tools { allowed, argument, .. } = front.kind().tools();
    let url = format!("http://{}/mcp", front.address(door));
    (Call { url, tool: allowed.into(), arguments: json!({ argument: words.fill("GOOD") }) }, words)
}
