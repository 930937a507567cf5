//! Small guests, put together from text: every callback logs its name and arguments, and a test replaces the ones
//! that it is about.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use host_test::{Builder, Host};

/// Imports that every guest has, under the name that calls them: `$` and the name without `proxy_`.
const IMPORTS: &[(&str, usize)] = &[
    ("log", 3),
    ("get_log_level", 1),
    ("get_current_time_nanoseconds", 1),
    ("set_tick_period_milliseconds", 1),
    ("get_buffer_bytes", 5),
    ("set_buffer_bytes", 5),
    ("get_buffer_status", 3),
    ("get_header_map_value", 5),
    ("get_header_map_pairs", 3),
    ("get_header_map_size", 2),
    ("set_header_map_pairs", 3),
    ("add_header_map_value", 5),
    ("replace_header_map_value", 5),
    ("remove_header_map_value", 3),
    ("get_property", 4),
    ("set_property", 4),
    ("get_shared_data", 5),
    ("set_shared_data", 5),
    ("http_call", 10),
    ("grpc_call", 12),
    ("grpc_stream", 9),
    ("grpc_send", 4),
    ("grpc_cancel", 1),
    ("grpc_close", 1),
    ("get_status", 3),
    ("define_metric", 4),
    ("get_metric", 2),
    ("send_local_response", 8),
    ("continue_stream", 1),
    ("close_stream", 1),
    ("set_effective_context", 1),
    ("done", 0),
    ("call_foreign_function", 6),
    ("register_shared_queue", 3),
];

/// Callbacks: the name without `proxy_on_`, the number of parameters, and what the default one returns.
const CALLBACKS: &[(&str, usize, Option<u32>)] = &[
    ("context_create", 2, None),
    ("vm_start", 2, Some(1)),
    ("configure", 2, Some(1)),
    ("tick", 1, None),
    ("request_headers", 3, Some(0)),
    ("request_body", 3, Some(0)),
    ("request_trailers", 2, Some(0)),
    ("response_headers", 3, Some(0)),
    ("response_body", 3, Some(0)),
    ("response_trailers", 2, Some(0)),
    ("http_call_response", 5, None),
    ("grpc_receive_initial_metadata", 3, None),
    ("grpc_receive", 3, None),
    ("grpc_receive_trailing_metadata", 3, None),
    ("grpc_close", 3, None),
    ("done", 1, Some(1)),
    ("log", 1, None),
    ("delete", 1, None),
];

/// Text helpers. Scratch memory: 16 for a line of the log, 960 for a pointer, 964 for a length, 968 for eight bytes.
const HELPERS: &str = r#"
(func $put (param $at i32) (param $number i32) (result i32) (local $digits i32) (local $rest i32)
  (local.set $digits (i32.const 1)) (local.set $rest (i32.div_u (local.get $number) (i32.const 10)))
  (block $out (loop $more (br_if $out (i32.eqz (local.get $rest)))
    (local.set $digits (i32.add (local.get $digits) (i32.const 1)))
    (local.set $rest (i32.div_u (local.get $rest) (i32.const 10))) (br $more)))
  (local.set $rest (i32.add (local.get $at) (local.get $digits)))
  (loop $digit
    (local.set $rest (i32.sub (local.get $rest) (i32.const 1)))
    (i32.store8 (local.get $rest) (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
    (local.set $number (i32.div_u (local.get $number) (i32.const 10)))
    (br_if $digit (i32.gt_u (local.get $rest) (local.get $at))))
  (i32.add (local.get $at) (local.get $digits)))
(func $copy (param $at i32) (param $from i32) (param $length i32) (result i32)
  (memory.copy (local.get $at) (local.get $from) (local.get $length))
  (i32.add (local.get $at) (local.get $length)))
(func $space (param $at i32) (result i32)
  (i32.store8 (local.get $at) (i32.const 32)) (i32.add (local.get $at) (i32.const 1)))
(func $send_line (param $end i32)
  (drop (call $log (i32.const 2) (i32.const 16) (i32.sub (local.get $end) (i32.const 16)))))
;; logs "LABEL NUMBER"
(func $note (param $label i32) (param $length i32) (param $number i32)
  (call $send_line (call $put (call $space (call $copy (i32.const 16) (local.get $label) (local.get $length))) (local.get $number))))
;; logs "LABEL TEXT", the text being what a host function gave through 960 and 964
(func $note_given (param $label i32) (param $length i32)
  (call $send_line (call $copy (call $space (call $copy (i32.const 16) (local.get $label) (local.get $length)))
    (i32.load (i32.const 960)) (i32.load (i32.const 964)))))
;; logs "LABEL STATUS", and "LABEL TEXT" as well when the status is 0
(func $note_result (param $label i32) (param $length i32) (param $status i32)
  (call $note (local.get $label) (local.get $length) (local.get $status))
  (if (i32.eqz (local.get $status)) (then (call $note_given (local.get $label) (local.get $length)))))
"#;

/// A guest in the making.
pub(crate) struct Guest {
    texts: String,
    next_text: usize,
    callbacks: BTreeMap<&'static str, String>,
    extra: String,
    abi: &'static str,
}

impl Guest {
    pub(crate) fn new() -> Self {
        let (texts, extra) = (String::new(), String::new());
        Guest { texts, next_text: 1024, callbacks: BTreeMap::new(), extra, abi: "proxy_abi_version_0_2_1" }
    }

    /// Puts a text into memory: the two arguments, pointer and length, that a host function takes for it.
    pub(crate) fn text(&mut self, text: impl AsRef<[u8]>) -> String {
        let (at, text) = (self.next_text, text.as_ref());
        self.next_text += text.len().max(1);
        let escaped: String = text.iter().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(self.texts, "(data (i32.const {at}) \"{escaped}\")").unwrap();
        format!("(i32.const {at}) (i32.const {})", text.len())
    }

    /// Replaces a callback, named without `proxy_on_`. Its parameters are `$a` to `$e`, of which `$a` is the context,
    /// and `$x` and `$y` are free locals.
    pub(crate) fn on(&mut self, callback: &'static str, body: impl Into<String>) -> &mut Self {
        assert!(CALLBACKS.iter().any(|(name, _, _)| *name == callback));
        self.callbacks.insert(callback, body.into());
        self
    }

    /// Leaves a callback out of the exports.
    pub(crate) fn without(&mut self, callback: &'static str) -> &mut Self {
        self.on(callback, "")
    }

    /// Adds fields to the module. Imports must come first, so these are put in front.
    pub(crate) fn field(&mut self, text: &str) -> &mut Self {
        self.extra.push_str(text);
        self
    }

    pub(crate) fn abi(&mut self, export: &'static str) -> &mut Self {
        self.abi = export;
        self
    }

    /// The whole module.
    pub(crate) fn wat(&mut self) -> String {
        let mut module = String::from("(module\n");
        for (name, count) in IMPORTS {
            let parameters = " i32".repeat(*count);
            writeln!(module, "(import \"env\" \"proxy_{name}\" (func ${name} (param{parameters}) (result i32)))")
                .unwrap();
        }
        for (name, width) in [("increment_metric", "i64"), ("record_metric", "i64")] {
            writeln!(module, "(import \"env\" \"proxy_{name}\" (func ${name} (param i32 {width}) (result i32)))")
                .unwrap();
        }
        module.push_str(&self.extra);
        writeln!(module, "(memory (export \"memory\") 4) (global $heap (mut i32) (i32.const 131072))").unwrap();
        writeln!(module, "(func (export \"{}\"))", self.abi).unwrap();
        // A bump allocator that starts over at the end of the memory's fourth page: enough for these tests.
        module.push_str(
            "(func $allocate (export \"proxy_on_memory_allocate\") (param $size i32) (result i32) (local $at i32)
               (local.set $at (global.get $heap))
               (if (i32.gt_u (i32.add (local.get $at) (local.get $size)) (i32.mul (memory.size) (i32.const 65536)))
                 (then (drop (memory.grow (i32.add (i32.const 1) (i32.div_u (local.get $size) (i32.const 65536)))))))
               (global.set $heap (i32.add (local.get $at) (local.get $size))) (local.get $at))\n",
        );
        module.push_str(HELPERS);
        for (name, count, answer) in CALLBACKS {
            let replaced = self.callbacks.get(name).cloned();
            if replaced.as_deref() == Some("") {
                continue;
            }
            let letters = ["a", "b", "c", "d", "e"];
            let parameters: String = letters[..*count].iter().map(|letter| format!("(param ${letter} i32) ")).collect();
            let result = if answer.is_some() { "(result i32)" } else { "" };
            let body =
                replaced.unwrap_or_else(|| answer.map(|answer| format!("(i32.const {answer})")).unwrap_or_default());
            let trace = self.trace(name, &letters[..*count]);
            writeln!(
                module,
                "(func (export \"proxy_on_{name}\") {parameters} {result} (local $x i32) (local $y i32)\n{trace}\n{body})"
            )
            .unwrap();
        }
        module.push_str(&self.texts);
        module.push(')');
        module
    }

    /// Logs "NAME A B C".
    fn trace(&mut self, name: &str, letters: &[&str]) -> String {
        let label = self.text(name);
        let start = format!("(call $copy (i32.const 16) {label})");
        let line = letters
            .iter()
            .fold(start, |line, letter| format!("(call $put (call $space {line}) (local.get ${letter}))"));
        format!("(call $send_line {line})")
    }

    pub(crate) fn builder(&mut self) -> Builder {
        let wat = self.wat();
        match Host::builder(&wat) {
            Ok(builder) => builder,
            Err(error) => panic!("{error}: {:?}\n{wat}", std::error::Error::source(&error).map(ToString::to_string)),
        }
    }

    pub(crate) fn host(&mut self) -> Host {
        self.builder().start().unwrap()
    }
}

/// The lines logged since the host was made.
pub(crate) fn lines(host: &Host) -> Vec<String> {
    host.logs().into_iter().map(|(_, line)| line).collect()
}

/// The lines that are about streams: those after the last one about configuring.
pub(crate) fn stream_lines(host: &Host) -> Vec<String> {
    let lines = lines(host);
    let start = lines.iter().rposition(|line| line.starts_with("configure ")).map_or(0, |index| index + 1);
    lines[start..].to_vec()
}

/// The numbers or texts noted under a label, in order.
pub(crate) fn noted(host: &Host, label: &str) -> Vec<String> {
    let prefix = format!("{label} ");
    lines(host).iter().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
}

/// Headers of an ordinary request.
pub(crate) const POST: &[(&str, &str)] =
    &[(":method", "POST"), (":path", "/mcp"), (":authority", "mcp.example"), ("x-one", "1")];
/// Headers of an ordinary response.
pub(crate) const OK: &[(&str, &str)] = &[(":status", "200"), ("content-type", "text/plain")];
