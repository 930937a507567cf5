//! The load: connections that are never idle.

use std::{
    net::SocketAddr,
    sync::{Mutex, PoisonError},
    thread,
    time::Instant,
};

use rustix::thread::{sched_getaffinity, sched_setaffinity};

use super::agent_header;
use crate::{
    Result,
    raw::{Connection, post, unexpected},
};

/// Keeps this thread, and all that it starts from now on, off one core.
pub(super) fn keep_off(core: Option<usize>) {
    if let (Some(core), Ok(mut cores)) = (core, sched_getaffinity(None)) {
        cores.unset(core);
        // Without it the measurement is noisier, not wrong.
        sched_setaffinity(None, &cores).ok();
    }
}

/// Open connections, each with requests to send in turns.
pub(super) struct Load {
    connections: Vec<(Mutex<Connection>, Vec<Vec<u8>>)>,
    expected: &'static str,
}

impl Load {
    pub(super) fn connect(
        address: SocketAddr,
        body: &[u8],
        connections: usize,
        expected: &'static str,
    ) -> Result<Self> {
        Self::of_agents(address, body, connections, 1, expected)
    }

    /// Spreads so many agents over the connections.
    pub(super) fn of_agents(
        address: SocketAddr,
        body: &[u8],
        connections: usize,
        agents: usize,
        expected: &'static str,
    ) -> Result<Self> {
        let connection = |nth: usize| {
            // Several connections have the same agent, or one has several.
            let mine = (nth..agents.max(nth + 1)).step_by(connections).map(|agent| agent % agents.max(1));
            let requests = mine.map(|agent| post(&agent_header(agent), body)).collect();
            Ok((Mutex::new(Connection::open(address)?), requests))
        };
        Ok(Self { connections: (0..connections).map(connection).collect::<Result<_>>()?, expected })
    }

    /// Keeps all connections busy until `end`; how many requests were answered.
    pub(super) fn run(&self, end: Instant) -> Result<u64> {
        thread::scope(|scope| {
            let connections = self.connections.iter();
            let tasks: Vec<_> = connections
                .map(|(connection, requests)| scope.spawn(|| self.drive(connection, requests, end)))
                .collect();
            tasks.into_iter().try_fold(0, |sum, task| match task.join() {
                Ok(requests) => Ok(sum + requests?),
                Err(_) => Err(unexpected("a load thread panicked")),
            })
        })
    }

    fn drive(&self, connection: &Mutex<Connection>, requests: &[Vec<u8>], end: Instant) -> Result<u64> {
        let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answered = 0;
        for request in requests.iter().cycle() {
            if Instant::now() >= end {
                break;
            }
            let answer = connection.ask(request)?;
            if !answer.contains(self.expected) {
                return Err(unexpected(&answer));
            }
            answered += 1;
        }
        Ok(answered)
    }
}
