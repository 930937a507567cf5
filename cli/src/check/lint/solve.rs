//! Whether a value can meet two conditions at once.

use std::ops::RangeInclusive;

use policy::document::{
    condition::{Condition, Scalar, Test},
    path::Root,
};

/// Whether both look at the same value or values.
pub(super) fn same_path(one: &Condition, other: &Condition) -> bool {
    one.path.root == other.path.root && one.path.steps == other.path.steps
}

/// Whether surely no value meets both. Both look at the same place; they may be the same condition.
pub(super) fn exclude(one: &Condition, other: &Condition) -> bool {
    let (a, b) = (&one.test, &other.test);
    if let Some(all) = domain(&one.path.root) {
        return !all.into_iter().map(|n| Scalar::Number(f64::from(n))).any(|n| could_meet(a, &n) && could_meet(b, &n));
    }
    let no_listed = |list: &Test, test: &Test| listed(list).is_some_and(|all| !all.iter().any(|s| could_meet(test, s)));
    Types::of(a).intersect(Types::of(b)) == Types::NONE
        || no_listed(a, b)
        || no_listed(b, a)
        || Bounds::of(a).exclude(&Bounds::of(b))
        || shorter(a, b)
        || shorter(b, a)
        || other_ends(a, b)
}

/// All values of a root that has few.
fn domain(root: &Root) -> Option<RangeInclusive<u32>> {
    match root {
        Root::Hour => Some(0..=23),
        Root::Weekday => Some(1..=7),
        _ => None,
    }
}

/// The values that a test leaves, if it names them.
fn listed(test: &Test) -> Option<&[Scalar]> {
    match test {
        Test::Eq(value) => Some(std::slice::from_ref(value)),
        Test::In(values) => Some(values),
        _ => None,
    }
}

/// Whether a value meets a test, or may.
fn could_meet(test: &Test, value: &Scalar) -> bool {
    let number = |holds: fn(f64, f64) -> bool, bound: f64| matches!(value, Scalar::Number(n) if holds(*n, bound));
    let text = |holds: &dyn Fn(&str) -> bool| matches!(value, Scalar::String(text) if holds(text));
    let like = |other: &Scalar| std::mem::discriminant(other) == std::mem::discriminant(value);
    match test {
        Test::Eq(other) => other == value,
        Test::Neq(other) => like(other) && other != value,
        Test::In(list) => list.contains(value),
        Test::NotIn(list) => !list.contains(value) && list.iter().any(like),
        Test::Lt(bound) => number(|n, b| n < b, *bound),
        Test::Lte(bound) => number(|n, b| n <= b, *bound),
        Test::Gt(bound) => number(|n, b| n > b, *bound),
        Test::Gte(bound) => number(|n, b| n >= b, *bound),
        Test::Exists => *value != Scalar::Null,
        Test::Regex(regex) => text(&|text| regex.is_match(text)),
        Test::Contains(Scalar::String(part)) => text(&|text| text.contains(&**part)),
        // Only an array holds anything else.
        Test::Contains(_) => false,
        Test::StartsWith(start) => text(&|text| text.starts_with(&**start)),
        Test::EndsWith(end) => text(&|text| text.ends_with(&**end)),
        // Whether the address is in the range is left open.
        Test::Cidr(_) => text(&|_| true),
        Test::LengthLte(most) => text(&|text| length(text) <= *most),
        Test::LengthGte(least) => text(&|text| length(text) >= *least),
    }
}

fn length(text: &str) -> u64 {
    u64::try_from(text.chars().count()).unwrap_or(u64::MAX)
}

/// The JSON types of which a value can meet a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types(u8);

impl Types {
    const NONE: Self = Self(0);
    const NULL: Self = Self(1);
    const BOOL: Self = Self(2);
    const NUMBER: Self = Self(4);
    const STRING: Self = Self(8);
    const ARRAY: Self = Self(16);
    const OBJECT: Self = Self(32);

    fn of(test: &Test) -> Self {
        match test {
            Test::Eq(value) | Test::Neq(value) => Self::of_scalar(value),
            Test::In(values) | Test::NotIn(values) => values.iter().map(Self::of_scalar).fold(Self::NONE, Self::union),
            Test::Lt(_) | Test::Lte(_) | Test::Gt(_) | Test::Gte(_) => Self::NUMBER,
            Test::Exists => {
                [Self::NUMBER, Self::STRING, Self::ARRAY, Self::OBJECT].into_iter().fold(Self::BOOL, Self::union)
            }
            Test::Regex(_) | Test::StartsWith(_) | Test::EndsWith(_) | Test::Cidr(_) => Self::STRING,
            Test::Contains(Scalar::String(_)) | Test::LengthLte(_) | Test::LengthGte(_) => {
                Self::STRING.union(Self::ARRAY)
            }
            Test::Contains(_) => Self::ARRAY,
        }
    }

    fn of_scalar(value: &Scalar) -> Self {
        match value {
            Scalar::Null => Self::NULL,
            Scalar::Bool(_) => Self::BOOL,
            Scalar::Number(_) => Self::NUMBER,
            Scalar::String(_) => Self::STRING,
        }
    }

    fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn intersect(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Between what a number must lie; whether the bound itself is left out.
struct Bounds {
    least: Option<(f64, bool)>,
    most: Option<(f64, bool)>,
}

impl Bounds {
    fn of(test: &Test) -> Self {
        match test {
            Test::Gt(bound) => Self { least: Some((*bound, true)), most: None },
            Test::Gte(bound) => Self { least: Some((*bound, false)), most: None },
            Test::Lt(bound) => Self { least: None, most: Some((*bound, true)) },
            Test::Lte(bound) => Self { least: None, most: Some((*bound, false)) },
            _ => Self { least: None, most: None },
        }
    }

    fn exclude(&self, other: &Self) -> bool {
        let above = |one: &Self, other: &Self| match (one.least, other.most) {
            (Some((least, open)), Some((most, also))) => least > most || least == most && (open || also),
            _ => false,
        };
        above(self, other) || above(other, self)
    }
}

fn shorter(one: &Test, other: &Test) -> bool {
    matches!((one, other), (Test::LengthLte(most), Test::LengthGte(least)) if least > most)
}

fn other_ends(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::StartsWith(a), Test::StartsWith(b)) => !a.starts_with(&**b) && !b.starts_with(&**a),
        (Test::EndsWith(a), Test::EndsWith(b)) => !a.ends_with(&**b) && !b.ends_with(&**a),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(path: &str, op: &str, value: &str) -> Condition {
        let text = format!(
            r#"{{"version":"1","default":"deny","tools":{{"t":{{"require":[{{"conditions":[
                {{"path":"{path}","op":"{op}","value":{value}}}]}}]}}}}}}"#
        );
        let policy = policy::document::load(text.as_bytes()).unwrap();
        policy.tools.exact["t"].require[0].conditions[0].clone()
    }

    #[test]
    fn conditions_exclude_each_other_where_no_value_meets_both() {
        for (path, one, other, excluded) in [
            ("args.x", ("gt", "5"), ("lt", "3"), true),
            ("args.x", ("gt", "5"), ("lt", "5"), true),
            ("args.x", ("gte", "5"), ("lt", "5"), true),
            ("args.x", ("gte", "5"), ("lte", "5"), false),
            ("args.x", ("gt", "5"), ("lt", "5.5"), false),
            ("args.x", ("gt", "5"), ("regex", "\"5\""), true),
            ("args.x", ("eq", "5"), ("neq", "5"), true),
            ("args.x", ("eq", "5"), ("neq", "6"), false),
            ("args.x", ("eq", "5"), ("gt", "4"), false),
            ("args.x", ("eq", "\"5\""), ("gt", "4"), true),
            ("args.x", ("eq", "\"a\""), ("eq", "\"b\""), true),
            ("args.x", ("in", "[\"a\",\"b\"]"), ("not_in", "[\"b\",\"a\"]"), true),
            ("args.x", ("in", "[\"a\",\"b\"]"), ("not_in", "[\"b\"]"), false),
            ("args.x", ("in", "[\"a\",5]"), ("gt", "4"), false),
            ("args.x", ("eq", "null"), ("exists", "true"), true),
            ("args.x", ("eq", "\"a\""), ("exists", "true"), false),
            ("args.x", ("eq", "\"lab\""), ("regex", "\"^x\""), true),
            ("args.x", ("eq", "\"10.0.0.1\""), ("cidr", "\"192.168.0.0/16\""), false),
            ("args.x", ("length_lte", "3"), ("length_gte", "4"), true),
            ("args.x", ("length_lte", "3"), ("length_gte", "3"), false),
            ("args.x", ("eq", "\"äöü\""), ("length_lte", "3"), false),
            ("args.x", ("starts_with", "\"/srv/a\""), ("starts_with", "\"/srv/\""), false),
            ("args.x", ("starts_with", "\"/srv/\""), ("starts_with", "\"/etc/\""), true),
            ("args.x", ("contains", "\"a\""), ("length_gte", "2"), false),
            ("args.x", ("contains", "5"), ("starts_with", "\"a\""), true),
            ("time.hour", ("gt", "21"), ("lt", "6"), true),
            ("time.hour", ("gt", "5"), ("lt", "7"), false),
            ("time.hour", ("gt", "5"), ("lt", "6"), true),
            ("time.hour", ("gt", "23"), ("gt", "23"), true),
            ("time.weekday", ("in", "[6,7]"), ("lt", "6"), true),
        ] {
            let (one, other) = (condition(path, one.0, one.1), condition(path, other.0, other.1));
            assert_eq!(exclude(&one, &other), excluded, "{one:?} {other:?}");
            assert_eq!(exclude(&other, &one), excluded, "{other:?} {one:?}");
        }
    }
}
