//! Asking a server over Streamable HTTP, or over HTTP+SSE where it speaks only that.

use std::{collections::HashMap, error::Error};

use reqwest::{
    Client, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
    redirect,
};
use rmcp::{
    ServiceExt,
    model::ProtocolVersion,
    service::{ClientInitializeError, ClientLifecycleMode, ClientServiceExt},
    transport::{
        StreamableHttpClientTransport,
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
    },
};

use super::{
    record::Record,
    session::{self, Pages, Refused},
    sse::{self, Events},
    streamable::Recording,
};
use crate::failure::Failure;

/// What the server at a URL answers to `tools/list`.
pub(super) async fn pages(url: &str, headers: &[String]) -> Result<Pages, Failure> {
    let parsed = Url::parse(url).map_err(Failure::because(format!("`{url}` is no URL")))?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err(Failure::new(format!("`{url}` is no URL of the web: it starts with http:// or https://")));
    }
    let headers = headers.iter().map(|header| named(header)).collect::<Result<HashMap<_, _>, _>>()?;
    // Another part of this program may have chosen already: then that one serves.
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::builder().redirect(within_origin()).build().map_err(Failure::because("cannot start"))?;
    let record = Record::default();
    let transport = || {
        let config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(headers.clone());
        let recording = Recording { client: client.clone(), record: record.clone() };
        StreamableHttpClientTransport::with_client(recording, config)
    };
    let started = match session::client().serve(transport()).await {
        Err(ClientInitializeError::JsonRpcError(error)) => {
            // A server of 2026-07-28 and later knows no `initialize`.
            let modern = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::LATEST] };
            let discovered = session::client().serve_with_lifecycle(transport(), modern).await;
            discovered.map_err(|_| ClientInitializeError::JsonRpcError(error))
        }
        started => started,
    };
    let service = match started {
        Ok(service) => service,
        Err(error) => {
            // A server of 2024-11-05 takes no POST here, but has an event stream.
            let same: HeaderMap = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
            return match Events::open(url, &same, &client).await {
                Some(events) => sse::pages(events, &parsed, &same, &client).await,
                None => Err(refused(url, &headers, &error)),
            };
        }
    };
    let listed = session::list(service.peer(), &record).await;
    let listed = match listed {
        Ok(pages) => Ok(pages),
        Err(Refused::List(failure)) => Err(failure),
        Err(Refused::Service(error)) => Err(refused(url, &headers, &error)),
    };
    // The session is given back; whether the server thanks for it changes nothing.
    service.cancel().await.ok();
    listed
}

/// Follows a server to another path, but takes no header of the user's to another server.
fn within_origin() -> redirect::Policy {
    redirect::Policy::custom(|attempt| {
        let first = attempt.previous().first().map(Url::origin);
        if attempt.previous().len() > 5 || first.is_some_and(|origin| origin != attempt.url().origin()) {
            attempt.stop()
        } else {
            attempt.follow()
        }
    })
}

/// Reads `Name: value`. A value is never shown: it is a credential as a rule.
fn named(header: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong = || Failure::new("a `--header` is written `Name: value`");
    let (name, value) = header.split_once(':').ok_or_else(wrong)?;
    let name: HeaderName = name.trim().parse().map_err(|_| wrong())?;
    let reserved =
        ["accept", "mcp-session-id", "mcp-protocol-version", "last-event-id", "content-type", "content-length", "host"];
    if reserved.contains(&name.as_str()) {
        return Err(Failure::new(format!("`{name}` is a header that this command sets itself")));
    }
    let mut value: HeaderValue = value.trim().parse().map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Says why a server gave no tools, and what to do about it.
fn refused(url: &str, headers: &HashMap<HeaderName, HeaderValue>, error: &(dyn Error + 'static)) -> Failure {
    let status = status(error);
    if sign_in(error) || status == Some(StatusCode::UNAUTHORIZED) {
        let hint = if headers.contains_key(&AUTHORIZATION) {
            "the credential in `--header 'Authorization: …'` is not accepted"
        } else {
            "give its credential with `--header 'Authorization: Bearer TOKEN'`"
        };
        return Failure::new(format!("`{url}` wants a sign-in (401): {hint}"));
    }
    if status == Some(StatusCode::FORBIDDEN) {
        return Failure::new(format!("`{url}` refuses this credential (403)"));
    }
    if causes(error).any(|cause| cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect)) {
        return Failure::new(format!("cannot connect to `{url}`: {}", innermost(error)));
    }
    let why = status.map_or_else(|| session::because(error), |status| format!("it answered {status}"));
    Failure::new(format!("`{url}` is no MCP server, as far as it can be told: {why}"))
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    // A transport's error is boxed inside of rmcp's, which does not always name it as its source.
    let inside = match (error.downcast_ref::<ClientInitializeError>(), error.downcast_ref::<rmcp::ServiceError>()) {
        (Some(ClientInitializeError::TransportError { error, .. }), _)
        | (_, Some(rmcp::ServiceError::TransportSend(error))) => {
            let inner: &(dyn Error + 'static) = &*error.error;
            Some(inner)
        }
        _ => None,
    };
    std::iter::successors(Some(inside.unwrap_or(error)), |error| beneath(*error))
}

fn beneath<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(inner)) => Some(inner),
        _ => error.source(),
    }
}

fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(session::because).unwrap_or_default()
}

fn sign_in(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        matches!(
            cause.downcast_ref::<StreamableHttpError<reqwest::Error>>(),
            Some(StreamableHttpError::AuthRequired(_))
        )
    })
}

/// The HTTP status that an error was made of.
fn status(error: &(dyn Error + 'static)) -> Option<StatusCode> {
    causes(error).find_map(|cause| match cause.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::InsufficientScope(_)) => Some(StatusCode::FORBIDDEN),
        Some(StreamableHttpError::UnexpectedServerResponse(text)) => {
            text.split(|c: char| !c.is_ascii_digit()).find_map(|word| {
                (word.len() == 3).then(|| word.parse().ok()).flatten().filter(StatusCode::is_client_error)
            })
        }
        _ => cause.downcast_ref::<reqwest::Error>().and_then(reqwest::Error::status),
    })
}
