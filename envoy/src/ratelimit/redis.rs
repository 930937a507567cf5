//! A Redis of the system, if there is one, and Limitador's way of counting in it.

use std::{io, net::SocketAddr, process::Command, time::Duration};

use limitador::{CheckResult, counter::Counter};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::TcpStream,
};

use crate::{
    Error, Result,
    real::{RealServer, folder},
};

/// A `redis-server` on a free port of 127.0.0.1, which keeps nothing when it ends.
#[derive(Debug)]
pub struct Redis(RealServer);

impl Redis {
    /// `None` where the system has no `redis-server`; says so on stderr, for whoever wonders which tests were run.
    ///
    /// # Errors
    /// If it is there, but does not come up.
    pub async fn start() -> Result<Option<Self>> {
        let folder = folder()?;
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"]);
        match RealServer::start("redis-server", command, folder).await {
            Ok(server) => Ok(Some(Self(server))),
            Err(Error::Start { .. }) => {
                eprintln!("SKIPPED: there is no `redis-server` (Debian and Ubuntu: apt-get install redis-server)");
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Where it serves.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }
}

/// Looks at all counters, and adds to all of them if none would go beyond its limit. Looking and adding are two steps, as
/// in Limitador: what is admitted between them is not seen.
pub(super) async fn check_and_add(redis: SocketAddr, mut counters: Vec<Counter>, hits: u64) -> io::Result<CheckResult> {
    let mut connection = BufStream::new(TcpStream::connect(redis).await?);
    let mut limited = false;
    for counter in &mut counters {
        let key = key(counter);
        let held = command(&mut connection, &["GET", &key]).await?.unwrap_or(0);
        let left_ms = command(&mut connection, &["PTTL", &key]).await?;
        let remaining = counter.max_value().checked_sub(u64::try_from(held).unwrap_or(0) + hits);
        limited |= remaining.is_none();
        counter.set_remaining(remaining.unwrap_or_default());
        let left = left_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        counter.set_expires_in(left.unwrap_or(counter.window()));
    }
    if !limited {
        // The window begins with what is counted first.
        let script = "local n = redis.call('incrby', KEYS[1], ARGV[1]) \
                      if n == tonumber(ARGV[1]) then redis.call('expire', KEYS[1], ARGV[2]) end return n";
        for counter in &counters {
            let (hits, seconds) = (hits.to_string(), counter.window().as_secs().to_string());
            command(&mut connection, &["EVAL", script, "1", &key(counter), &hits, &seconds]).await?;
        }
    }
    Ok(CheckResult { limited, counters, limit_name: None })
}

/// One for each limit and value, whatever `max` the limit has.
fn key(counter: &Counter) -> String {
    let limit = counter.limit();
    let mut conditions: Vec<String> = limit.conditions().into_iter().collect();
    conditions.sort();
    format!("{} {} {conditions:?} {:?}", limit.namespace().as_ref(), limit.seconds(), counter.set_variables())
}

/// Sends one command, whose answer is a whole number, as such or as a text, or nothing.
async fn command(connection: &mut BufStream<TcpStream>, words: &[&str]) -> io::Result<Option<i64>> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    connection.write_all(request.as_bytes()).await?;
    connection.flush().await?;
    let line = line(connection).await?;
    let broken = || io::Error::other(format!("Redis answered {line}"));
    match line.split_at_checked(1) {
        Some((":", number)) => number.parse().map(Some).map_err(|_| broken()),
        Some(("$", "-1")) => Ok(None),
        Some(("$", _)) => self::line(connection).await?.parse().map(Some).map_err(|_| broken()),
        _ => Err(broken()),
    }
}

async fn line(connection: &mut BufStream<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    connection.read_line(&mut line).await?;
    Ok(line.trim_end().to_owned())
}
