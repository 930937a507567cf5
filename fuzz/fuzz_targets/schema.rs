//! Runs `fuzz::schema` under libFuzzer; built without it, over the files that are named as arguments.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::schema::check(data));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    fuzz::check_files(fuzz::schema::check)
}
