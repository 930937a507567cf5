//! Which modules load.

use host_test::{Host, HostError, StartCause};

use crate::guest::Guest;

fn refusal(guest: &mut Guest) -> StartCause {
    guest.builder().start().unwrap_err().cause().clone()
}

#[test]
fn an_unknown_import_does_not_link() {
    let mut guest = Guest::new();
    guest.field("(import \"env\" \"proxy_read_minds\" (func (result i32)))");
    assert!(matches!(refusal(&mut guest), StartCause::Link(why) if why.contains("proxy_read_minds")));

    let mut guest = Guest::new();
    guest.field("(import \"wasi_snapshot_preview1\" \"path_open\" (func (param i32) (result i32)))");
    assert!(matches!(refusal(&mut guest), StartCause::Link(_)));
}

#[test]
fn an_import_with_another_signature_does_not_link() {
    let mut guest = Guest::new();
    guest.field("(import \"env\" \"proxy_log\" (func (param i64 i32 i32) (result i32)))");
    assert!(matches!(refusal(&mut guest), StartCause::Link(_)));
}

#[test]
fn only_this_abi_is_known() {
    assert_eq!(refusal(Guest::new().abi("proxy_abi_version_0_1_0")), StartCause::UnknownAbi);
}

#[test]
fn a_callback_with_another_signature_is_refused() {
    let mut guest = Guest::new();
    guest.without("tick").field("(func (export \"proxy_on_tick\") (param i64))");
    assert!(matches!(refusal(&mut guest), StartCause::BadExport(why) if why.contains("proxy_on_tick")));
}

#[test]
fn what_is_no_module_at_all_is_an_error_before_anything_starts() {
    assert!(matches!(Host::builder("nonsense"), Err(HostError::Module(_))));
    assert!(matches!(Host::builder(std::path::Path::new("/none.wasm")), Err(HostError::Io { .. })));
}

#[test]
fn wasi_gives_random_bytes_an_environment_and_a_log_and_exit_is_a_trap() {
    let mut guest = Guest::new();
    let wasi = "wasi_snapshot_preview1";
    guest.field(&format!(
        "(import \"{wasi}\" \"random_get\" (func $random (param i32 i32) (result i32)))
         (import \"{wasi}\" \"environ_sizes_get\" (func $environment_size (param i32 i32) (result i32)))
         (import \"{wasi}\" \"environ_get\" (func $environment (param i32 i32) (result i32)))
         (import \"{wasi}\" \"fd_write\" (func $write (param i32 i32 i32 i32) (result i32)))
         (import \"{wasi}\" \"proc_exit\" (func $exit (param i32)))"
    ));
    let (status, size, first, environment) =
        (guest.text("status"), guest.text("size"), guest.text("same"), guest.text("environment"));
    guest.on(
        "request_headers",
        format!(
            "(call $note {status} (call $random (i32.const 700) (i32.const 8)))
             (call $note {status} (call $random (i32.const 708) (i32.const 8)))
             (call $note {status} (call $random (i32.const 0) (i32.const 65537)))
             (call $note {first} (i64.eq (i64.load (i32.const 700)) (i64.load (i32.const 708))))
             (call $note {status} (call $environment_size (i32.const 720) (i32.const 964)))
             (call $note {size} (i32.load (i32.const 964)))
             (call $note {status} (call $environment (i32.const 720) (i32.const 800)))
             (i32.store (i32.const 960) (i32.load (i32.const 720))) (call $note_given {environment})
             (call $note {status} (call $write (i32.const 2) (i32.const 960) (i32.const 1) (i32.const 968)))
             (call $note {status} (call $write (i32.const 3) (i32.const 960) (i32.const 1) (i32.const 968)))
             (i32.const 0)"
        ),
    );
    guest.on("request_body", "(call $exit (i32.const 3)) (i32.const 0)");
    let host = guest.builder().environment("NAME", "value").start().unwrap();
    let mut stream = host.worker(0).request(crate::guest::POST);
    let noted = |label: &str| crate::guest::noted(&host, label);
    assert_eq!(noted("status"), ["0", "0", "28", "0", "0", "0", "8"]);
    assert_eq!((noted("same"), noted("size")), (vec!["0".to_owned()], vec!["11".to_owned()]));
    assert_eq!(noted("environment"), ["NAME=value\0"]);
    assert!(host.logs().contains(&(host_test::Level::Error, "NAME=value\0".to_owned())));
    stream.request_body("x", true);
    assert_eq!(stream.received().status(), Some(503));
    assert_eq!(host.take_faults().len(), 1);
}
