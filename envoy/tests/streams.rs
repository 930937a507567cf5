//! Event streams on their way back, while the server still writes them.

use std::time::Duration;

use envoy::{
    Config, Envoy, Result,
    filters::PolicyFilter,
    policed::held,
    wire::{self, rule},
};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

/// Long enough for a busy machine; nothing waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server that sends what the test says, when it says it, and tells the head of each request.
struct Told {
    say: UnboundedSender<String>,
    heads: UnboundedReceiver<String>,
    envoy: Envoy,
}

impl Told {
    async fn start(policy: &Value) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(envoy::Error::Listen)?;
        let address = listener.local_addr().map_err(envoy::Error::Listen)?;
        let (say, mut said) = unbounded_channel::<String>();
        let (head, heads) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // A closed channel ends the test, and with it this server.
                if serve(&mut stream, &head, &mut said).await.is_none() {
                    return;
                }
            }
        });
        let envoy = Envoy::start(&Config::new(address).policy(PolicyFilter::new(held(policy))?)).await?;
        Ok(Self { say, heads, envoy })
    }

    fn say(&self, text: &str) {
        self.say.send(text.to_owned()).expect("the server runs");
    }

    fn get(&self) -> RequestBuilder {
        envoy::http().get(self.envoy.url("/mcp")).header("accept", "text/event-stream")
    }
}

/// Serves one event stream.
async fn serve(
    stream: &mut TcpStream,
    head: &UnboundedSender<String>,
    said: &mut UnboundedReceiver<String>,
) -> Option<()> {
    let mut seen = Vec::new();
    while !seen.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut seen).await.ok()? == 0 {
            return Some(());
        }
    }
    head.send(String::from_utf8_lossy(&seen).into_owned()).ok()?;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .ok()?;
    loop {
        let text = said.recv().await?;
        stream.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await.ok()?;
        if text.is_empty() {
            stream.write_all(b"\r\n").await.ok()?;
            return Some(());
        }
    }
}

/// What comes next, which must come before the server says more.
async fn next(response: &mut Response) -> Result<String> {
    let chunk = timeout(PATIENCE, response.chunk()).await.expect("the event is held although it has ended")?;
    Ok(String::from_utf8_lossy(&chunk.unwrap_or_default()).into_owned())
}

fn hiding() -> Value {
    json!({"version": "1", "default": "allow", "hide": ["secret"], "methods": {"elicitation/create": {"action": "deny"}}})
}

const LIST: &str = r#"data: {"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"get_run"},{"name":"secret"}]}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn each_event_goes_on_when_it_has_ended_and_not_before() -> Result<()> {
    let told = Told::start(&hiding()).await?;
    told.say(": hello\n\n");
    let mut response = told.get().send().await?;
    assert_eq!(next(&mut response).await?, ": hello\n\n");
    let progress = "id: 1\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n";
    told.say(progress);
    assert_eq!(next(&mut response).await?, progress);
    let (start, end) = LIST.split_at(40);
    told.say(start);
    told.say(end);
    told.say("\n\n");
    let listed = next(&mut response).await?;
    assert_eq!(listed, format!("{}\n\n", LIST.replace(r#",{"name":"secret"}"#, "")));
    told.say("");
    assert_eq!(next(&mut response).await?, "");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resumed_stream_is_filtered_like_the_first() -> Result<()> {
    let mut told = Told::start(&hiding()).await?;
    told.say(&format!("id: 8\r\n{LIST}\r\n\r\n"));
    let mut response = told.get().header("last-event-id", "7").send().await?;
    let listed = next(&mut response).await?;
    assert!(listed.contains("id: 8") && listed.contains("get_run") && !listed.contains("secret"), "{listed}");
    let head = told.heads.recv().await.expect("the server was asked");
    assert!(head.to_ascii_lowercase().contains("last-event-id: 7"), "{head}");
    told.say("");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_may_not_ask_is_taken_out_and_the_rest_of_the_stream_goes_on() -> Result<()> {
    let told = Told::start(&hiding()).await?;
    let ask = r#"data: {"jsonrpc":"2.0","id":7,"method":"elicitation/create","params":{"message":"Your password?"}}"#;
    let answer = "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[]}}\n\n";
    told.say(&format!("{ask}\n\n"));
    let mut response = wire::post(told.envoy.url("/mcp"), &wire::call("get_run", &json!({}))).send().await?;
    told.say(answer);
    let mut seen = String::new();
    while !seen.contains("content") {
        seen += &next(&mut response).await?;
    }
    assert!(!seen.contains("password") && seen.ends_with(answer), "{seen}");
    told.say("");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_asks_what_is_denied_becomes_a_denial() -> Result<()> {
    let ask = json!({"jsonrpc": "2.0", "id": 1, "result": {"resultType": "input_required", "inputRequests": {
        "k": {"method": "elicitation/create", "params": {"message": "Your password?"}}}}});
    let upstream = envoy::upstream::Upstream::json(&ask.to_string()).await?;
    let config = Config::new(upstream.address()).policy(PolicyFilter::new(held(&hiding()))?);
    let envoy = Envoy::start(&config).await?;
    let answer: Value = wire::post(envoy.url("/mcp"), &wire::call("get_run", &json!({}))).send().await?.json().await?;
    assert_eq!((rule(&answer), &answer["id"]), (Some("/methods/elicitation~1create"), &json!(1)));
    assert!(!answer.to_string().contains("password"), "{answer}");
    Ok(())
}
