//! Every property holds for the seeds and for many thousands of changes to them, the same ones in each run.

use std::path::Path;
use std::{fmt, fs};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let mut files: Vec<_> = fs::read_dir(folder().join("seeds").join(target))
        .expect("a folder of seeds")
        .map(|file| file.expect("a seed").path())
        .collect();
    files.sort();
    files.iter().map(|file| fs::read(file).expect("a seed")).collect()
}

/// The words of the dictionary that libFuzzer uses as well.
fn words() -> Vec<Vec<u8>> {
    let dictionary = fs::read_to_string(folder().join("json.dict")).expect("the dictionary");
    let words = dictionary.lines().filter(|line| !line.starts_with('#'));
    words.map(|line| serde_json::from_str::<String>(line).expect("a JSON string").into_bytes()).collect()
}

/// One change to a text. Places are taken modulo its length.
#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize, Index),
    Swap(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let short = || 1..24_usize;
    let place = any::<Index>;
    prop_oneof![
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        2 => (place(), select(&b"\"\\{}[]:,0-. u\n\r"[..])).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        4 => (place(), select(words())).prop_map(|(at, word)| Edit::Insert(at, word)),
        3 => (place(), short()).prop_map(|(at, count)| Edit::Remove(at, count)),
        2 => (place(), short(), place()).prop_map(|(from, count, to)| Edit::Repeat(from, count, to)),
        1 => (place(), place()).prop_map(|(one, other)| Edit::Swap(one, other)),
    ]
}

fn apply(text: &mut Vec<u8>, edit: &Edit) {
    // One more than the last, so that something can be put at the end.
    let place = |at: &Index, text: &Vec<u8>| at.index(text.len() + 1);
    match edit {
        Edit::Replace(at, byte) => {
            let at = place(at, text);
            if let Some(old) = text.get_mut(at) {
                *old = *byte;
            }
        }
        Edit::Insert(at, word) => {
            let at = place(at, text);
            text.splice(at..at, word.iter().copied());
        }
        Edit::Remove(at, count) => {
            let at = place(at, text);
            text.drain(at..(at + count).min(text.len()));
        }
        Edit::Repeat(from, count, to) => {
            let (from, to) = (place(from, text), place(to, text));
            let piece = text[from..(from + count).min(text.len())].to_vec();
            text.splice(to..to, piece);
        }
        Edit::Swap(one, other) => {
            let (one, other) = (place(one, text), place(other, text));
            if one.max(other) < text.len() {
                text.swap(one, other);
            }
        }
    }
}

/// A text that is shown as one in a failure, and not as numbers.
#[derive(Clone)]
struct Text(Vec<u8>);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

fn holds(target: &str, cases: u32) {
    let (_, check) = fuzz::TARGETS.into_iter().find(|(name, _)| *name == target).expect("a target");
    let seeds = seeds(target);
    for seed in &seeds {
        check(seed);
    }
    let mutated = (select(seeds), vec(edit(), 1..6)).prop_map(|(mut text, edits)| {
        edits.iter().for_each(|edit| apply(&mut text, edit));
        Text(text)
    });
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let outcome = runner.run(&mutated, |text| {
        check(&text.0);
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn messages_are_read_as_serde_json_reads_them() {
    holds("message", 40_000);
}

#[test]
fn no_listing_shows_what_is_hidden() {
    holds("listing", 40_000);
}

#[test]
fn documents_mean_one_thing() {
    holds("document", 40_000);
}

#[test]
fn configurations_fit_together() {
    holds("envelope", 40_000);
}

#[test]
fn only_the_limit_asked_for_admits() {
    holds("rate_limit_answer", 40_000);
}

#[test]
fn schemas_say_one_thing() {
    holds("schema", 40_000);
}

#[test]
fn uris_have_one_normal_form() {
    holds("uri", 40_000);
}

#[test]
fn every_target_has_a_binary_and_seeds() {
    for (target, _) in fuzz::TARGETS {
        assert!(folder().join(format!("fuzz_targets/{target}.rs")).is_file(), "{target}");
        assert!(seeds(target).len() >= 5, "{target}");
    }
}
