//! A wire between Envoy and a server that remembers which requests went to the server.

use std::{
    collections::HashSet,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinHandle,
};

use crate::{Error, Result};

/// The values of one header.
type Values = Arc<Mutex<HashSet<Vec<u8>>>>;

/// A running tap; it stops when dropped.
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    values: Values,
    task: JoinHandle<()>,
}

impl Tap {
    /// Puts a tap before `server` that looks out for `header`, a name in lower case as Envoy writes them.
    ///
    /// # Errors
    /// [`Error::Listen`] if there is no free port.
    pub async fn before(server: SocketAddr, header: &str) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let values = Values::default();
        let lookout = Lookout { prefix: format!("{header}: ").into(), values: Arc::clone(&values), line: vec![] };
        let task = tokio::spawn(accept(listener, server, lookout));
        Ok(Self { address, values, task })
    }

    /// Where it accepts connections.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether a request whose header has this value went to the server.
    #[must_use]
    pub fn passed(&self, value: &str) -> bool {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).contains(value.as_bytes())
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, lookout: Lookout) {
    // A connection that cannot be made or breaks is its client's to notice.
    while let Ok((client, _)) = listener.accept().await {
        let lookout = lookout.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else { return };
            let (from_client, mut to_client) = client.into_split();
            let (mut from_server, to_server) = server.into_split();
            let back = tokio::spawn(async move {
                copy(&mut from_server, &mut to_client).await.ok();
                to_client.shutdown().await.ok();
            });
            forward(from_client, to_server, lookout).await;
            back.await.ok();
        });
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut lookout: Lookout) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        let bytes = buffer.get(..count).unwrap_or_default();
        lookout.see(bytes);
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
    to.shutdown().await.ok();
}

/// Looks for the header in what goes by on one connection.
#[derive(Debug, Clone)]
struct Lookout {
    prefix: Vec<u8>,
    values: Values,
    /// The line that has not ended yet, up to a length that no line of interest has.
    line: Vec<u8>,
}

impl Lookout {
    const LINE: usize = 256;

    fn see(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let room = Self::LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(part.get(..room).unwrap_or(part));
            if part.ends_with(b"\n") {
                if let Some(value) = self.line.strip_prefix(&*self.prefix) {
                    let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
                    values.insert(value.trim_ascii().to_vec());
                }
                self.line.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_seen_however_it_is_cut() {
        let text = format!("POST / HTTP/1.1\r\nx-long: {}\r\nx-row: 7\r\n\r\nx-row: no", "y".repeat(1000));
        for size in [1, 7, 300, 5000] {
            let mut lookout = Lookout { prefix: b"x-row: ".to_vec(), values: Values::default(), line: vec![] };
            text.as_bytes().chunks(size).for_each(|bytes| lookout.see(bytes));
            assert_eq!(*lookout.values.lock().unwrap(), HashSet::from([b"7".to_vec()]), "{size}");
        }
    }
}
