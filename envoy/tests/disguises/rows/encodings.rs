//! Encoded bodies.

use envoy::servers::Kind::{Python1, TypeScript1};

use super::{CALL, Row, row};
use crate::{
    encode::{brotli, deflate, gzip},
    request::Request,
};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![];
    for (coding, encode) in
        [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("GZip", gzip), ("deflate", deflate), ("br", brotli), ("BR", brotli)]
    {
        rows.push(row("Content-Encoding", coding, TypeScript1, move |words| {
            Request::post(encode(words.fill(CALL).as_bytes())).with("Content-Encoding", coding)
        }));
    }
    for coding in ["gzip", "br", "zstd", "compress", "aes128gcm", "identity, gzip", ""] {
        rows.push(row("Content-Encoding that is not so", coding, Python1, move |words| {
            Request::post(words.fill(CALL)).with("Content-Encoding", coding)
        }));
    }
    rows.push(row("Content-Encoding that is not so", "twice", Python1, |words| {
        Request::post(words.fill(CALL)).with("Content-Encoding", "identity").with("Content-Encoding", "gzip")
    }));
    rows
}
