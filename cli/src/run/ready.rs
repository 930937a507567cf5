//! Waiting until Envoy serves.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use super::envoy::ADMIN;
use crate::failure::Failure;

/// Compiling the filter takes Envoy about a second; on a busy machine several.
const PATIENCE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_millis(50);

/// Where clients can connect to, once they can.
pub(super) fn wait(envoy: &mut Child, folder: &Path) -> Result<SocketAddr, Failure> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = envoy.try_wait().map_err(Failure::because("cannot wait for Envoy"))? {
            return Err(Failure::new(format!("Envoy ended before it served ({status})")));
        }
        if let Some(address) = listening(&folder.join(ADMIN)) {
            return Ok(address);
        }
        sleep(INTERVAL);
    }
    envoy.kill().ok();
    envoy.wait().ok();
    Err(Failure::new(format!("Envoy did not serve within {} s", PATIENCE.as_secs())))
}

/// The listener's address, from the administration page, if Envoy is ready.
fn listening(admin: &Path) -> Option<SocketAddr> {
    let admin: SocketAddr = fs::read_to_string(admin).ok()?.trim().parse().ok()?;
    if !get(admin, "/ready")?.contains("LIVE") {
        return None;
    }
    let listeners = get(admin, "/listeners")?;
    listeners.lines().find_map(|line| line.strip_prefix("mcp::")?.trim().parse().ok())
}

/// The answer to one plain request, head and all.
fn get(admin: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&admin, INTERVAL * 20).ok()?;
    stream.set_read_timeout(Some(INTERVAL * 40)).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}
