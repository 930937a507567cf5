//! What must hold of every input, whatever it is: one function for each thing that reads what others wrote.
//!
//! The same functions run in two ways. Ordinary tests feed them the seeds and deterministic mutations of them. libFuzzer
//! looks for inputs that reach new code: `cargo xtask fuzz`, or for those who have cargo-fuzz (and no nightly compiler)
//! `cargo fuzz run --sanitizer none message`.
//! A property that does not hold is a panic.

pub mod document;
pub mod envelope;
pub mod listing;
pub mod message;
pub mod rate_limit_answer;
pub mod schema;
pub mod tree;
pub mod uri;

mod calls;
mod errors;

use std::path::Path;
use std::{env, fs, io};

/// Panics if a property does not hold for the input.
pub type Check = fn(&[u8]);

/// The targets by name: each has a binary, and a folder of seeds.
pub const TARGETS: [(&str, Check); 7] = [
    ("document", document::check),
    ("envelope", envelope::check),
    ("listing", listing::check),
    ("message", message::check),
    ("rate_limit_answer", rate_limit_answer::check),
    ("schema", schema::check),
    ("uri", uri::check),
];

/// Checks each file that is named on the command line, to look at what libFuzzer found without libFuzzer.
///
/// # Errors
/// If a file cannot be read.
pub fn check_files(check: Check) -> io::Result<()> {
    for file in env::args_os().skip(1) {
        check(&fs::read(&file)?);
        println!("{}: all properties hold", Path::new(&file).display());
    }
    Ok(())
}
