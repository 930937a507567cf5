//! Sections against sections: name by name, glob by glob, and what neither names.

use std::collections::BTreeSet;

use policy::document::{
    Glob,
    model::{Default, Rule, Section},
};

use super::{
    mark::{Change, Mark},
    rule::{self, Told},
    words,
};

/// What becomes of a name, or of all names of a glob that have no rule of their own.
enum Treatment<'p> {
    Hidden,
    /// By a rule: that of its own, or of a glob.
    Ruled(Option<&'p str>, &'p Rule),
    Default(Default),
    /// Not the same for all of them.
    Various,
}

/// Says how two sections differ. `what` is one of the things they are for, such as `tool`.
pub(super) fn compare(old: &Section, new: &Section, what: &str, changes: &mut Vec<Change>) {
    if old.default != new.default {
        let told = &mut Told { about: format!("{what}s that no rule names"), changes };
        match new.default {
            Default::Allow => told.say(Mark::Loosened, "allowed, were denied".to_owned()),
            Default::Deny => told.say(Mark::Tightened, "denied, were allowed".to_owned()),
        }
    }
    for name in names(old).union(&names(new)) {
        let told = &mut Told { about: format!("{what} {}", words::quoted(name)), changes };
        treatments(&of_name(old, name), &of_name(new, name), told);
    }
    let globs = |section: &Section| -> BTreeSet<String> {
        let rules = section.globs.iter().map(|(glob, _)| glob);
        let all = rules.chain(&section.hide).filter(|glob| glob.exact().is_none());
        all.map(|glob| glob.source().to_owned()).collect()
    };
    for source in globs(old).union(&globs(new)) {
        let Some(glob) = find(old, source).or_else(|| find(new, source)) else { continue };
        let told = &mut Told { about: format!("{what}s {}", words::quoted(source)), changes };
        treatments(&of_glob(old, glob), &of_glob(new, glob), told);
    }
}

/// The names that a section says something of, one by one.
fn names(section: &Section) -> BTreeSet<String> {
    let rules = section.exact.keys().map(|name| name.to_string());
    rules.chain(section.hide.iter().filter_map(Glob::exact)).collect()
}

fn find<'p>(section: &'p Section, source: &str) -> Option<&'p Glob> {
    section.globs.iter().map(|(glob, _)| glob).chain(&section.hide).find(|glob| glob.source() == source)
}

fn of_name<'p>(section: &'p Section, name: &str) -> Treatment<'p> {
    if section.hides(name) {
        return Treatment::Hidden;
    }
    if let Some(rule) = section.exact.get(name) {
        return Treatment::Ruled(None, rule);
    }
    let glob = section.globs.iter().find(|(glob, _)| glob.matches(name));
    glob.map_or(Treatment::Default(section.default), |(glob, rule)| Treatment::Ruled(Some(glob.source()), rule))
}

/// Names that are hidden, or have a better rule, are told of where those are.
fn of_glob<'p>(section: &'p Section, names: &Glob) -> Treatment<'p> {
    if section.hide.iter().any(|glob| glob.covers(names)) {
        return Treatment::Hidden;
    }
    if let Some((_, rule)) = section.globs.iter().find(|(glob, _)| glob.source() == names.source()) {
        return Treatment::Ruled(None, rule);
    }
    if section.hide.iter().any(|glob| glob.exact().is_none() && glob.overlaps(names)) {
        return Treatment::Various;
    }
    match section.globs.iter().find(|(glob, _)| glob.overlaps(names)) {
        Some((glob, rule)) if glob.covers(names) => Treatment::Ruled(Some(glob.source()), rule),
        Some(_) => Treatment::Various,
        None => Treatment::Default(section.default),
    }
}

fn treatments(old: &Treatment<'_>, new: &Treatment<'_>, told: &mut Told<'_>) {
    let refused = |treatment: &Treatment<'_>| match treatment {
        Treatment::Hidden | Treatment::Default(Default::Deny) => true,
        Treatment::Ruled(_, rule) => rule::refuses_all(rule),
        Treatment::Default(Default::Allow) | Treatment::Various => false,
    };
    let now_was = || format!("{}, was {}", shown(new), shown(old));
    match (old, new) {
        (Treatment::Hidden, Treatment::Hidden)
        | (Treatment::Various, Treatment::Various)
        // What no rule names is told of by itself.
        | (Treatment::Default(_), Treatment::Default(_)) => {}
        // That rule is told of by itself.
        (Treatment::Ruled(Some(one), _), Treatment::Ruled(Some(other), _)) if one == other => {}
        (Treatment::Ruled(_, old), Treatment::Ruled(_, new)) => rule::compare(old, new, told),
        _ if refused(old) && refused(new) => told.say(Mark::Changed, now_was()),
        // Nothing passed; of what passes now it is sure only where it is known.
        (Treatment::Various, _) if refused(new) => told.say(Mark::Tightened, now_was()),
        (_, Treatment::Various) if refused(old) => told.say(Mark::Loosened, now_was()),
        (Treatment::Various, _) | (_, Treatment::Various) => told.say(Mark::Changed, now_was()),
        _ if refused(old) => told.say(Mark::Loosened, now_was()),
        _ if refused(new) => told.say(Mark::Tightened, now_was()),
        (Treatment::Ruled(_, old), _) => rule::compare(old, &rule::empty(), told),
        (_, Treatment::Ruled(_, new)) => rule::compare(&rule::empty(), new, told),
        _ => told.say(Mark::Changed, now_was()),
    }
}

fn shown(treatment: &Treatment<'_>) -> String {
    match treatment {
        Treatment::Hidden => "hidden".to_owned(),
        Treatment::Ruled(_, rule) if rule::refuses_all(rule) => "denied".to_owned(),
        Treatment::Ruled(_, rule) => words::rule(rule),
        Treatment::Default(Default::Allow) => "allowed by default".to_owned(),
        Treatment::Default(Default::Deny) => "denied by default".to_owned(),
        Treatment::Various => "under several rules".to_owned(),
    }
}
