//! What a description says. The verb that it begins with counts most; verbs joined to it, and those that later sentences
//! begin with, count where they are not denied. What only mentions other tools does not.

use super::{
    Class,
    lexicon::{self, Kind, Verb},
    words::Form,
};

/// What a part of a text says the tool does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) class: Class,
    pub(super) quote: String,
    /// The word is a verb, and cannot be a noun here.
    pub(super) certain: bool,
}

/// What a text says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prose {
    /// What it begins with.
    pub(super) lead: Option<Claim>,
    /// What else it says.
    pub(super) others: Vec<Claim>,
}

/// Words before the verb that say nothing.
const SUBJECTS: &str = "this the a an it tool function endpoint method api command will can that which to used use using for \
                        allows allow lets let enables you your users user agents agent is be helps help provides provide \
                        ability designed utility simple mcp action operation capability intended meant capable of how i \
                        we please useful able one";
const ADVERBS: &str = "also then automatically safely quickly permanently irreversibly immediately first optionally completely \
                       fully finally simply directly just may might will can it subsequently afterwards now potentially";
const DETERMINERS: &str = "a an the this these that those all any every each it them one some its their your multiple specified \
                           given selected existing new current several another matching in on against";
const DENIALS: &str = "not never no without cannot don't doesn't won't can't isn't nor neither instead rather avoid avoids \
                       nothing";
const SECTIONS: [&str; 8] = ["args", "arguments", "parameters", "params", "raises", "examples", "example", "returns"];

/// Phrases that say it whole.
const PHRASES: [(&str, Class); 19] = [
    ("irreversibl", Class::Destructive),
    ("irrevocabl", Class::Destructive),
    ("unrecoverabl", Class::Destructive),
    ("permanently clos", Class::Destructive),
    ("account permanently", Class::Destructive),
    ("cannot be undone", Class::Destructive),
    ("can't be undone", Class::Destructive),
    ("can not be undone", Class::Destructive),
    ("cannot be recovered", Class::Destructive),
    ("cannot be reversed", Class::Destructive),
    ("permanently delet", Class::Destructive),
    ("permanently remov", Class::Destructive),
    ("permanently eras", Class::Destructive),
    ("gets rid of", Class::Destructive),
    ("get rid of", Class::Destructive),
    ("real money", Class::Financial),
    ("be charged", Class::Financial),
    ("be billed", Class::Financial),
    ("charges your", Class::Financial),
];

/// Reads a description or title.
pub(super) fn read(text: &str) -> Prose {
    let text = before_sections(text);
    let mut prose = Prose::default();
    for (index, sentence) in sentences(&text).iter().enumerate() {
        let words = words(sentence);
        if index == 0 {
            prose.lead = lead(&words);
            prose.others.extend(joined(&words));
        } else {
            prose.others.extend(later(&words));
            prose.others.extend(passive(&words));
        }
    }
    let low = text.to_lowercase();
    for (phrase, class) in PHRASES {
        let Some(at) = low.find(phrase) else { continue };
        let before: Vec<&str> = low.get(..at).unwrap_or_default().split_whitespace().rev().take(4).collect();
        if !before.iter().any(|word| is_in(word, DENIALS)) {
            let quote = low.get(at..).unwrap_or_default().split_whitespace().take(3).collect::<Vec<_>>().join(" ");
            prose.others.push(Claim {
                class,
                quote: quote.trim_end_matches(['.', ',', ';']).to_owned(),
                certain: true,
            });
        }
    }
    prose
}

/// The text up to where its arguments are described.
fn before_sections(text: &str) -> String {
    let section = |line: &&str| {
        let head = line.trim().trim_start_matches(['#', '*', '-', ' ']).to_lowercase();
        !SECTIONS.iter().any(|section| head.strip_prefix(section).is_some_and(|rest| rest.starts_with([':', '*'])))
    };
    text.lines().take_while(section).collect::<Vec<_>>().join("\n")
}

/// Sentences, and the paragraphs and clauses that stand like one.
fn sentences(text: &str) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let characters: Vec<char> = text.chars().collect();
    for (at, &character) in characters.iter().enumerate() {
        let after = characters.get(at.saturating_add(1)).copied().unwrap_or(' ');
        let current = sentences.last().map(String::as_str).unwrap_or_default();
        let abbreviated = ["e.g", "i.e", "etc", "vs"].iter().any(|short| current.to_lowercase().ends_with(short));
        let ends = match character {
            '.' | '!' | '?' => after.is_whitespace() && !abbreviated,
            ';' => true,
            '—' | '–' => true,
            '\n' => after == '\n' || after == '-' || after == '*',
            _ => false,
        };
        if ends {
            sentences.push(String::new());
        } else if let Some(current) = sentences.last_mut() {
            current.push(character);
        }
    }
    sentences.retain(|sentence| !sentence.trim().is_empty());
    sentences
}

/// Words in lower case; `,` and `/` and brackets stand for themselves; what is code (`delete_x`, quoted) is `_`.
fn words(sentence: &str) -> Vec<String> {
    let mut words = Vec::new();
    for word in sentence.split_whitespace() {
        let code = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '`' && c != '\'' && c != '"');
        if code.contains('_') || code.starts_with(['`', '"', '\'']) || code.contains("://") || code.contains('=') {
            words.push("_".to_owned());
            continue;
        }
        let mut plain = String::new();
        for character in word.chars() {
            match character {
                c if c.is_alphanumeric() || c == '\'' || c == '’' => {
                    plain.extend(if c == '’' { '\'' } else { c }.to_lowercase());
                }
                _ => {
                    if !plain.is_empty() {
                        words.push(std::mem::take(&mut plain));
                    }
                    match character {
                        ',' | '/' | '&' => words.push(",".to_owned()),
                        '(' | ')' | '[' | ']' | ':' => words.push("(".to_owned()),
                        _ => {}
                    }
                }
            }
        }
        if !plain.is_empty() {
            words.push(plain);
        }
    }
    words
}

fn is_in(word: &str, list: &str) -> bool {
    list.split_whitespace().any(|known| known == word)
}

fn adverb(word: &str) -> bool {
    is_in(word, ADVERBS) || word.len() > 4 && word.ends_with("ly")
}

/// The verb that the text begins with.
fn lead(words: &[String]) -> Option<Claim> {
    let start = words.iter().position(|word| !is_in(word, SUBJECTS) && !adverb(word) && word != "(")?;
    // After "This tool", words may stand before the verb.
    let reach = if start > 0 { 8 } else { 1 };
    let (at, verb) = words.iter().enumerate().skip(start).take(reach).find_map(|(at, word)| {
        let verb = lexicon::verb(word).filter(|verb| verb.form != Form::Past)?;
        (at == start || verb.kind != Kind::NounToo).then_some((at, verb))
    })?;
    if verb.kind == Kind::Weak || light(&verb) {
        let nominal = words.iter().skip(at.saturating_add(1)).take(4).take_while(|word| *word != ",");
        let nominal: Vec<&String> = nominal.collect();
        let told = nominal.iter().any(|word| lexicon::power(word) || *word == "statement" || *word == "_");
        const LOOKS: &str = "search searches lookup check checks comparison analysis inspection validation calculation screenshot snapshot";
        if !told && let Some(look) = nominal.iter().find(|word| is_in(word, LOOKS)) {
            let quote = format!("{} {look}", words.get(at)?);
            return Some(Claim { class: Class::Read, quote, certain: true });
        }
        if verb.kind == Kind::Weak {
            return None;
        }
    }
    if verb.base == "report" {
        // A tool that reports tells; only a name can mean that it accuses.
        return Some(Claim { class: Class::Read, quote: words.get(at)?.clone(), certain: true });
    }
    Some(claim(words, at, &verb))
}

/// Verbs that leave it to a noun to say what is done: "run a search".
fn light(verb: &Verb) -> bool {
    ["run", "execute", "perform", "make"].contains(&verb.base.as_str())
}

fn claim(words: &[String], at: usize, verb: &Verb) -> Claim {
    let word = words.get(at).cloned().unwrap_or_default();
    let after: Vec<&String> = words.iter().skip(at.saturating_add(1)).take_while(|word| *word != "(").collect();
    let certain = verb.kind == Kind::Pure || after.first().is_some_and(|next| is_in(next, DETERMINERS));
    let moves = verb.class != Class::Read || verb.base == "capture";
    let object = after
        .iter()
        .take(5)
        .take_while(|word| !is_in(word, ", for from to with by in on of about into via using and or that which"));
    let object: Vec<&str> = object.map(|word| word.as_str()).collect();
    let money = object
        .iter()
        .find(|word| lexicon::money(word) || lexicon::account(word) && lexicon::commits(&verb.base))
        .filter(|_| moves && verb.class.severity() < 3);
    if let Some(money) = money {
        return Claim { class: Class::Financial, quote: format!("{word} … {money}"), certain };
    }
    Claim { class: verb.class, quote: word, certain }
}

/// Verbs that are joined to the first: "fetch the report and delete it", "by deleting the old one".
fn joined(words: &[String]) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(verb) = lexicon::verb(word) else { continue };
        let mut before = words.get(..at).unwrap_or_default().iter().rev().skip_while(|word| adverb(word));
        let joint = before.next().map(String::as_str).unwrap_or_default();
        let next = words.get(at.saturating_add(1)).map(String::as_str).unwrap_or_default();
        let followed = is_in(next, DETERMINERS);
        let conjoined = match verb.form {
            Form::Base | Form::Third => {
                let coordinate = is_in(joint, "and or then but");
                // Commas part things as often as verbs.
                let coordinate = coordinate || joint == "," && (followed || verb.class.severity() == 3);
                let purpose = is_in(joint, "to") && verb.class.severity() == 3 && verb.kind == Kind::Pure;
                coordinate && (verb.kind == Kind::Pure && !noun_follows(next) || followed) || purpose && followed
            }
            Form::Gerund => is_in(joint, "and or then by while before after plus") && verb.kind == Kind::Pure,
            Form::Past => false,
        };
        if conjoined && !denied(words, at) {
            claims.push(Claim { certain: true, ..claim(words, at, &verb) });
        }
    }
    claims
}

/// "create and delete permissions": what the verbs are about is a thing that is named after them.
fn noun_follows(word: &str) -> bool {
    is_in(
        word,
        "permission permissions operation operations event events request requests access rights action actions date dates \
                 time times marker markers",
    )
}

/// Whether a denial stands before the word, in the same part of the sentence.
fn denied(words: &[String], at: usize) -> bool {
    let before = words.get(..at).unwrap_or_default().iter().rev();
    before.take(6).take_while(|word| *word != "(" && *word != "but" && *word != "then").any(|word| is_in(word, DENIALS))
}

/// "The source is then deleted": what happens beside what is asked for.
fn passive(words: &[String]) -> Option<Claim> {
    words.iter().enumerate().find_map(|(at, word)| {
        let verb = lexicon::verb(word).filter(|verb| verb.form == Form::Past && verb.class.severity() == 3)?;
        let before: Vec<&str> = words.get(..at)?.iter().rev().take(3).map(String::as_str).collect();
        let is = before.iter().any(|word| is_in(word, "is are be gets get being"));
        let happens =
            before.iter().any(|word| is_in(word, "then also afterwards automatically will gets get subsequently"));
        let says = verb.kind == Kind::Pure && is && happens && !denied(words, at);
        says.then(|| Claim { class: verb.class, quote: word.clone(), certain: true })
    })
}

/// What a later sentence says the tool does. Advice to the reader ("Use … to …", "To …, call …") is none.
fn later(words: &[String]) -> Vec<Claim> {
    let mut from = 0;
    while words.get(from).is_some_and(|word| is_in(word, "warning caution note important danger ( , ⚠")) {
        from = from.saturating_add(1);
    }
    let words = words.get(from..).unwrap_or_default();
    let first = words.first().map(String::as_str).unwrap_or_default();
    if is_in(first, "use to for see call prefer returns return requires require example unlike do don't never not make")
    {
        return Vec::new();
    }
    let words = match first {
        "if" | "when" | "unless" | "once" | "after" | "before" => {
            let comma = words.iter().position(|word| word == ",").map_or(words.len(), |comma| comma.saturating_add(1));
            words.get(comma..).unwrap_or_default()
        }
        _ => words,
    };
    let subject = words.iter().take(6).take_while(|word| is_in(word, SUBJECTS) || adverb(word)).count();
    let Some(verb) = words.get(subject).and_then(|word| lexicon::verb(word)) else { return Vec::new() };
    let followed = words.get(subject.saturating_add(1)).is_some_and(|next| is_in(next, DETERMINERS));
    let says = match verb.form {
        Form::Third => verb.kind == Kind::Pure || verb.kind == Kind::NounToo && followed,
        // "Review this first" tells the reader what to do; where it would be grave, it may be the tool that does it.
        Form::Base => verb.kind == Kind::Pure && (subject > 0 || verb.class.severity() == 3),
        Form::Past | Form::Gerund => false,
    };
    if !says || denied(words, subject) {
        return Vec::new();
    }
    let mut claims = vec![claim(words, subject, &verb)];
    claims.extend(joined(words.get(subject..).unwrap_or_default()));
    claims
}
