//! What servers offer, and which part of a configuration it is held against.

use std::{cell::Cell, path::PathBuf};

use clap::{ArgGroup, Args};
use policy::config::Config;

use crate::{
    failure::Failure,
    pin::{self, Pinned},
    tools::{Listing, Server, Tool},
};

/// Where the lists come from, and what they are for.
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("lists").multiple(true).args(["tools", "server", "stdio"]))]
pub(crate) struct Lists {
    /// A saved answer to `tools/list` to hold names and arguments against; give it once for each server
    #[arg(long, value_name = "TOOLS")]
    tools: Vec<PathBuf>,
    #[command(flatten)]
    server: Server,
    /// The lock of that server: it is compared, and only policies of routes that name it are held against the tools
    #[arg(long, value_name = "NAME", requires = "lists", conflicts_with = "route")]
    lock: Option<String>,
    /// Envoy's name of the route to that server: its lock is compared, and only its policies are held against the tools
    #[arg(long, value_name = "NAME", requires = "lists")]
    route: Option<String>,
}

/// What servers offer.
#[derive(Debug, Default)]
pub(super) struct Offered {
    /// The tools of all lists.
    pub(super) tools: Vec<Tool>,
    /// The digests of the definitions of the one server whose lock is looked at.
    pub(super) pinned: Option<Result<Pinned, Failure>>,
    chosen: Option<Chosen>,
    /// Whether some configuration has what is chosen.
    met: Cell<bool>,
}

/// Which routes lead to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Chosen {
    Lock(String),
    Route(String),
}

/// What of one configuration the lists are for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// The policies, by their places in the configuration.
    pub(super) policies: Vec<usize>,
    /// The locks to compare.
    pub(super) locks: Vec<usize>,
    /// There are locks, and nothing says which of them is the server's.
    pub(super) is_open: bool,
}

impl Lists {
    /// Reads the lists, and asks the server. None if there are none.
    ///
    /// # Errors
    /// If there is no list somewhere.
    pub(super) fn read(&self) -> Result<Option<Offered>, Failure> {
        let saved = self.tools.iter().map(|file| Listing::read(file)).collect::<Result<Vec<_>, _>>()?;
        let live = self.server.ask()?;
        let lock = self.lock.clone().map(Chosen::Lock);
        let chosen = lock.or_else(|| self.route.clone().map(Chosen::Route));
        let its = match (&live, &chosen, saved.as_slice()) {
            (Some(live), ..) => Some(live),
            (None, Some(_), [only]) => Some(only),
            (None, Some(_), _) => {
                return Err(Failure::new("`--lock` and `--route` are of one server, so they want one list of tools"));
            }
            (None, None, _) => None,
        };
        let pinned = its.map(pin::digests);
        let mut tools = Vec::new();
        for listing in saved.iter().chain(&live) {
            tools.extend(listing.tools()?);
        }
        let any = live.is_some() || !saved.is_empty();
        Ok(any.then(|| Offered { tools, pinned, chosen, met: Cell::new(false) }))
    }
}

impl Offered {
    /// Tools that nobody has chosen a lock or route for.
    #[cfg(test)]
    pub(super) fn of(tools: &str) -> Self {
        Self { tools: serde_json::from_str(tools).unwrap(), ..Self::default() }
    }

    /// What of a configuration the lists are for.
    pub(super) fn part(&self, config: &Config) -> Part {
        let policies = |chosen: &dyn Fn(usize) -> bool| (0..config.policies.len()).filter(|at| chosen(*at)).collect();
        let Some(chosen) = &self.chosen else {
            // That a lock is the server's goes without saying only where there is no other server.
            let sole = config.locks.len() == 1 && config.routes.iter().all(|route| route.lock == Some(0));
            let live = self.pinned.is_some();
            return Part {
                policies: policies(&|_| true),
                locks: if live && sole { vec![0] } else { vec![] },
                is_open: live && !sole && !config.locks.is_empty(),
            };
        };
        let routes: Vec<_> = config
            .routes
            .iter()
            .filter(|route| match chosen {
                Chosen::Lock(name) => {
                    route.lock.is_some_and(|at| config.locks.get(at).is_some_and(|(n, _)| **n == **name))
                }
                Chosen::Route(name) => route.route.as_deref() == Some(name),
            })
            .collect();
        self.met.set(self.met.get() || !routes.is_empty());
        Part {
            policies: policies(&|at| routes.iter().any(|route| route.policies.contains(&at))),
            locks: (0..config.locks.len()).filter(|at| routes.iter().any(|route| route.lock == Some(*at))).collect(),
            is_open: false,
        }
    }

    /// What is chosen, and that no configuration has had it.
    pub(super) fn unmet(&self) -> Option<String> {
        let chosen = self.chosen.as_ref().filter(|_| !self.met.get())?;
        Some(match chosen {
            Chosen::Lock(name) => format!("no configuration has a lock `{name}`"),
            Chosen::Route(name) => format!("no configuration has a route with `\"route\": \"{name}\"`"),
        })
    }
}
