//! What one Envoy is told, as the JSON form of its bootstrap.

use std::{net::SocketAddr, path::Path};

use serde_json::{Map, Value, json};

use crate::filters::{self, POLICY_FILTER, PolicyFilter};

/// The name of the cluster that [`Config::new`] sends everything to.
pub const UPSTREAM: &str = "upstream";

/// One Envoy: a listener on a free port of 127.0.0.1, its filters, its routes and what stands behind them.
#[derive(Debug, Clone)]
pub struct Config {
    /// The listener's port; 0 takes a free one.
    pub port: u16,
    /// `--concurrency`: how many threads serve, each with its own copy of the filter.
    pub workers: u32,
    /// Complete entries of `http_filters`, in front of the policy.
    pub filters_in_front: Vec<Value>,
    /// The policy filter, if any.
    pub policy: Option<PolicyFilter>,
    /// Whether the policy filter is delivered through a watched file (ECDS), as Istio and gateways deliver it,
    /// so that [`crate::Envoy::update`] can change it while requests run.
    pub live: bool,
    /// Routes, in the order in which they are tried.
    pub routes: Vec<Route>,
    /// What stands behind Envoy.
    pub clusters: Vec<Cluster>,
    /// `transport_socket` of the listener, for example from [`crate::tls`]; none is plain TCP.
    pub transport_socket: Option<Value>,
    /// `per_connection_buffer_limit_bytes` of listener and clusters; Envoy's own default is 1 MiB.
    pub buffer_limit: Option<u32>,
    /// Whether Envoy rewrites paths to one spelling before it routes, as shipped configurations say.
    pub normal_paths: bool,
    /// Access logs of the connection manager, complete entries of `access_log`. They are flushed at once.
    pub access_logs: Vec<Value>,
    /// `--component-log-level`.
    pub log: Option<&'static str>,
    /// Runs Envoy on this core alone.
    pub core: Option<usize>,
    /// Runs Envoy under valgrind, so that [`crate::Envoy::instructions`] can count. It is many times as slow then.
    pub callgrind: bool,
}

/// One route of the only virtual host.
#[derive(Debug, Clone)]
pub struct Route {
    /// Its name, which the policy can match on.
    pub name: String,
    /// Paths that begin so.
    pub prefix: String,
    /// Where they go.
    pub cluster: String,
    /// Further fields of the route action, for example a retry policy.
    pub action: Map<String, Value>,
}

/// One server behind Envoy.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: SocketAddr,
    /// HTTP/2 without TLS, as gRPC services need.
    pub http2: bool,
    /// `transport_socket`, for example from [`crate::tls`]; none is plain TCP.
    pub transport_socket: Option<Value>,
}

impl Route {
    /// Sends paths that begin with `prefix` to `cluster`.
    #[must_use]
    pub fn new(name: &str, prefix: &str, cluster: &str) -> Self {
        Self { name: name.into(), prefix: prefix.into(), cluster: cluster.into(), action: Map::new() }
    }

    /// With one more field of the route action.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.action.insert(field.into(), value);
        self
    }
}

impl Cluster {
    /// Plain HTTP/1.1.
    #[must_use]
    pub fn new(name: &str, address: SocketAddr) -> Self {
        Self { name: name.into(), address, http2: false, transport_socket: None }
    }

    /// Through TLS, as [`crate::tls::upstream`] says.
    #[must_use]
    pub fn tls(mut self, transport_socket: Value) -> Self {
        self.transport_socket = Some(transport_socket);
        self
    }
}

impl Config {
    /// Two workers that send every path to `upstream`, without any policy.
    #[must_use]
    pub fn new(upstream: SocketAddr) -> Self {
        Self {
            port: 0,
            workers: 2,
            filters_in_front: Vec::new(),
            policy: None,
            live: false,
            routes: Vec::new(),
            clusters: vec![Cluster::new(UPSTREAM, upstream)],
            transport_socket: None,
            buffer_limit: None,
            normal_paths: true,
            access_logs: Vec::new(),
            log: None,
            core: None,
            callgrind: false,
        }
    }

    /// With the policy filter.
    #[must_use]
    pub fn policy(mut self, filter: PolicyFilter) -> Self {
        self.policy = Some(filter);
        self
    }

    /// With the policy filter in a watched file.
    #[must_use]
    pub fn live_policy(mut self, filter: PolicyFilter) -> Self {
        self.policy = Some(filter);
        self.live = true;
        self
    }

    /// With one more filter in front of the policy.
    #[must_use]
    pub fn in_front(mut self, filter: Value) -> Self {
        self.filters_in_front.push(filter);
        self
    }

    /// On this port.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// With this many workers.
    #[must_use]
    pub fn workers(mut self, workers: u32) -> Self {
        self.workers = workers;
        self
    }

    /// With one more route, tried before the one that takes everything.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    /// With one more server behind Envoy.
    #[must_use]
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.push(cluster);
        self
    }

    /// With paths left as clients spell them.
    #[must_use]
    pub fn raw_paths(mut self) -> Self {
        self.normal_paths = false;
        self
    }

    /// With TLS towards clients, as [`crate::tls::downstream`] says.
    #[must_use]
    pub fn tls(mut self, transport_socket: Value) -> Self {
        self.transport_socket = Some(transport_socket);
        self
    }

    /// The bootstrap. `extension` is the file that a live policy is read from.
    #[must_use]
    pub fn bootstrap(&self, extension: &Path) -> Value {
        json!({
            "node": { "id": "test", "cluster": "test" },
            "admin": { "address": socket_address(SocketAddr::from(([127, 0, 0, 1], 0))) },
            "static_resources": {
                "listeners": [self.listener(extension)],
                "clusters": self.clusters.iter().map(|cluster| self.cluster_json(cluster)).collect::<Vec<_>>(),
            },
        })
    }

    /// The file that a live policy is read from.
    #[must_use]
    pub fn extension(filter: &PolicyFilter, version: u64) -> Value {
        json!({
            "version_info": version.to_string(),
            "resources": [{
                "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
                "name": POLICY_FILTER,
                "typed_config": filter.typed_config(),
            }],
        })
    }

    fn listener(&self, extension: &Path) -> Value {
        let mut listener = json!({
            "name": "mcp",
            "address": socket_address(SocketAddr::from(([127, 0, 0, 1], self.port))),
            "filter_chains": [{ "filters": [{
                "name": "envoy.filters.network.http_connection_manager",
                "typed_config": self.connection_manager(extension),
            }] }],
        });
        if let Some(socket) = &self.transport_socket {
            listener["filter_chains"][0]["transport_socket"] = socket.clone();
        }
        if let Some(bytes) = self.buffer_limit {
            listener["per_connection_buffer_limit_bytes"] = json!(bytes);
        }
        listener
    }

    fn connection_manager(&self, extension: &Path) -> Value {
        let mut http_filters = self.filters_in_front.clone();
        if let Some(filter) = &self.policy {
            http_filters.push(if self.live {
                json!({ "name": POLICY_FILTER, "config_discovery": {
                    "config_source": {
                        "resource_api_version": "V3",
                        "path_config_source": { "path": extension },
                    },
                    "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
                } })
            } else {
                json!({ "name": POLICY_FILTER, "typed_config": filter.typed_config() })
            });
        }
        http_filters.push(filters::router());
        let everything = Route::new("everything", "/", UPSTREAM);
        let routes: Vec<Value> = self.routes.iter().chain([&everything]).map(route_json).collect();
        json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "mcp",
            "normalize_path": self.normal_paths,
            "merge_slashes": self.normal_paths,
            "path_with_escaped_slashes_action": if self.normal_paths { "REJECT_REQUEST" } else { "KEEP_UNCHANGED" },
            "stream_idle_timeout": "0s",
            "access_log": self.access_logs,
            "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] },
            "http_filters": http_filters,
        })
    }

    fn cluster_json(&self, cluster: &Cluster) -> Value {
        let mut json = json!({
            "name": cluster.name,
            "type": "STATIC",
            "connect_timeout": "2s",
            "load_assignment": {
                "cluster_name": cluster.name,
                "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": socket_address(cluster.address) } }] }],
            },
        });
        if let Some(socket) = &cluster.transport_socket {
            json["transport_socket"] = socket.clone();
        }
        if let Some(bytes) = self.buffer_limit {
            json["per_connection_buffer_limit_bytes"] = json!(bytes);
        }
        if cluster.http2 {
            json["typed_extension_protocol_options"] = json!({
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                    "explicit_http_config": { "http2_protocol_options": {} },
                },
            });
        }
        json
    }
}

fn route_json(route: &Route) -> Value {
    let mut action = route.action.clone();
    action.insert("cluster".into(), json!(route.cluster));
    // An event stream lasts for as long as the session does.
    action.insert("timeout".into(), json!("0s"));
    json!({ "name": route.name, "match": { "prefix": route.prefix }, "route": action })
}

fn socket_address(address: SocketAddr) -> Value {
    json!({ "socket_address": { "address": address.ip().to_string(), "port_value": address.port() } })
}
