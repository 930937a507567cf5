//! Regular expressions that let through more than they seem to.

use policy::document::condition::Test;
use regex_syntax::ast::{AssertionKind, Ast, parse::Parser};

use super::{List, Subject};
use crate::check::{code::OPEN_REGEX, finding::Findings};

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings<'_>) {
    for rule in subject.rules() {
        for (number, predicate) in rule.require.iter().enumerate() {
            for (index, condition) in predicate.conditions.iter().enumerate() {
                let Test::Regex(regex) = &condition.test else { continue };
                let Some((message, help)) = doubt(regex.as_str()) else { continue };
                let list = List::Require.name();
                let at = format!("{}/{list}/{number}/conditions/{index}/value", subject.rule(rule));
                findings.of_value(&OPEN_REGEX, at, message.to_owned(), Some(help));
            }
        }
    }
}

/// What is doubtful about an expression that is to hold of a whole value.
fn doubt(expression: &str) -> Option<(&'static str, String)> {
    let ast = Parser::new().parse(expression).ok()?;
    let parts: Vec<&Ast> = match &ast {
        Ast::Concat(concat) => concat.asts.iter().collect(),
        Ast::Alternation(alternation) => return half_anchored(&alternation.asts, expression),
        other => vec![other],
    };
    let (starts, ends) =
        (parts.first().is_some_and(|part| is_start(part)), parts.last().is_some_and(|part| is_end(part)));
    let rest = parts.get(usize::from(starts)..parts.len().saturating_sub(usize::from(ends)))?;
    // One class of characters, repeated: what is said of all characters is asked of some only.
    let [Ast::Repetition(repetition)] = rest else { return None };
    let class = matches!(*repetition.ast, Ast::ClassBracketed(_) | Ast::ClassPerl(_) | Ast::ClassUnicode(_));
    if (starts && ends) || !class {
        return None;
    }
    let bare = expression.trim_start_matches('^').trim_end_matches('$');
    let message = match (starts, ends) {
        (true, _) => "the value may go on in any way after this: nothing holds the end",
        (_, true) => "the value may begin in any way before this: nothing holds the start",
        _ => "this is found anywhere: a value with anything else around it passes too",
    };
    Some((message, format!("`^{bare}$` holds of the whole value")))
}

/// `^a|b$`: the anchors belong to one alternative each.
fn half_anchored(alternatives: &[Ast], expression: &str) -> Option<(&'static str, String)> {
    let ends_of = |ast: &Ast| match ast {
        Ast::Concat(concat) => (concat.asts.first().is_some_and(is_start), concat.asts.last().is_some_and(is_end)),
        other => (is_start(other), is_end(other)),
    };
    let (first, last) = (ends_of(alternatives.first()?), ends_of(alternatives.last()?));
    let bare = expression.strip_prefix('^')?.strip_suffix('$')?;
    (first == (true, false) && last == (false, true)).then(|| {
        let message =
            "`^` holds for the first alternative only, and `$` for the last: `|` separates more than they join";
        (message, format!("`^({bare})$` holds of the whole value"))
    })
}

fn is_start(ast: &Ast) -> bool {
    matches!(ast, Ast::Assertion(a) if matches!(a.kind, AssertionKind::StartLine | AssertionKind::StartText))
}

fn is_end(ast: &Ast) -> bool {
    matches!(ast, Ast::Assertion(a) if matches!(a.kind, AssertionKind::EndLine | AssertionKind::EndText))
}
