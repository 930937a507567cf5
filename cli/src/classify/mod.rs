//! How much harm a tool can do, told from its own definition.
//!
//! The name is read first, then the description, the arguments and the annotations; each may raise the class and none lowers
//! it. A tool is [`Class::Read`] only if a verb says so and nothing speaks against it: what is unknown could be anything.

mod arguments;
mod lexicon;
mod name;
mod prose;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;

use crate::tools::Tool;
use name::Reading;

/// The words of a name in lower case, whatever style it is written in.
pub(crate) fn words(name: &str) -> Vec<String> {
    words::split(name)
}

/// What a tool does, by the harm it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Class {
    /// It looks at something.
    Read,
    /// It makes or changes something.
    Write,
    /// It sets something going, or does what it is told in a language.
    Execute,
    /// It takes away what cannot be brought back.
    Destructive,
    /// It moves money.
    Financial,
}

impl Class {
    /// From 0 (low) to 3 (critical). What destroys and what spends are equally grave.
    pub(crate) fn severity(self) -> u8 {
        match self {
            Self::Read => 0,
            Self::Write => 1,
            Self::Execute => 2,
            Self::Destructive | Self::Financial => 3,
        }
    }

    /// The word for the severity.
    pub(crate) fn severity_word(self) -> &'static str {
        match self.severity() {
            0 => "low",
            1 => "medium",
            2 => "high",
            _ => "critical",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Execute => "Execute",
            Self::Destructive => "Destructive",
            Self::Financial => "Financial",
        })
    }
}

/// Where a tool's definition says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Name,
    Title,
    Description,
    /// An argument, by its name.
    Argument(String),
    Annotation,
}

/// Words of the tool's own definition that speak for a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) class: Class,
    pub(crate) place: Place,
    /// As the definition has them, but for case and bends.
    pub(crate) quote: String,
}

/// `"delete" in the name`
impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What comes from a server must not steer the terminal.
        let plain: String = self.quote.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
        match &self.place {
            Place::Name => write!(f, "\"{plain}\" in the name"),
            Place::Title => write!(f, "\"{plain}\" in the title"),
            Place::Description => write!(f, "\"{plain}\" in the description"),
            Place::Argument(_) => write!(f, "the argument \"{plain}\""),
            Place::Annotation => write!(f, "the annotation {plain}"),
        }
    }
}

/// A class and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) class: Class,
    /// What speaks for it. Empty where nothing was understood, which is taken for the worst that is usual.
    pub(crate) evidence: Vec<Evidence>,
}

/// Tells a tool's class.
pub(crate) fn classify(tool: &Tool) -> Verdict {
    let reading = name::read(&words::split(&tool.name));
    let prose = prose::read(tool.description.as_deref().unwrap_or_default());
    let mut verdict = named(&reading, prose.lead.as_ref());
    let firmly_reads = matches!(&reading, Reading::Does { class: Class::Read, .. });
    let known = matches!(&reading, Reading::Does { .. } | Reading::Something { .. });
    let claim = |claim: &prose::Claim, place: Place| Evidence { class: claim.class, place, quote: claim.quote.clone() };
    let mut others: Vec<Evidence> = Vec::new();
    let told = prose.lead.iter().chain(&prose.others).filter(|said| said.certain || !firmly_reads);
    others.extend(told.map(|said| claim(said, Place::Description)));
    for title in [&tool.title, &tool.annotations.title].into_iter().flatten() {
        let said = prose::read(title).lead;
        others.extend(said.iter().filter(|said| said.certain || !firmly_reads).map(|said| claim(said, Place::Title)));
    }
    others.extend(arguments::evidence(tool, verdict.class));
    others.extend(paid(tool, verdict.class));
    others.extend(annotated(tool, known || prose.lead.is_some()));
    for evidence in others {
        if evidence.class.severity() > verdict.class.severity() {
            verdict = Verdict { class: evidence.class, evidence: vec![evidence] };
        } else if evidence.class == verdict.class && !verdict.evidence.contains(&evidence) {
            verdict.evidence.push(evidence);
        }
    }
    verdict
}

/// What the name says; where that is not clear, with what the description begins with.
fn named(reading: &Reading, lead: Option<&prose::Claim>) -> Verdict {
    let verdict = |class: Class, place: Place, quotes: &[String]| Verdict {
        class,
        evidence: quotes.iter().map(|quote| Evidence { class, place: place.clone(), quote: quote.clone() }).collect(),
    };
    let as_described = |least: Class| match lead {
        Some(lead) if lead.class.severity() >= least.severity() => {
            verdict(lead.class, Place::Description, std::slice::from_ref(&lead.quote))
        }
        Some(_) => verdict(least, Place::Name, &[]),
        None => verdict(Class::Execute, Place::Name, &[]),
    };
    let reads = lead.filter(|lead| lead.class == Class::Read);
    match (reading, reads) {
        (Reading::Does { or_reads: true, .. }, Some(reads)) => {
            verdict(Class::Read, Place::Description, std::slice::from_ref(&reads.quote))
        }
        (Reading::Does { class, quotes, .. }, _) => verdict(*class, Place::Name, quotes),
        (Reading::Something { .. }, _) => as_described(Class::Write),
        (Reading::Thing { quote, power: true, .. }, _) => {
            verdict(Class::Execute, Place::Name, std::slice::from_ref(quote))
        }
        (Reading::Thing { quote, money: true, .. }, None) => {
            verdict(Class::Financial, Place::Name, std::slice::from_ref(quote))
        }
        (Reading::Thing { .. }, _) => as_described(Class::Read),
        (Reading::Unknown { .. }, _) => as_described(Class::Write),
    }
}

/// A plan or subscription that costs something: such words alone may be about newsletters.
fn paid(tool: &Tool, so_far: Class) -> Option<Evidence> {
    let words = words::split(&tool.name);
    let about = words.iter().find(|word| ["subscription", "subscribe", "plan"].contains(&word.as_str()))?;
    let text = tool.description.as_deref().unwrap_or_default().to_lowercase();
    let mut told = text.split(|c: char| !c.is_alphanumeric());
    let costs = ["price", "pricing", "billing", "billed", "payment", "paid", "charge", "charged", "recurring"];
    let cost = told.find(|word| costs.contains(word)).filter(|_| so_far != Class::Read)?;
    let quote = format!("{about} … {cost}");
    Some(Evidence { class: Class::Financial, place: Place::Description, quote })
}

/// Hints of the server. What they deny counts for nothing: nobody holds the server to it.
fn annotated(tool: &Tool, understood: bool) -> Option<Evidence> {
    let hints = &tool.annotations;
    let hint = |class, quote: &str| Some(Evidence { class, place: Place::Annotation, quote: quote.to_owned() });
    match (hints.destructive_hint, hints.read_only_hint) {
        (Some(true), _) if !understood => hint(Class::Destructive, "destructiveHint: true"),
        // A tool that is said to write is destructive where it replaces what was there: too little to hide it.
        (Some(true), _) => hint(Class::Write, "destructiveHint: true"),
        (_, Some(false)) => hint(Class::Write, "readOnlyHint: false"),
        _ => None,
    }
}
