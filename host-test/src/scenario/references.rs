//! Policies and configurations that a scenario file names instead of holding.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::document::{File, Scenario};
use super::error::ScenarioError;

impl File {
    /// Puts what the named files hold in the place of their names, and remembers which they are.
    ///
    /// # Errors
    /// If one cannot be read, or is not JSON. Whether it is a policy is for the filter to say.
    pub(super) fn fetch_documents(&mut self) -> Result<(), ScenarioError> {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        let place = self.path.display().to_string();
        self.document = fetch([&mut self.policy, &mut self.configuration], &folder, &place)?;
        let places: Vec<String> = self.scenarios.iter().map(|scenario| self.place(scenario)).collect();
        for (scenario, place) in self.scenarios.iter_mut().zip(places) {
            let Scenario { policy, configuration, document, .. } = &mut scenario.value;
            *document = fetch([policy, configuration], &folder, &place)?;
        }
        Ok(())
    }

    /// The file that a scenario's policy or configuration was read from; none if it is written where it is used.
    #[must_use]
    pub fn document<'s>(&'s self, scenario: &'s Scenario) -> Option<&'s Path> {
        let own = scenario.policy.is_some() || scenario.configuration.is_some();
        if own { &scenario.document } else { &self.document }.as_deref()
    }
}

/// Of the two, at most one is given.
fn fetch(slots: [&mut Option<Value>; 2], folder: &Path, place: &str) -> Result<Option<PathBuf>, ScenarioError> {
    for slot in slots {
        let Some(Value::String(name)) = slot else { continue };
        let path = folder.join(&*name);
        let problem = |why: String| ScenarioError::Document { place: place.to_owned(), path: path.clone(), why };
        let text = std::fs::read(&path).map_err(|error| problem(error.to_string()))?;
        *slot = Some(serde_json::from_slice(&text).map_err(|error| problem(error.to_string()))?);
        return Ok(Some(path));
    }
    Ok(None)
}
