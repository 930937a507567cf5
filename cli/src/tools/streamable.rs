//! rmcp's client of Streamable HTTP, with a record of what servers answer to `tools/list`. All but that one question is asked
//! by rmcp itself.

use std::{collections::HashMap, future, io, sync::Arc};

use futures_util::{Stream, StreamExt, TryStreamExt, stream::BoxStream};
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use rmcp::{
    model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
    },
};
use sse_stream::{Sse, SseStream};

use super::record::{MAX_MESSAGE, Record};

type Error = StreamableHttpError<reqwest::Error>;
type Events = BoxStream<'static, Result<Sse, SseError>>;
type Headers = HashMap<HeaderName, HeaderValue>;

/// The client.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    pub(super) client: Client,
    pub(super) record: Record,
}

impl Recording {
    fn recorded(&self, events: impl Stream<Item = Result<Sse, SseError>> + Send + 'static) -> Events {
        let record = self.record.clone();
        let keep = move |event: &Sse| event.data.iter().for_each(|data| record.keep(data.as_bytes()));
        events.inspect_ok(keep).boxed()
    }

    /// Asks for the list.
    async fn list(
        self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Error> {
        let mut request = self.client.post(&*uri).headers(headers.into_iter().collect());
        request = request.header(ACCEPT, "text/event-stream, application/json").json(&message);
        if let Some(session) = &session {
            request = request.header("mcp-session-id", &**session);
        }
        let response = request.send().await?;
        if response.status() == StatusCode::NOT_FOUND && session.is_some() {
            return Err(StreamableHttpError::SessionExpired);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_owned();
        let is = |wanted: &str| kind.starts_with(wanted);
        if response.status().is_success() && is("text/event-stream") {
            let bytes = bounded(response).map_ok(io::Cursor::new);
            let events = self.recorded(SseStream::from_bytes_stream(bytes));
            return Ok(StreamableHttpPostResponse::Sse(events, None));
        }
        let refused = response.error_for_status_ref().err();
        if !is("application/json") {
            return Err(refused.map_or(StreamableHttpError::UnexpectedContentType(Some(kind)), Error::from));
        }
        let join = |mut text: Vec<u8>, chunk: Vec<u8>| {
            text.extend(chunk);
            future::ready(Ok(text))
        };
        let text = bounded(response).try_fold(Vec::new(), join).await?;
        match (serde_json::from_slice::<ServerJsonRpcMessage>(&text), refused) {
            (Ok(message @ JsonRpcMessage::Error(_)), _) => Ok(StreamableHttpPostResponse::Json(message, None)),
            (_, Some(refused)) => Err(refused.into()),
            (Ok(message), None) => {
                self.record.keep(&text);
                Ok(StreamableHttpPostResponse::Json(message, None))
            }
            (Err(error), None) => Err(error.into()),
        }
    }
}

/// The bytes of an answer, up to the most that a message may have.
fn bounded(response: Response) -> impl Stream<Item = Result<Vec<u8>, io::Error>> + Send + 'static {
    let mut length = 0_usize;
    response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(io::Error::other)?;
        length = length.saturating_add(chunk.len());
        if length > MAX_MESSAGE {
            return Err(io::Error::other("the server's answer is larger than 16 MiB"));
        }
        Ok(chunk.to_vec())
    })
}

impl StreamableHttpClient for Recording {
    type Error = reqwest::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<StreamableHttpPostResponse, Error> {
        let asks = matches!(&message, JsonRpcMessage::Request(asked) if matches!(asked.request, ClientRequest::ListToolsRequest(_)));
        if asks {
            return self.clone().list(uri, message, session, headers).await;
        }
        self.client.post_message(uri, message, session, token, headers).await
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<(), Error> {
        self.client.delete_session(uri, session, token, headers).await
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        token: Option<String>,
        headers: Headers,
    ) -> Result<Events, Error> {
        // A server may end the stream of an answer, and go on with it here.
        let events = self.client.get_stream(uri, session, last_event, token, headers).await?;
        Ok(self.recorded(events))
    }
}
