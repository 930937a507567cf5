//! Runs `fuzz::rate_limit_answer` under libFuzzer; built without it, over the files that are named as arguments.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::rate_limit_answer::check(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    fuzz::check_files(fuzz::rate_limit_answer::check)
}
