//! The JSON texts that other parsers are tested with: JSONTestSuite, JSON_checker, those of nativejson-benchmark and of
//! yyjson. The crate `yyjson-sys` carries all of them; cargo fetches it, and only its files are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use policy::json::Problem::{self, *};
use policy::json::Reader;

/// The platform that `policy/Cargo.toml` names for the crate.
const NO_SYSTEM: &str = "x86_64-unknown-none";

fn corpora() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let arguments = ["metadata", "--format-version=1", "--locked", "--filter-platform", NO_SYSTEM];
        let output = Command::new(cargo).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == "yyjson-sys").unwrap();
        PathBuf::from(package["manifest_path"].as_str().unwrap()).with_file_name("yyjson/test/data/json")
    })
}

/// What the reader makes of each file of a corpus, by name.
fn outcomes(corpus: &str) -> BTreeMap<String, Option<Problem>> {
    let files = fs::read_dir(corpora().join(corpus)).unwrap().map(|file| file.unwrap().path());
    let outcome = |text: &[u8]| {
        let read = Reader::new(text, 64).and_then(|mut reader| {
            reader.value()?;
            reader.end()
        });
        read.err().map(|error| {
            assert!(error.offset <= text.len());
            error.problem
        })
    };
    let name = |file: &Path| file.file_name().unwrap().to_str().unwrap().to_owned();
    files.map(|file| (name(&file), outcome(&fs::read(&file).unwrap()))).collect()
}

/// Takes the named files out and compares their outcomes.
fn take(outcomes: &mut BTreeMap<String, Option<Problem>>, expected: Option<Problem>, files: &[&str]) {
    for file in files {
        assert_eq!(outcomes.remove(&format!("{file}.json")), Some(expected), "{file}");
    }
}

#[test]
fn json_test_suite_is_read_as_it_should_be() {
    let mut outcomes = outcomes("test_parsing");
    assert_eq!(outcomes.len(), 319);
    // JSONTestSuite wants these read. Servers differ in which of two members they take.
    take(&mut outcomes, Some(DuplicateKey), &["y_object_duplicated_key", "y_object_duplicated_key_and_value"]);
    // The rest is left to the parser. A double holds these, if not exactly; conditions on them are then wrong.
    take(
        &mut outcomes,
        None,
        &[
            "i_number_double_huge_neg_exp",
            "i_number_real_underflow",
            "i_number_too_big_neg_int",
            "i_number_too_big_pos_int",
            "i_number_very_big_negative_int",
        ],
    );
    // Infinity to some servers, an error to others.
    take(
        &mut outcomes,
        Some(NumberOutOfRange),
        &[
            "i_number_huge_exp",
            "i_number_neg_int_huge_exp",
            "i_number_pos_double_huge_exp",
            "i_number_real_neg_overflow",
            "i_number_real_pos_overflow",
        ],
    );
    // U+FFFD to some servers, half a character to others, an error to the rest.
    take(
        &mut outcomes,
        Some(LoneSurrogate),
        &[
            "i_object_key_lone_2nd_surrogate",
            "i_string_1st_surrogate_but_2nd_missing",
            "i_string_1st_valid_surrogate_2nd_invalid",
            "i_string_incomplete_surrogate_and_escape_valid",
            "i_string_incomplete_surrogate_pair",
            "i_string_incomplete_surrogates_escape_valid",
            "i_string_invalid_lonely_surrogate",
            "i_string_invalid_surrogate",
            "i_string_inverted_surrogates_U+1D11E",
            "i_string_lone_second_surrogate",
        ],
    );
    take(
        &mut outcomes,
        Some(InvalidUtf8),
        &[
            "i_string_UTF-8_invalid_sequence",
            "i_string_UTF8_surrogate_U+D800",
            "i_string_invalid_utf-8",
            "i_string_iso_latin_1",
            "i_string_lone_utf8_continuation_byte",
            "i_string_not_in_unicode_range",
            "i_string_overlong_sequence_2_bytes",
            "i_string_overlong_sequence_6_bytes",
            "i_string_overlong_sequence_6_bytes_null",
            "i_string_truncated-utf-8",
        ],
    );
    // Some servers find out the encoding by themselves. RFC 8259 section 8.1 has one, and no byte order mark.
    take(&mut outcomes, Some(ByteOrderMark), &["i_structure_UTF-8_BOM_empty_object"]);
    let utf16 = ["i_string_UTF-16LE_with_BOM", "i_string_utf16BE_no_BOM", "i_string_utf16LE_no_BOM"];
    take(&mut outcomes, Some(UnexpectedByte), &utf16);
    // Deeper than the filter is asked to read here.
    take(&mut outcomes, Some(TooDeep), &["i_structure_500_nested_arrays"]);
    assert_eq!(outcomes.len(), 93 + 189);
    for (file, outcome) in outcomes {
        match file.split_once('_') {
            Some(("y", _)) => assert_eq!(outcome, None, "{file}"),
            Some(("n", _)) => assert!(outcome.is_some(), "{file} is read"),
            _ => panic!("{file} is not decided"),
        }
    }
}

#[test]
fn json_checker_is_read_as_rfc_8259_has_it() {
    let mut outcomes = outcomes("test_checker");
    assert_eq!(outcomes.len(), 36);
    // RFC 8259 allows any value at the top, and 20 levels.
    take(&mut outcomes, None, &["fail01_EXCLUDE", "fail18_EXCLUDE"]);
    for (file, outcome) in outcomes {
        assert_eq!(outcome.is_none(), file.starts_with("pass"), "{file}: {outcome:?}");
    }
}

#[test]
fn of_ten_encodings_only_utf_8_is_read() {
    let mut outcomes = outcomes("test_encoding");
    assert_eq!(outcomes.len(), 10);
    take(&mut outcomes, None, &["utf8"]);
    take(&mut outcomes, Some(ByteOrderMark), &["utf8bom"]);
    assert!(outcomes.values().all(|outcome| *outcome == Some(UnexpectedByte)), "{outcomes:?}");
}

#[test]
fn what_is_written_back_alike_is_read() {
    let mut outcomes = outcomes("test_roundtrip");
    assert_eq!(outcomes.len(), 48);
    take(&mut outcomes, Some(DuplicateKey), &["roundtrip118", "roundtrip119"]);
    assert!(outcomes.values().all(Option::is_none), "{outcomes:?}");
}

#[test]
fn what_parsers_take_for_different_values_is_refused_where_it_is_ambiguous() {
    let mut outcomes = outcomes("test_transform");
    assert_eq!(outcomes.len(), 22);
    take(
        &mut outcomes,
        Some(DuplicateKey),
        &["object_same_key_different_values", "object_same_key_same_value", "object_same_key_unclear_values"],
    );
    for count in ["1_escaped_invalid_codepoint", "2_escaped_invalid_codepoints", "3_escaped_invalid_codepoints"] {
        take(&mut outcomes, Some(LoneSurrogate), &[&format!("string_{count}")]);
        take(&mut outcomes, Some(InvalidUtf8), &[&format!("string_{}", count.replace("escaped_", ""))]);
    }
    // Numbers that doubles round, keys that are equal only after Unicode normalisation (no server does that), NUL.
    assert!(outcomes.values().all(Option::is_none), "{outcomes:?}");
}

#[test]
fn extensions_of_json_are_refused() {
    let outcomes = outcomes("test_yyjson");
    assert_eq!(outcomes.len(), 107);
    for (file, outcome) in outcomes {
        // What is in parentheses is the extension that reads it: comments, NaN, numbers beyond doubles and so on.
        let strict = file.starts_with("pass") && !file.contains('(');
        assert_eq!(outcome.is_none(), strict, "{file}: {outcome:?}");
    }
}
