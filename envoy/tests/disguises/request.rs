//! A request as its bytes: what no HTTP client would send must be expressible.

use crate::words::Words;

/// One request, or two on one connection.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The body comes with its own framing, in headers and bytes.
    framed: bool,
    next: Option<Box<Request>>,
}

impl Request {
    /// A POST as clients send it.
    pub(crate) fn post(body: impl Into<Vec<u8>>) -> Self {
        Self {
            line: "POST /mcp HTTP/1.1".into(),
            headers: vec![
                ("Accept".into(), "application/json, text/event-stream".into()),
                ("Content-Type".into(), "application/json".into()),
            ],
            body: body.into(),
            framed: false,
            next: None,
        }
    }

    /// A call of revision 2026-07-28: it says of itself what older ones said in `initialize`, and again in headers.
    pub(crate) fn modern(words: &Words, call: &str, name: &str) -> Self {
        const META: &str = r#""params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}},"#;
        Self::post(words.fill(&call.replacen(r#""params":{"#, META, 1)))
            .with("MCP-Protocol-Version", "2026-07-28")
            .with("Mcp-Method", "tools/call")
            .with("Mcp-Name", &words.fill(name))
    }

    /// With another first line.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.line = line.into();
        self
    }

    /// To another place.
    pub(crate) fn to(self, target: &str) -> Self {
        self.line(&format!("POST {target} HTTP/1.1"))
    }

    /// With one more header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Without the headers of this name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(header, _)| !header.eq_ignore_ascii_case(name));
        self
    }

    /// With this header instead of those of its name.
    pub(crate) fn set(self, name: &str, value: &str) -> Self {
        self.without(name).with(name, value)
    }

    /// With no `Content-Length`: the body is sent as it is.
    pub(crate) fn framed(mut self) -> Self {
        self.framed = true;
        self
    }

    /// In chunks of these sizes, the last one taking the rest; then these trailers, each ended by CRLF.
    pub(crate) fn chunked(mut self, sizes: &[usize], trailers: &str) -> Self {
        let mut rest = &*self.body;
        let mut out = vec![];
        for size in sizes.iter().copied().chain([usize::MAX]) {
            let (chunk, after) = rest.split_at(size.min(rest.len()));
            if !chunk.is_empty() {
                out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                out.extend_from_slice(chunk);
                out.extend_from_slice(b"\r\n");
            }
            rest = after;
        }
        out.extend_from_slice(format!("0\r\n{trailers}\r\n").as_bytes());
        self.body = out;
        self.with("Transfer-Encoding", "chunked").framed()
    }

    /// With another request behind it on the same connection.
    pub(crate) fn then(mut self, next: Self) -> Self {
        self.next = Some(Box::new(next));
        self
    }

    /// How many answers there should be.
    pub(crate) fn count(&self) -> usize {
        1 + self.next.as_ref().map_or(0, |next| next.count())
    }

    /// The bytes. `tag` is in a header of its own, so that they are known on the other side.
    pub(crate) fn bytes(&self, host: &str, tag: &str, session: Option<&str>) -> Vec<u8> {
        let mut head = format!("{}\r\nHost: {host}\r\n{ROW}: {tag}\r\n", self.line);
        let mut header = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        if self.next.is_none() {
            header("Connection", "close");
        }
        if let Some(session) = session {
            header("Mcp-Session-Id", session);
        }
        self.headers.iter().for_each(|(name, value)| header(name, value));
        if !self.framed {
            header("Content-Length", &self.body.len().to_string());
        }
        let mut bytes = [head.as_bytes(), b"\r\n", &self.body].concat();
        if let Some(next) = &self.next {
            bytes.extend(next.bytes(host, tag, session));
        }
        bytes
    }
}

/// The header that holds the tag. Envoy writes names in lower case.
pub(crate) const ROW: &str = "x-row";
