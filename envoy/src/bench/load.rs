//! The load: connections that are never idle, and the server behind Envoy that is never slow.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{sched_getaffinity, sched_setaffinity};

use crate::{Error, Result};

/// An answer that takes longer than this is an error.
const PATIENCE: Duration = Duration::from_secs(10);

/// Keeps this thread, and all that it starts from now on, off one core.
pub(super) fn keep_off(core: Option<usize>) {
    if let (Some(core), Ok(mut cores)) = (core, sched_getaffinity(None)) {
        cores.unset(core);
        // Without it the measurement is noisier, not wrong.
        sched_setaffinity(None, &cores).ok();
    }
}

/// A server that answers everything at once with the same bytes.
pub(super) struct Responder {
    address: SocketAddr,
}

impl Responder {
    /// Starts on a free port of 127.0.0.1, for as long as the process lives.
    pub(super) fn start(answer: Vec<u8>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(Error::Listen)?;
        let address = listener.local_addr().map_err(Error::Listen)?;
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let answer = answer.clone();
                thread::spawn(move || {
                    let mut buffer = Vec::new();
                    while read_message(&mut stream, &mut buffer).is_some() {
                        if stream.write_all(&answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { address })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Open connections, each with the same request to send over and over.
pub(super) struct Load {
    address: SocketAddr,
    connections: Vec<Mutex<TcpStream>>,
    request: Arc<[u8]>,
    expected: &'static str,
}

impl Load {
    pub(super) fn connect(
        address: SocketAddr,
        body: &[u8],
        connections: usize,
        expected: &'static str,
    ) -> Result<Self> {
        let head = format!(
            "POST /mcp HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
             accept: application/json, text/event-stream\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(Self {
            address,
            connections: (0..connections).map(|_| open(address).map(Mutex::new)).collect::<Result<_>>()?,
            request: [head.as_bytes(), body].concat().into(),
            expected,
        })
    }

    /// Keeps all connections busy until `end`; how many requests were answered.
    pub(super) fn run(&self, end: Instant) -> Result<u64> {
        thread::scope(|scope| {
            let tasks: Vec<_> = self.connections.iter().map(|stream| scope.spawn(|| self.drive(stream, end))).collect();
            tasks.into_iter().try_fold(0, |sum, task| match task.join() {
                Ok(requests) => Ok(sum + requests?),
                Err(_) => Err(unexpected("a load thread panicked")),
            })
        })
    }

    fn drive(&self, stream: &Mutex<TcpStream>, end: Instant) -> Result<u64> {
        let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = Vec::new();
        let mut requests = 0;
        while Instant::now() < end {
            stream.write_all(&self.request).map_err(|error| unexpected(&error.to_string()))?;
            let answer = read_message(&mut stream, &mut buffer).ok_or_else(|| unexpected("the connection ended"))?;
            if !answer.contains(self.expected) {
                return Err(unexpected(&answer));
            }
            // Envoy's own filters refuse while the end of the request is still to come, and so cost the client
            // its connection.
            if answer.contains("connection: close") {
                *stream = open(self.address)?;
            }
            requests += 1;
        }
        Ok(requests)
    }
}

fn open(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).map_err(Error::Connect)?;
    stream.set_nodelay(true).map_err(Error::Connect)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(Error::Connect)?;
    Ok(stream)
}

fn unexpected(answer: &str) -> Error {
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
