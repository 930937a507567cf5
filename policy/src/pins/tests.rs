use super::*;
use proptest::prelude::*;

const GET_RUN: &str =
    r#"{"name":"get_run","description":"Reads a run.","inputSchema":{"type":"object","maxProperties":1.0}}"#;

fn lock(unseen: Unseen) -> Lock {
    let digest = |text: &str| Digest::of_definition(text.as_bytes()).unwrap();
    Lock::new(unseen, vec![("get_run".into(), digest(GET_RUN)), ("a".into(), digest(r#"{"name":"a"}"#))])
}

fn rule(lock: &Lock, states: &States, name: &str) -> Option<&'static str> {
    lock.refusal(name, states).map(|refusal| refusal.rule)
}

#[test]
fn a_tool_that_is_not_pinned_is_hidden() {
    let lock = lock(Unseen::Pass);
    let refusal = lock.refusal("get_runs", &States::new(&lock)).unwrap();
    assert_eq!((refusal.kind, refusal.rule), (RefusalKind::Hidden, NOT_PINNED));
    assert!(!lock.look(br#"{"name":"get_runs"}"#, "get_runs").is_pinned());
}

#[test]
fn however_it_is_written_it_is_the_same_definition() {
    let lock = lock(Unseen::Pass);
    let other = "{ \"inputSchema\": {\"maxProperties\": 1, \"type\": \"ob\\u006aect\"},\n \"description\":\"Reads a run.\", \"name\":\"get_run\"}";
    assert!(lock.look(other.as_bytes(), "get_run").is_pinned());
}

#[test]
fn a_change_denies_until_the_pinned_definition_is_seen_again() {
    for unseen in [Unseen::Pass, Unseen::Deny] {
        let lock = lock(unseen);
        let mut states = States::new(&lock);
        let expected = (unseen == Unseen::Deny).then_some(UNSEEN_DEFINITION);
        assert_eq!(rule(&lock, &states, "get_run"), expected);
        let changed = lock.look(GET_RUN.replace("Reads", "Deletes").as_bytes(), "get_run");
        assert_eq!(states.see(&[changed]), [1], "get_run is the second by name");
        assert_eq!(rule(&lock, &states, "get_run"), Some(CHANGED_DEFINITION));
        assert!(states.see(&[changed]).is_empty(), "told once");
        assert_eq!(rule(&lock, &states, "a"), expected, "another tool is not touched");
        let same = lock.look(GET_RUN.as_bytes(), "get_run");
        states.see(&[same]);
        assert_eq!(rule(&lock, &states, "get_run"), None);
        states.see(&[changed, same]);
        assert_eq!(rule(&lock, &states, "get_run"), Some(CHANGED_DEFINITION), "shown in two ways");
    }
}

#[test]
fn what_cannot_be_read_is_not_the_pinned_definition() {
    let lock = lock(Unseen::Pass);
    for text in ["", "[]", "{\"name\":\"get_run\"", &GET_RUN.replace("1.0}", "1.0,\"maxProperties\":1}")] {
        assert!(!lock.look(text.as_bytes(), "get_run").is_pinned(), "{text}");
    }
}

#[test]
fn states_of_another_lock_are_refused() {
    let lock = lock(Unseen::Pass);
    assert_eq!(States::read(&lock, vec![0, 2]).map(|states| states.bytes().to_vec()), Some(vec![0, 2]));
    assert!(States::read(&lock, vec![0]).is_none() && States::read(&lock, vec![0, 3]).is_none());
}

#[test]
fn digests_are_read_as_they_are_written() {
    let digest = Digest::of_definition(b"{}").unwrap();
    assert_eq!(digest.to_string(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    assert_eq!(digest.to_string().parse(), Ok(digest));
    for wrong in ["", "44", &"4".repeat(63), &"G".repeat(64), &"A".repeat(64), &"4".repeat(66)] {
        assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
    }
}

proptest! {
    /// Any change of any value is another definition.
    #[test]
    fn two_definitions_share_a_digest_only_if_they_are_one(one in any::<Small>(), other in any::<Small>()) {
        let digest = |small: &Small| Digest::of_definition(serde_json::json!({ "d": small.0 }).to_string().as_bytes()).unwrap();
        prop_assert_eq!(digest(&one) == digest(&other), one.0 == other.0);
    }
}

#[derive(Debug, Clone)]
struct Small(serde_json::Value);

impl Arbitrary for Small {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3i32).prop_map(Value::from),
            "[ab,:\"\\[{]{0,2}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(3, 6, 2, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..2).prop_map(Value::from),
                prop::collection::btree_map("[ab]", inner, 0..2)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        });
        value.prop_map(Self).boxed()
    }
}
