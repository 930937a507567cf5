//! Limits against limits.

use std::cmp::Ordering;

use policy::{
    document::model::{Limit, Refund, Rule, Scope, Store},
    quota::Window,
};

use super::{
    mark::{Mark, Order, both},
    rule::Told,
    words,
};

/// Says how the limits of a rule differ.
pub(super) fn compare(old: &Rule, new: &Rule, told: &mut Told) {
    let mut removed: Vec<&Limit> = old.limits.iter().collect();
    for limit in &new.limits {
        let namesake = removed.iter().position(|other| name(other, old) == name(limit, new));
        let Some(index) = namesake else {
            told.say(Mark::Tightened, format!("new limit {}: {}", title(limit, new), words::limit(limit)));
            continue;
        };
        let before = removed.remove(index);
        let (mut now, mut was) = (words::limit(limit), words::limit(before));
        if before.counter != limit.counter {
            now.push_str(&format!(" counted as {}", words::quoted(&limit.counter)));
            was.push_str(&format!(" counted as {}", words::quoted(&before.counter)));
        }
        if now != was {
            told.say(Mark::of(order(before, limit)), format!("limit {}: {now}, was {was}", title(limit, new)));
        } else if before.on_deny != limit.on_deny {
            let told_now = words::quoted(&limit.on_deny);
            told.say(Mark::Changed, format!("limit {}: the agent is told {told_now}", title(limit, new)));
        }
    }
    for gone in removed {
        told.say(Mark::Loosened, format!("no limit {} any more: it was {}", title(gone, old), words::limit(gone)));
    }
}

/// What a limit is reported by, within its rule.
fn name<'l>(limit: &'l Limit, rule: &Rule) -> &'l str {
    limit.pointer.strip_prefix(&*rule.pointer).unwrap_or(&limit.pointer)
}

fn title(limit: &Limit, rule: &Rule) -> String {
    match name(limit, rule) {
        own @ ("/rate_limit" | "/concurrency") => words::quoted(own.trim_start_matches('/')),
        _ => words::quoted(&limit.counter),
    }
}

/// How what a limit lets through compares.
fn order(old: &Limit, new: &Limit) -> Order {
    if old.counter != new.counter
        || old.unit != new.unit
        || old.store != new.store
        || old.store == Store::Global
        || old.increment_from.as_ref().map(|path| &path.steps) != new.increment_from.as_ref().map(|path| &path.steps)
    {
        return None;
    }
    let windows = match (old.window, new.window) {
        (old, new) if old == new => Some(Ordering::Equal),
        // Never more than so many within a longer span is stricter.
        (Window::Sliding(_), Window::Sliding(_)) => Some(old.window.length_ms().cmp(&new.window.length_ms())),
        _ => None,
    };
    let scopes = match (&old.scope, &new.scope) {
        (old, new) if old == new => Some(Ordering::Equal),
        // What everyone shares is used up first.
        (Scope::Global, _) => Some(Ordering::Greater),
        (_, Scope::Global) => Some(Ordering::Less),
        _ => None,
    };
    let lingers = new.linger_ms.cmp(&old.linger_ms).reverse();
    let all = [Some(new.max.cmp(&old.max)), windows, scopes, refunds(&old.refund, &new.refund), Some(lingers)];
    all.into_iter().fold(Some(Ordering::Equal), both)
}

/// What is given back more often lets more through.
fn refunds(old: &Refund, new: &Refund) -> Order {
    let pairs = [
        (old.unsent, new.unsent),
        (old.upstream_5xx, new.upstream_5xx),
        (old.jsonrpc_error, new.jsonrpc_error),
        (old.is_error, new.is_error),
    ];
    pairs.into_iter().map(|(old, new)| Some(new.cmp(&old))).fold(Some(Ordering::Equal), both)
}
