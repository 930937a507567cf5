//! The official test suite of JSON Schema, against drafts 2020-12, 2019-09, 07 and 06. The source package of Python's
//! `jsonschema` carries it; it is fetched once, and only its files are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

use policy::schema::{Effort, Schema};
use serde_json::{Value, json};

const VERSION: &str = "4.26.0";

/// The suite's `tests` folder.
fn suite() -> &'static PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("json-schema-suite");
        let package = format!("jsonschema-{VERSION}");
        fetch::once(&folder, &package, || {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "jsonschema", "--dest"]);
            fetch::run(pip.arg(&folder).arg(format!("jsonschema=={VERSION}")))?;
            let mut unpack = Command::new("python3");
            fetch::run(unpack.args(["-m", "tarfile", "-e"]).arg(folder.join(format!("{package}.tar.gz"))).arg(&folder))
        })
        .unwrap();
        folder.join(package).join("json/tests")
    })
}

/// The cases that do not come out as the suite has it, each below the reason why that is meant: `# ` begins a reason.
const KNOWN: &str = include_str!("json_schema_suite.txt");

#[derive(Default)]
struct Count {
    groups: usize,
    cases: usize,
    /// What came out otherwise, and how.
    different: BTreeMap<String, String>,
}

impl Count {
    fn file(&mut self, draft: &str, uri: &str, file: &str) {
        let text = fs::read_to_string(suite().join(draft).join(file)).unwrap();
        let groups: Vec<Value> = serde_json::from_str(&text).unwrap();
        for group in groups {
            self.groups += 1;
            let what = format!("{draft} {file}: {}", group["description"].as_str().unwrap());
            let mut schema = group["schema"].clone();
            if let Some(object) = schema.as_object_mut() {
                object.entry("$schema").or_insert_with(|| json!(uri));
            }
            let schema = match Schema::load_of_server(schema.to_string().as_bytes()) {
                Ok(schema) => schema,
                Err(errors) => {
                    self.different.insert(what, errors.to_string());
                    continue;
                }
            };
            for case in group["tests"].as_array().unwrap() {
                self.cases += 1;
                let checked = schema.check(case["data"].to_string().as_bytes(), &Effort::default());
                if checked.is_ok() != case["valid"].as_bool().unwrap() {
                    let how = checked.map_or_else(|mismatch| mismatch.to_string(), |()| "matches".to_owned());
                    self.different.insert(format!("{what}: {}", case["description"].as_str().unwrap()), how);
                }
            }
        }
    }
}

#[test]
fn the_official_test_suite_comes_out_as_it_should() {
    let mut count = Count::default();
    for (draft, uri) in [
        ("draft2020-12", "https://json-schema.org/draft/2020-12/schema"),
        ("draft2019-09", "https://json-schema.org/draft/2019-09/schema"),
        ("draft7", "http://json-schema.org/draft-07/schema#"),
        ("draft6", "http://json-schema.org/draft-06/schema#"),
    ] {
        let mut files: Vec<String> = fs::read_dir(suite().join(draft))
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".json"))
            .collect();
        let formats = [
            "date-time",
            "date",
            "time",
            "duration",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "uri",
            "uri-reference",
            "uuid",
            "json-pointer",
            "relative-json-pointer",
        ];
        files.extend(formats.iter().map(|format| format!("optional/format/{format}.json")));
        files.extend(
            ["ecmascript-regex", "float-overflow", "dependencies-compatibility", "non-bmp-regex"]
                .map(|name| format!("optional/{name}.json")),
        );
        files.retain(|file| suite().join(draft).join(file).exists());
        files.sort();
        files.iter().for_each(|file| count.file(draft, uri, file));
    }
    assert!(count.cases > 5500 && count.groups > 1300, "{} cases in {} groups", count.cases, count.groups);
    let known: BTreeSet<&str> = KNOWN.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    let mut wrong: Vec<String> = Vec::new();
    for (case, how) in &count.different {
        if !known.contains(&**case) {
            wrong.push(format!("{case} ({how})"));
        }
    }
    wrong.extend(
        known
            .into_iter()
            .filter(|case| !count.different.contains_key(*case))
            .map(|case| format!("not so any more: {case}")),
    );
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), count.cases, wrong.join("\n"));
}
