//! What people copy loads: every policy and configuration in the README and the documentation, and every example.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The ```json blocks of a text that are a whole policy or configuration.
fn whole_documents(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter(|block| block.contains("\"version\"")).collect()
}

#[test]
fn every_policy_in_the_documentation_loads() {
    for (file, count) in [("README.md", 1), ("docs/policy.md", 1), ("docs/configuration.md", 2)] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let documents = whole_documents(&text);
        assert_eq!(documents.len(), count, "{file}");
        for document in documents {
            policy::config::load(document.as_bytes()).unwrap_or_else(|errors| panic!("{file}: {errors}"));
        }
    }
}

#[test]
fn every_example_loads() {
    let mut loaded = 0;
    for folder in fs::read_dir(root().join("examples")).unwrap() {
        let folder = folder.unwrap().path();
        for file in folder.is_dir().then(|| fs::read_dir(&folder).unwrap()).into_iter().flatten() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let text = fs::read(&path).unwrap();
                policy::document::load(&text).unwrap_or_else(|errors| panic!("{}: {errors}", path.display()));
                loaded += 1;
            }
        }
    }
    assert!(loaded >= 16, "{loaded} examples");
}
