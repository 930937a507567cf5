//! The report for CI systems: a suite for each file, a case for each scenario.

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::run::{Case, Ran};
use crate::failure::Failure;

/// JUnit XML.
///
/// # Errors
/// If it cannot be written.
pub(super) fn of(report: &Report) -> Result<String, Failure> {
    let mut document = Document::new("mcp-policy test");
    document.add_test_suites(report.files.iter().map(suite));
    let mut coverage = TestSuite::new("coverage");
    let least = u64::from(report.min_coverage.unwrap_or_default());
    for policy in report.coverage.policies() {
        let (reached, all, percent) = (policy.reached(), policy.all(), policy.percent());
        let missed: Vec<&str> = policy.missed().collect();
        let said = format!("{reached} of {all} rules ({percent} %), {least} % are wanted");
        let status = if percent < least {
            failure(NonSuccessKind::Failure, &said, &missed.join("\n"))
        } else {
            TestCaseStatus::success()
        };
        let mut case = TestCase::new(policy.title(), status);
        case.set_system_out(format!("{said}\n{}", missed.join("\n")));
        coverage.add_test_case(case);
    }
    document.add_test_suite(coverage);
    document.to_string().map_err(Failure::because("cannot write the report"))
}

fn suite(file: &Ran) -> TestSuite {
    let name = file.path.display().to_string();
    let mut suite = TestSuite::new(name.clone());
    if let Some(error) = &file.error {
        suite.add_test_case(TestCase::new(name.clone(), failure(NonSuccessKind::Error, "cannot be run", error)));
    }
    suite.add_test_cases(file.cases.iter().map(|case| one(case, &name)));
    suite
}

fn one(case: &Case, file: &str) -> TestCase {
    let status = match (&case.error, case.failed.first()) {
        (Some(error), _) => failure(NonSuccessKind::Error, "cannot be run", error),
        (None, None) => TestCaseStatus::success(),
        (None, Some(first)) => {
            let lines = case.failed.iter().flat_map(|failed| {
                let log = failed.logged.iter().map(|line| format!("  the filter says: {line}"));
                let differences = failed.differences.iter().map(|difference| format!("  {difference}"));
                [failed.place.clone()].into_iter().chain(log).chain(differences)
            });
            failure(NonSuccessKind::Failure, &first.place, &lines.collect::<Vec<_>>().join("\n"))
        }
    };
    let mut junit = TestCase::new(case.name.clone(), status);
    junit.set_classname(file.to_owned()).set_time(case.took).set_assertions(case.steps);
    junit
}

fn failure(kind: NonSuccessKind, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message.to_owned()).set_description(description.to_owned());
    status
}
