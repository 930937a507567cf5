//! URI templates.

use proptest::prelude::*;

use super::*;

#[test]
fn expressions_stay_and_all_around_them_is_normalised() {
    for (template, normal) in [
        ("file:///srv/lab/{path}", "file:///srv/lab/{path}"),
        ("FILE://localhost/srv/x/../%6cab/{Path}.csv", "file:///srv/lab/{Path}.csv"),
        ("file:///srv/lab/../etc/{x}", "file:///srv/etc/{x}"),
        ("file:////srv//lab//{x}", "file:///srv/lab/{x}"),
        ("file:/{path}", "file:///{path}"),
        ("file:///{+path}", "file:///{+path}"),
        ("file:///{path*}", "file:///{path*}"),
        ("file:///srv/lab/{/path*}", "file:///srv/lab{/path*}"),
        ("file:///srv/x/..{/path}", "file:///srv{/path}"),
        ("file:{/path}", "file://{/path}"),
        ("db://{table}/rows{?limit}", "db://{table}/rows{?limit}"),
        ("DB://Lab-{Table}/rows{?limit,from_id:3}{&x}", "db://lab-{Table}/rows{?limit,from_id:3}{&x}"),
        ("db://{table}", "db://{table}/"),
        ("db://{table}{?limit}", "db://{table}/{?limit}"),
        ("db://lab{/path*}", "db://lab{/path*}"),
        ("db://lab/rows?a=%2e1&b={b}{&c}", "db://lab/rows?a=.1&b={b}{&c}"),
        ("db://lab/{a}-{b}{.ext}{;x}", "db://lab/{a}-{b}{.ext}{;x}"),
        ("db://lab/{a.b,c_2}", "db://lab/{a.b,c_2}"),
        ("https://Example.com:443/%7e{user}/{+rest}", "https://example.com/~{user}/{+rest}"),
        ("https://example.com{/path}", "https://example.com{/path}"),
        ("memo:{id}", "memo:{id}"),
        ("memo:/{id}", "memo:///{id}"),
        ("memo:lab/{+id}", "memo:lab/{+id}"),
        ("memo://{id}/%7Bx%7D", "memo://{id}/%7Bx%7D"),
    ] {
        assert_eq!(normalize_template(template).as_deref(), Ok(normal), "{template}");
        assert_eq!(normalize_template(normal).as_deref(), Ok(normal), "{template}");
    }
}

fn refused(error: UriError, templates: &[&str]) {
    for template in templates {
        assert_eq!(normalize_template(template), Err(error), "{template:?}");
    }
}

#[test]
fn malformed_expressions_are_refused() {
    refused(
        UriError::Expression,
        &[
            "file:///{",
            "file:///}",
            "file:///{a",
            "file:///a}",
            "file:///{a}}",
            "file:///{{a}}",
            "file:///{}",
            "file:///{+}",
            "file:///{a,}",
            "file:///{a b}",
            "file:///{a/b}",
            "file:///{a:0}",
            "file:///{a:12345}",
            "file:///{a:}",
            "file:///{a**}",
            "file:///{=a}",
            "file:///{|a}",
            "file:///{a..b}",
            "file:///{%61}",
            "file:///{../etc}",
        ],
    );
    refused(UriError::BadCharacter, &["file:///{a}\u{2}", "file:///\u{4}{a}", "file:///{a} b"]);
}

#[test]
fn an_expression_that_could_change_scheme_host_or_query_is_refused() {
    refused(
        UriError::Expression,
        &[
            "{scheme}://lab/x",
            "f{x}:///a",
            "{a}:b",
            "https://{host}/x",
            "https://a{host}/x",
            "https://example.com{+path}",
            "https://example.com:{port}/",
            "https:/{/x}",
            "db://{+host}/x",
            "db://{host*}/x",
            "db://lab{.tld}/x",
            "db://lab{+path}",
            "memo:{+path}",
            "memo:{path*}",
            "memo:/{+path}",
            "file:{+path}",
            "file:/{+path}",
            "db://lab/rows{?a}/private",
            "db://lab/rows{?a}{x}",
            "db://lab/rows{?a}/x{&b}",
            "db://lab/rows{?a}{/x}",
            "db://lab/rows{?a}{?b}",
            "db://lab/rows?a=b{?c}",
            "db://lab/rows{&c}",
        ],
    );
    refused(UriError::NoScheme, &["{+path}", "{path}", "/srv/{x}"]);
    refused(UriError::NotLocal, &["file://{host}/x", "file://localhost{x}/y", "file:{path}", "file:/{/x}"]);
    refused(UriError::BadAuthority, &["db://lab:{port}/x", "db://[{x}]/"]);
    refused(UriError::UserInfo, &["db://{user}@lab/x"]);
}

#[test]
fn what_only_some_expansions_are_refused_for_is_refused() {
    refused(
        UriError::DotSegment,
        &[
            "file:///srv/{x}/../etc",
            "file:///srv/.{x}/etc",
            "file:///srv/{x}./etc",
            "file:///srv/..{x}",
            "file:///srv/%2e{x}",
            "file:///srv/{x}/%2e%2e/etc",
            "db://lab/{.x}",
            "db://lab/a?b=.{x}",
            "memo:..{x}",
        ],
    );
    refused(UriError::BadAuthority, &["db://.{x}/a", "db://{x}./a"]);
    refused(UriError::BadEncoding, &["file:///%{x}", "file:///%2{x}"]);
    refused(UriError::EncodedTwice, &["file:///%25{x}", "file:///%252{x}", "db://lab/a?b=%25{x}"]);
    refused(UriError::EncodedSlash, &["file:///%2f{x}"]);
    refused(UriError::AboveRoot, &["file:///../{x}"]);
    refused(UriError::FileQuery, &["file:///a{?x}", "file:///a?{x}"]);
    refused(UriError::Fragment, &["db://lab/{#x}", "db://lab/{x}#y"]);
    refused(UriError::Parameter, &["file:///a{;x}", "https://example.com/a{;x}"]);
    refused(UriError::TrailingSlash, &["file:///{x}/"]);
    refused(UriError::TrailingDot, &["file:///a.{/x}", "file:///a{x}."]);
    refused(UriError::EmptySegment, &["db://lab/{x}//y", "db://lab/{/x}"]);
}

#[test]
fn a_text_without_braces_is_a_uri() {
    for uri in ["FILE:/a/../b", "db://lab", "file:///a?b", "", "https://u@h/", "file:///\u{2}"] {
        assert_eq!(normalize_template(uri), normalize(uri), "{uri}");
    }
    let long = format!("a:{}{{b}}", "b".repeat(MAX_BYTES - 5));
    assert!(normalize_template(&long).is_ok());
    assert_eq!(normalize_template(&format!("{long}c")), Err(UriError::TooLong));
}

/// What RFC 6570 makes of a template whose variables are all set to `value`.
fn expanded(template: &str, value: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (inner, after) = after.split_once('}').unwrap();
        out += before;
        let operator = inner.chars().next().filter(|c| "+#./;?&".contains(*c));
        let names = inner[operator.map_or(0, char::len_utf8)..].split(',');
        let named = matches!(operator, Some(';' | '?' | '&'));
        let values = names.map(|name| {
            let name = name.split(':').next().unwrap().trim_end_matches('*');
            if named { format!("{name}={value}") } else { value.to_owned() }
        });
        let between = match operator {
            Some('+' | '#') | None => ",",
            Some('?') => "&",
            Some('.') => ".",
            Some('/') => "/",
            Some(';') => ";",
            _ => "&",
        };
        out.extend(operator.filter(|operator| *operator != '+'));
        out += &values.collect::<Vec<_>>().join(between);
        rest = after;
    }
    out + rest
}

fn template() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "/", "/", "/", "/a", "/b/", "/../", "/./", "..", ".", "//", "%2e", "%25", "%41", "%4", "?", "&", ";", "%3B",
        ":", "@", "x", "{x}", "{x}", "/{y}", "{+x}", "{x*}", "{/x}", "{/x*}", "{.x}", "{;x}", "{?x}", "{?x,y}", "{&x}",
        "{#x}", "{x,y}", "{x:3}", "{", "}",
    ]);
    let start = prop::sample::select(vec![
        "file:",
        "file:/",
        "file:///",
        "FILE:////",
        "file://localhost",
        "db:",
        "db:/",
        "db://",
        "db://lab",
        "DB://Lab/",
        "db:lab/",
        "https://a.b",
        "https://A.b:443/",
        "{x}:",
        "{x}",
    ]);
    (start, prop::collection::vec(piece, 0..8)).prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn a_normal_form_expands_to_the_normal_forms_of_expansions(template in template(), value in "[a-z][a-z0-9]{0,3}") {
        let Ok(normal) = normalize_template(&template) else { return Ok(()) };
        prop_assert_eq!(normalize(&expanded(&template, &value)), Ok(expanded(&normal, &value)), "{}", normal);
        prop_assert_eq!(normalize_template(&normal), Ok(normal.clone()));
    }

    #[test]
    fn no_value_leads_an_expansion_out_of_what_stands_before_it(template in template(), value in "[a-z]([a-z.]|%2E|%20|;){0,3}") {
        let Ok(normal) = normalize_template(&template) else { return Ok(()) };
        let Ok(uri) = normalize(&expanded(&template, &value)) else { return Ok(()) };
        let literal = normal.split('{').next().unwrap();
        prop_assert!(uri.starts_with(literal), "{} of {}", uri, normal);
    }

    #[test]
    fn no_text_makes_a_template_panic(text: String) {
        prop_assert!(normalize_template(&text).is_ok_and(|normal| normal.is_ascii()) || normalize_template(&text).is_err());
    }
}
