//! Who calls, when and where, as the command line says it.

use std::{borrow::Cow, collections::BTreeMap, time::SystemTime};

use clap::Args;
use policy::decision::{Facts, Header};
use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{failure::Failure, place::Place};

/// Who calls, when and where.
#[derive(Debug, Default, Args)]
#[group(id = "caller")]
pub(super) struct Options {
    /// The value of the grant that the call is made under [default: none, which is the anonymous one]
    #[arg(long, value_name = "VALUE")]
    grant: Option<String>,
    /// A claim of the caller's verified token; the value is JSON, or else a text
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<String>,
    /// A request header; repeated, it is there several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The time of the call, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// The name of the route that Envoy chooses
    #[arg(long, value_name = "NAME")]
    route: Option<String>,
    /// The name of the cluster that Envoy chooses
    #[arg(long, value_name = "NAME")]
    cluster: Option<String>,
    /// The request's host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// The request's path
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
}

/// Who calls, when and where.
#[derive(Debug, Default)]
pub(super) struct Caller {
    pub(super) grant: Option<String>,
    claims: Map<String, Value>,
    claims_as_json: BTreeMap<String, Vec<u8>>,
    headers: BTreeMap<String, Vec<String>>,
    unix_seconds: u64,
    route: Option<String>,
    cluster: Option<String>,
    host: Option<String>,
    path: Option<String>,
}

impl Caller {
    /// Reads the options.
    ///
    /// # Errors
    /// If one is not what it should be.
    pub(super) fn of(options: &Options) -> Result<Self, Failure> {
        let mut claims = Map::new();
        for claim in &options.claims {
            let (name, value) =
                claim.split_once('=').ok_or_else(|| Failure::new(format!("`--claim {claim}` is not NAME=VALUE")))?;
            claims.insert(name.to_owned(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
        }
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in &options.headers {
            // What cannot be read may be a credential: it is not repeated.
            let (name, value) =
                header.split_once(':').ok_or_else(|| Failure::new("a `--header` is not `NAME: VALUE`"))?;
            headers.entry(name.trim().to_ascii_lowercase()).or_default().push(value.trim().to_owned());
        }
        let time = match &options.time {
            Some(text) => OffsetDateTime::parse(text, &Rfc3339)
                .map_err(|_| Failure::new(format!("`{text}` is not a time such as `2026-01-01T12:00:00Z`")))?,
            None => SystemTime::now().into(),
        };
        let Options { grant, route, cluster, host, path, .. } = options;
        Ok(Self {
            grant: grant.clone(),
            claims_as_json: claims.iter().map(|(name, value)| (name.clone(), value.to_string().into_bytes())).collect(),
            claims,
            headers,
            unix_seconds: u64::try_from(time.unix_timestamp()).map_err(|_| Failure::new("the time is before 1970"))?,
            route: route.clone(),
            cluster: cluster.clone(),
            host: host.clone(),
            path: path.clone(),
        })
    }

    /// Where the request goes. None if the command line does not say.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        let Self { route, cluster, host, path, claims, .. } = self;
        let unsaid = [route, cluster, host, path].into_iter().all(Option::is_none);
        (!unsaid).then(|| Place::new(said(host), said(path), said(route), said(cluster), claims))
    }
}

fn said(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or_default()
}

impl Facts for Caller {
    fn grant(&self) -> Option<&str> {
        self.grant.as_deref()
    }

    fn claim(&self, name: &str) -> Option<&[u8]> {
        self.claims_as_json.get(name).map(Vec::as_slice)
    }

    fn header(&self, name: &str) -> Header<'_> {
        match self.headers.get(name).map(Vec::as_slice) {
            None | Some([]) => Header::Absent,
            Some([value]) => Header::Once(Cow::Borrowed(value)),
            Some(_) => Header::Unclear,
        }
    }

    fn unix_seconds(&self) -> u64 {
        self.unix_seconds
    }
}
