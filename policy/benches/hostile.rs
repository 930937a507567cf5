//! What bodies cost that are made to cost much: time must be linear in their size, memory bounded by it.
//!
//! `cargo bench -p policy --bench hostile`: for each kind, ns per byte at 2.5, 5 and 10 MB, which should stay level, and the
//! most memory that reading took, in bytes per byte of the body. Pointers are twice as large here as in the filter.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use policy::listing::{EventStream, Kind, filter_message};
use policy::message::read;

/// Counts what is allocated.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: hands every call on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(now, Relaxed);
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: likewise.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SIZES: [usize; 3] = [2_500_000, 5_000_000, 10_000_000];
const MAX_DEPTH: usize = 64;

/// `piece(0)`, `piece(1)`, … joined by commas, up to about so many bytes.
fn joined(bytes: usize, mut piece: impl FnMut(&mut String, usize)) -> String {
    let mut out = String::with_capacity(bytes + 100);
    for index in 0.. {
        piece(&mut out, index);
        if out.len() >= bytes {
            break;
        }
        out.push(',');
    }
    out
}

/// An object of many members, their keys as they are written.
fn members(bytes: usize, key: impl Fn(&mut String, usize)) -> String {
    let member = |out: &mut String, index| {
        out.push('"');
        key(out, index);
        out.push_str("\":0");
    };
    format!("{{{}}}", joined(bytes, member))
}

fn array(bytes: usize, element: &str) -> String {
    format!("[{}]", joined(bytes, |out, _| out.push_str(element)))
}

fn text(bytes: usize, piece: &str) -> String {
    format!(r#""{}""#, piece.repeat(bytes / piece.len()))
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

/// One kind of argument, made to about a size.
type Make = fn(usize) -> String;

const ARGUMENTS: [(&str, Make); 21] = [
    ("one string", |bytes| text(bytes, "x")),
    ("one string, not ASCII", |bytes| text(bytes, "größe ")),
    ("escaped line ends", |bytes| text(bytes, r"\n")),
    ("escaped characters", |bytes| text(bytes, r"\u00e9")),
    ("escaped surrogates", |bytes| text(bytes, r"\ud83d\ude00")),
    ("escaped quotes", |bytes| text(bytes, r#"a\""#)),
    ("one number of digits", |bytes| "7".repeat(300) + "." + &"7".repeat(bytes)),
    ("one number of zeros", |bytes| format!("0.{}1", "0".repeat(bytes))),
    ("one exponent", |bytes| format!("1e{}1", "0".repeat(bytes))),
    ("numbers", |bytes| array(bytes, "1.7976931348623157e308")),
    ("empty strings", |bytes| array(bytes, r#""""#)),
    ("empty objects", |bytes| array(bytes, "{}")),
    ("small objects", |bytes| array(bytes, r#"{"id":7,"name":"well A1","volume":12.5,"mixed":true,"to":"B2"}"#)),
    ("nested to the cap", |bytes| array(bytes, &("[".repeat(60) + &"]".repeat(60)))),
    ("objects to the cap", |bytes| array(bytes, &(r#"{"a":"#.repeat(59) + "{}" + &"}".repeat(59)))),
    ("many keys", |bytes| members(bytes, |out, index| push(out, format_args!("{index}")))),
    // Of one length, with equal ends, and equal under hashes like 31 * h + c.
    ("keys that flood a hash", |bytes| {
        members(bytes, |out, index| {
            out.push('k');
            (0..22).for_each(|bit| out.push_str(if index >> bit & 1 == 0 { "Aa" } else { "BB" }));
            out.push('k');
        })
    }),
    ("keys with one beginning", |bytes| members(bytes, |out, index| push(out, format_args!("{:x>200}{index:08}", "")))),
    ("keys in falling order", |bytes| {
        members(bytes, |out, index| push(out, format_args!("{:08}", 99_999_999 - index)))
    }),
    ("escaped keys", |bytes| members(bytes, |out, index| push(out, format_args!("\\n{index}")))),
    ("objects of 9 like keys", |bytes| {
        let keys: Vec<String> = (0..9).map(|index| format!(r#""key {index} of nine":0"#)).collect();
        array(bytes, &format!("{{{}}}", keys.join(",")))
    }),
];

/// Bodies that are refused, at their end or before.
const REFUSED: [(&str, Make); 6] = [
    ("nested over the cap", |bytes| "[".repeat(bytes)),
    ("objects over the cap", |bytes| r#"{"a":"#.repeat(bytes / 5)),
    ("one key, repeated", |bytes| members(bytes, |_, _| {})),
    ("number out of range", |bytes| "7".repeat(bytes)),
    ("string without an end", |bytes| format!(r#""{}"#, "ü".repeat(bytes / 2))),
    ("white space", |bytes| " ".repeat(bytes)),
];

/// Lists on their way back. Every second entry is hidden.
const LISTINGS: [(&str, Make); 3] = [
    ("list of tools", |bytes| listing(bytes, "")),
    ("list that is not strict", |bytes| listing(bytes, r#","x":NaN"#)),
    ("result that is not strict", |bytes| format!(r#"{{"result":{{"text":{},"x":NaN}}}}"#, text(bytes, r"tool\u0073"))),
];

fn listing(bytes: usize, end: &str) -> String {
    let entry = |out: &mut String, index| push(out, format_args!(r#"{{"name":"tool{index}"}},{{"name":"t{index}"}}"#));
    format!(r#"{{"result":{{"tools":[{}]{end}}}}}"#, joined(bytes, entry))
}

fn shown(_: Kind, name: &str) -> bool {
    name.starts_with("tool")
}

fn main() {
    println!("{:>27} {:>9} {:>9} {:>9} {:>12}", "ns per byte of", "2.5 MB", "5 MB", "10 MB", "memory/byte");
    for (name, make) in ARGUMENTS {
        measure(name, make, |body| {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","arguments":{{"x":{body}}}}}}}"#
            );
            cost(body.len(), || read(body.as_bytes(), MAX_DEPTH).expect("a readable body"))
        });
    }
    // As the arguments themselves, which are kept with their names.
    measure("many arguments", ARGUMENTS[15].1, |arguments| {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a","arguments":{arguments}}}}}"#
        );
        cost(body.len(), || read(body.as_bytes(), MAX_DEPTH).expect("a readable body"))
    });
    println!();
    for (name, make) in REFUSED {
        measure(name, make, |rest| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"x","params":{{"x":{rest}"#);
            cost(body.len(), || read(body.as_bytes(), MAX_DEPTH).expect_err("an unreadable body"))
        });
    }
    println!();
    for (name, make) in LISTINGS {
        measure(name, make, |body| cost(body.len(), || filter_message(body.as_bytes(), MAX_DEPTH, &shown)));
    }
    measure(
        "one event, in 1 KB chunks",
        |bytes| listing(bytes, ""),
        |body| {
            let stream = format!("data: {body}\n\n");
            cost(stream.len(), || {
                let mut events = EventStream::new(usize::MAX, MAX_DEPTH);
                let mut out = Vec::new();
                for chunk in stream.as_bytes().chunks(1024) {
                    out.extend_from_slice(&events.push(chunk, &shown, &mut |_| None));
                }
                out
            })
        },
    );
    measure(
        "empty events, byte by byte",
        |bytes| "data:\n\n".repeat(bytes / 7),
        |stream| {
            cost(stream.len(), || {
                let mut events = EventStream::new(1 << 20, MAX_DEPTH);
                stream.as_bytes().chunks(1).map(|chunk| events.push(chunk, &shown, &mut |_| None).len()).sum::<usize>()
            })
        },
    );
}

/// Prints one row: `cost` at each size.
fn measure(name: &str, make: Make, cost: impl Fn(&str) -> (f64, f64)) {
    print!("{name:>27}");
    let mut most = 0.0;
    for bytes in SIZES {
        let (time, memory) = cost(&make(bytes));
        most = f64::max(most, memory);
        print!(" {time:>9.2}");
    }
    println!(" {most:>12.1}");
}

/// The best of three runs in ns, and the memory that one took, each per byte.
#[expect(clippy::cast_precision_loss, reason = "numbers to look at")]
fn cost<T>(bytes: usize, run: impl Fn() -> T) -> (f64, f64) {
    let mut best = f64::INFINITY;
    let mut memory = 0;
    for _ in 0..3 {
        let before = NOW.load(Relaxed);
        MOST.store(before, Relaxed);
        let start = Instant::now();
        let result = black_box(run());
        best = best.min(start.elapsed().as_secs_f64());
        memory = MOST.load(Relaxed) - before;
        drop(result);
    }
    (best * 1e9 / bytes as f64, memory as f64 / bytes as f64)
}
