//! What a tool's name says.

use super::{
    Class,
    lexicon::{self, Kind, Verb},
    words::Form,
};

/// A name, as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// A verb says what it does.
    Does {
        class: Class,
        /// The words that say so.
        quotes: Vec<String>,
        /// The verb may be a noun beside one that only reads, or before a word for what is only looked at.
        or_reads: bool,
    },
    /// A verb says that it does something.
    Something { quote: String },
    /// It names a thing.
    Thing { quote: String, money: bool, power: bool },
    /// None of its words is known, so the first may be any verb.
    Unknown { quote: String },
}

const CONJUNCTIONS: [&str; 5] = ["and", "or", "then", "with", "plus"];
const PREPOSITIONS: [&str; 12] = ["by", "for", "in", "from", "with", "to", "of", "on", "at", "into", "as", "via"];

/// Verbs of two words.
const PAIRS: [(&str, &str, Class); 13] = [
    ("take", "screenshot", Class::Read),
    ("tear", "down", Class::Destructive),
    ("take", "down", Class::Destructive),
    ("get", "rid", Class::Destructive),
    ("clean", "up", Class::Destructive),
    ("force", "push", Class::Destructive),
    ("shut", "down", Class::Execute),
    ("roll", "back", Class::Execute),
    ("log", "in", Class::Execute),
    ("sign", "in", Class::Execute),
    ("top", "up", Class::Financial),
    ("cash", "out", Class::Financial),
    ("pay", "out", Class::Financial),
];

/// Reads the words of a name.
pub(super) fn read(words: &[String]) -> Reading {
    let verbs: Vec<Option<Verb>> = words.iter().map(|word| lexicon::verb(word)).collect();
    if let Some(grave) = grave(words, &verbs) {
        return grave;
    }
    if let Some(pair) = pair(words, &verbs) {
        return pair;
    }
    let Some(main) = main(words, &verbs) else { return without_verb(words) };
    let word = |at: usize| words.get(at).cloned().unwrap_or_default();
    let Some(verb) = verbs.get(main).and_then(Option::as_ref) else { return without_verb(words) };
    let (mut class, mut quotes) = (verb.class, vec![word(main)]);
    let mut raise = |to: Class, quote: String| {
        if to.severity() > class.severity() {
            class = to;
            quotes = vec![quote];
        }
    };
    for (at, other) in verbs.iter().enumerate().filter(|(at, _)| *at != main) {
        let Some(other) = other else { continue };
        let joined =
            at.checked_sub(1).and_then(|before| words.get(before)).is_some_and(|w| CONJUNCTIONS.contains(&w.as_str()));
        let firm = other.kind == Kind::Pure && other.form == Form::Base;
        // A noun may stand before the verb: `message_delete`; behind it, it is what the verb is about.
        let before = at < main && other.kind == Kind::NounToo && other.form == Form::Base;
        let dropped = other.base == "drop" && dragged(words);
        if joined && other.form == Form::Base && !dropped || firm || before && at == 0 {
            raise(other.class, word(at));
        }
    }
    if verb.kind == Kind::Weak && class == Class::Execute && quotes == [word(main)] {
        return match words.iter().find(|word| lexicon::money(word)) {
            Some(money) => does(Class::Financial, [word(main), money.clone()]),
            None => Reading::Something { quote: word(main) },
        };
    }
    let objects = || words.iter().enumerate().filter(|(at, _)| *at != main);
    if class != Class::Read || verb.base == "capture" {
        let money =
            objects().find(|(_, word)| lexicon::money(word) || lexicon::account(word) && lexicon::commits(&verb.base));
        if let Some((_, money)) = money.filter(|_| class.severity() < Class::Financial.severity()) {
            return does(Class::Financial, [word(main), money.clone()]);
        }
    }
    if class == Class::Write
        && lexicon::makes(&verb.base)
        && let Some(head) = head(words).filter(|head| lexicon::running(head))
    {
        return does(Class::Execute, [word(main), head.to_owned()]);
    }
    if class == Class::Write
        && verb.base == "format"
        && objects().any(|(_, w)| ["disk", "drive", "volume", "partition", "device"].contains(&w.as_str()))
    {
        return does(Class::Destructive, [word(main)]);
    }
    let bought = match verb.base.as_str() {
        "book" => objects().any(|(_, w)| travel(w)),
        "checkout" => objects().any(|(_, w)| ["cart", "basket", "bag"].contains(&w.as_str())),
        _ => false,
    };
    if bought {
        return does(Class::Financial, [word(main)]);
    }
    let certain = verb.kind == Kind::Pure || words.len() == 1;
    // `git_log`: what is read, not what is done.
    let last = main > 0 && main.saturating_add(1) == words.len();
    // `run_query` runs, whatever it is called; `run_list` and `run_get` are about runs.
    let runs = main == 0 && ["run", "call", "start", "trigger", "test"].contains(&verb.base.as_str());
    let reader =
        |other: &Verb| other.class == Class::Read && (!runs || other.kind == Kind::Pure || other.base == "list");
    let reads = objects().any(|(at, _)| verbs.get(at).and_then(Option::as_ref).is_some_and(reader));
    let looked_at = words.last().is_some_and(|last| lexicon::state(last));
    Reading::Does {
        or_reads: class != Class::Read && (!certain && (looked_at || last) || reads && may_be_noun(&verbs, class)),
        class,
        quotes,
    }
}

/// Whether all that makes it more than reading could be nouns.
fn may_be_noun(verbs: &[Option<Verb>], class: Class) -> bool {
    verbs.iter().flatten().filter(|verb| verb.class == class).all(|verb| verb.kind == Kind::NounToo)
}

fn travel(word: &str) -> bool {
    ["flight", "hotel", "ticket", "ride", "trip", "taxi", "train", "car"].contains(&word.trim_end_matches('s'))
}

fn does<const N: usize>(class: Class, quotes: [String; N]) -> Reading {
    Reading::Does { class, quotes: quotes.into(), or_reads: false }
}

/// What destroys, or moves money, wherever it stands in the name.
fn grave(words: &[String], verbs: &[Option<Verb>]) -> Option<Reading> {
    for (at, (word, verb)) in words.iter().zip(verbs).enumerate() {
        let next = words.get(at.saturating_add(1)).map(String::as_str);
        let pair = PAIRS.iter().find(|(one, two, class)| {
            *one == word && Some(*two) == next && class.severity() >= Class::Destructive.severity()
        });
        if let (Some((one, two, class)), Some(_)) = (pair, next) {
            return Some(does(*class, [format!("{one} {two}")]));
        }
        let Some(verb) = verb else { continue };
        let bent_first = at == 0 && matches!(verb.form, Form::Third | Form::Gerund);
        if verb.class == Class::Destructive && verb.kind == Kind::Pure && (verb.form == Form::Base || bent_first) {
            return Some(does(verb.class, [word.clone()]));
        }
    }
    let first = verbs.iter().flatten().find(|verb| verb.form == Form::Base);
    let reads_first = first.is_some_and(|verb| verb.class == Class::Read);
    let mild = |verb: &Verb| verb.class == Class::Destructive && verb.form == Form::Base;
    if !reads_first
        && !dragged(words)
        && let Some((word, _)) = words.iter().zip(verbs).find(|(_, verb)| verb.as_ref().is_some_and(mild))
    {
        return Some(does(Class::Destructive, [word.clone()]));
    }
    let whole = verbs.iter().flatten().next().is_none();
    let hidden = words.iter().filter(|_| whole).find_map(|word| Some((word, lexicon::hidden_verb(word)?)));
    hidden.map(|(word, verb)| does(verb.class, [word.clone()]))
}

/// `drag_and_drop` drops nothing that is lost.
fn dragged(words: &[String]) -> bool {
    words.iter().any(|word| word == "drag")
}

/// A verb of two words, where no other word of the name is graver.
fn pair(words: &[String], verbs: &[Option<Verb>]) -> Option<Reading> {
    let (at, (one, two, class)) = words.windows(2).enumerate().find_map(|(at, two)| {
        let found = PAIRS.iter().find(|(one, other, _)| matches!(two, [a, b] if a == one && b == other));
        found.map(|pair| (at, *pair))
    })?;
    let others = verbs.iter().enumerate().filter(|(other, _)| *other != at && *other != at.saturating_add(1));
    let graver = others.filter_map(|(_, verb)| verb.as_ref()).any(|verb| verb.class.severity() > class.severity());
    (!graver).then(|| does(class, [format!("{one} {two}")]))
}

/// Which of the words is the verb.
fn main(words: &[String], verbs: &[Option<Verb>]) -> Option<usize> {
    let at = |index: usize| verbs.get(index).and_then(Option::as_ref);
    let pure = |verb: &Verb| verb.kind != Kind::NounToo && matches!(verb.form, Form::Base | Form::Third);
    let base = |verb: &Verb| verb.form == Form::Base;
    if at(0).is_some_and(|verb| pure(verb) || base(verb) && verb.class == Class::Read) {
        return Some(0);
    }
    let last = words.len().checked_sub(1)?;
    let first_pure = || (0..=last).find(|index| at(*index).is_some_and(|verb| pure(verb) && base(verb)));
    if at(0).is_some_and(base) {
        // `issue_create`, `order_get`: a noun that could be a verb, before one that is.
        return first_pure().filter(|_| !at(0).is_some_and(|first| first.class == Class::Execute)).or(Some(0));
    }
    let noun_too = || (0..=last).find(|index| at(*index).is_some_and(base));
    first_pure().or_else(noun_too)
}

/// The last word before a preposition: what the others only describe.
fn head(words: &[String]) -> Option<&str> {
    let end = words.iter().skip(1).position(|word| PREPOSITIONS.contains(&word.as_str()));
    let end = end.map_or(words.len(), |end| end.saturating_add(1));
    words.get(end.checked_sub(1)?).map(String::as_str)
}

fn without_verb(words: &[String]) -> Reading {
    let quote = words.join(" ");
    let any = |test: fn(&str) -> bool| words.iter().any(|word| test(word));
    let money = any(lexicon::money);
    let head = head(words).unwrap_or_default();
    let plural = |word: &str| word.len() > 3 && word.ends_with('s') && !word.ends_with("ss");
    let known = |word: &String| lexicon::thing(word) || lexicon::money(word) || lexicon::account(word);
    let named = lexicon::state(head)
        || words.len() == 1 && (plural(head) || lexicon::thing(head))
        || words.first().is_some_and(known) && words.iter().skip(1).all(|w| known(w) || plural(w));
    // `shell`, `python_repl`; but `console_messages` are messages.
    let power = words.last().is_some_and(|last| lexicon::power(last)) || !named && any(lexicon::power);
    if named || money || power { Reading::Thing { quote, money, power } } else { Reading::Unknown { quote } }
}
