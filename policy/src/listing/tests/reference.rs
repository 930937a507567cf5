//! The HTML Living Standard's event stream interpretation (section 9.2.6), written the plain way: on whole text, one
//! character after the other. The tests compare what such a client sees before and after the filter.

/// An event as a client dispatches it, or a change of its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Seen {
    Message { event: String, data: String, last_id: String },
    Retry(u64),
}

pub(super) fn interpret(stream: &[u8]) -> Vec<Seen> {
    let text = String::from_utf8_lossy(stream);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut seen = Vec::new();
    let (mut event, mut data, mut last_id) = (String::new(), String::new(), String::new());
    for line in complete_lines(text) {
        if line.is_empty() {
            if !data.is_empty() {
                data.pop();
                seen.push(Seen::Message { event: event.clone(), data: data.clone(), last_id: last_id.clone() });
            }
            event.clear();
            data.clear();
            continue;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => event = value.to_owned(),
            "data" => {
                data.push_str(value);
                data.push('\n');
            }
            "id" if !value.contains('\0') => last_id = value.to_owned(),
            "retry" => seen.extend(value.parse().map(Seen::Retry)),
            _ => {}
        }
    }
    seen
}

fn complete_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\r' => {
                characters.next_if_eq(&'\n');
                lines.push(std::mem::take(&mut line));
            }
            '\n' => lines.push(std::mem::take(&mut line)),
            other => line.push(other),
        }
    }
    lines
}
