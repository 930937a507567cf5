//! HTTP/1.1 over sockets and threads, with as little around it as there can be: for load, and for calls that have to meet.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use crate::{Error, Result};

/// An answer that takes longer than this is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// The bytes of a POST to `/mcp` with these lines among its headers, each with its line end.
#[must_use]
pub fn post(headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A connection that is kept open.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    /// Only reused memory.
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// If nobody listens there.
    pub fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { address, stream: connect(address)?, buffer: Vec::new() })
    }

    /// Sends a request and waits for the answer; the first 2 KiB of it.
    ///
    /// # Errors
    /// If the connection ends first, or the answer takes longer than ten seconds.
    pub fn ask(&mut self, request: &[u8]) -> Result<String> {
        self.stream.write_all(request).map_err(|error| unexpected(&error.to_string()))?;
        let ended = || unexpected("the connection ended");
        let answer = read_message(&mut self.stream, &mut self.buffer).ok_or_else(ended)?;
        // Envoy's own filters refuse while the end of the request is still to come, and so cost the client its
        // connection.
        if answer.contains("connection: close") {
            self.stream = connect(self.address)?;
        }
        Ok(answer)
    }
}

/// A server that answers everything at once with the same bytes.
#[derive(Debug)]
pub struct Responder {
    address: SocketAddr,
    answered: Arc<AtomicUsize>,
}

impl Responder {
    /// Starts on a free port of 127.0.0.1, for as long as the process lives.
    ///
    /// # Errors
    /// If no port is free.
    pub fn start(answer: Vec<u8>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        let answered = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&answered);
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let (answer, count) = (answer.clone(), Arc::clone(&count));
                thread::spawn(move || {
                    let mut buffer = Vec::new();
                    while read_message(&mut stream, &mut buffer).is_some() {
                        count.fetch_add(1, Relaxed);
                        if stream.write_all(&answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { address, answered })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many requests came whole.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.answered.load(Relaxed)
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).map_err(Error::Connect)?;
    stream.set_nodelay(true).map_err(Error::Connect)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(Error::Connect)?;
    Ok(stream)
}

pub(crate) fn unexpected(answer: &str) -> Error {
    Error::Unexpected { from: "Envoy", answer: answer.to_owned() }
}

/// Reads one message with a content-length and returns it; `buffer` is only reused memory.
fn read_message(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    buffer.clear();
    let mut chunk = [0; 65_536];
    loop {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        buffer.extend_from_slice(chunk.get(..read)?);
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
            continue;
        };
        let length = String::from_utf8_lossy(buffer.get(..head)?)
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok())
            .unwrap_or(0);
        if buffer.len() >= head + 4 + length {
            // A megabyte of text would cost the load generator more than Envoy; the head of it tells enough.
            return Some(String::from_utf8_lossy(buffer.get(..buffer.len().min(2048))?).into_owned());
        }
    }
}
