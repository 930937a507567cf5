use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const DEFINITIONS: &str = include_str!("../../tests/classes.txt");

fn tool(name: &str, description: &str) -> Tool {
    serde_json::from_value(json!({ "name": name, "description": description })).unwrap()
}

fn class(name: &str, description: &str) -> Class {
    classify(&tool(name, description)).class
}

/// Every definition of the file, with its class.
fn definitions() -> Vec<(String, Tool)> {
    let lines = DEFINITIONS.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let read = |line: &str| {
        let mut parts = line.splitn(4, '|').map(str::trim);
        let (class, name) = (parts.next().unwrap(), parts.next().unwrap());
        let description = parts.next().unwrap();
        let properties: Value = parts.next().map_or(json!({}), |text| serde_json::from_str(text).unwrap());
        let schema = json!({ "type": "object", "properties": properties });
        let tool = json!({ "name": name, "description": description, "inputSchema": schema });
        (class.to_owned(), serde_json::from_value(tool).unwrap())
    };
    lines.map(read).collect()
}

#[test]
fn every_definition_gets_the_class_of_a_careful_reviewer() {
    let definitions = definitions();
    assert!(definitions.len() >= 150, "{}", definitions.len());
    let mut wrong = Vec::new();
    for (expected, tool) in definitions {
        let verdict = classify(&tool);
        if verdict.class.to_string() != expected {
            let evidence: Vec<String> = verdict.evidence.iter().map(ToString::to_string).collect();
            wrong.push(format!("{} is {}, not {expected}: {}", tool.name, verdict.class, evidence.join(", ")));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// Words of which names are made: verbs of all classes, nouns, and words that nobody knows.
fn name_words() -> impl Strategy<Value = Vec<String>> {
    let word = prop::sample::select(
        "get list search create update send run control refund pay transfer delete drop reset order post issue query file user \
         payment run job status shell sql notes record frobnicate widget and or then by for deleted runs orders"
            .split_whitespace()
            .collect::<Vec<_>>(),
    );
    prop::collection::vec(word.prop_map(str::to_owned), 1..5)
}

fn description() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "Get the thing.",
        "List all things and return them.",
        "Create a thing.",
        "Runs the thing.",
        "Delete the thing.",
        "Refund the thing.",
        "Does not delete anything.",
        "Wonderful.",
    ])
}

fn capitalised(word: &str) -> String {
    let mut characters = word.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}

proptest! {
    #[test]
    fn annotations_never_lower(
        words in name_words(),
        description in description(),
        read_only in prop::option::of(any::<bool>()),
        destructive in prop::option::of(any::<bool>()),
        idempotent in prop::option::of(any::<bool>()),
        open_world in prop::option::of(any::<bool>()),
    ) {
        let plain = tool(&words.join("_"), description);
        let mut annotated = plain.clone();
        annotated.annotations.read_only_hint = read_only;
        annotated.annotations.destructive_hint = destructive;
        annotated.annotations.idempotent_hint = idempotent;
        annotated.annotations.open_world_hint = open_world;
        prop_assert!(classify(&annotated).class.severity() >= classify(&plain).class.severity());
    }

    #[test]
    fn a_destructive_verb_in_a_name_never_lowers(
        words in name_words(),
        at in 0_usize..5,
        verb in prop::sample::select(vec!["delete", "remove", "purge", "drop", "reset", "wipe", "clear", "terminate", "cancel"]),
        description in description(),
    ) {
        let plain = class(&words.join("_"), description);
        let mut more = words.clone();
        more.insert(at.min(words.len()), verb.to_owned());
        let more = more.join("_");
        prop_assert!(class(&more, description).severity() >= plain.severity(), "{}", more);
    }

    #[test]
    fn the_style_of_a_name_does_not_matter(words in name_words(), description in description()) {
        let snake = class(&words.join("_"), description);
        let camel: String = words.iter().enumerate().map(|(at, word)| if at == 0 { word.clone() } else { capitalised(word) }).collect();
        let pascal: String = words.iter().map(|word| capitalised(word)).collect();
        for name in [words.join("-"), words.join("."), words.join("__"), words.join("_").to_uppercase(), camel, pascal] {
            prop_assert_eq!(class(&name, description), snake, "{}", name);
        }
    }

    #[test]
    fn any_definition_has_a_class(name in ".{0,40}", description in ".{0,200}") {
        // Whatever a server writes: no panic, and no control characters in what people see.
        for evidence in classify(&tool(&name, &description)).evidence {
            prop_assert!(!evidence.to_string().contains(char::is_control));
        }
    }
}

#[test]
fn only_a_verb_that_is_known_to_read_makes_a_reader() {
    let mut readers = tool("frobnicate_thing", "Get the thing.");
    readers.annotations.read_only_hint = Some(true);
    assert_eq!(classify(&readers).class, Class::Write);
    assert_eq!(class("frobnicate_thing", ""), Class::Execute);
    // A letter that only looks like Latin.
    assert_ne!(class("g\u{435}t_thing", ""), Class::Read);
}

#[test]
fn evidence_quotes_the_definition_and_says_where() {
    let verdict = classify(&tool("fetch_page", "Fetch a page and delete the cache."));
    let evidence: Vec<String> = verdict.evidence.iter().map(ToString::to_string).collect();
    assert_eq!((verdict.class, evidence.join(", ").as_str()), (Class::Destructive, "\"delete\" in the description"));
}
