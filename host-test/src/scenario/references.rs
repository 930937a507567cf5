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
        let mut found = Vec::new();
        let place = self.path.display().to_string();
        for slot in [&mut self.policy, &mut self.configuration] {
            found.extend(fetch(slot, &folder, &place)?);
        }
        let places: Vec<String> = self.scenarios.iter().map(|scenario| self.place(scenario)).collect();
        for (scenario, place) in self.scenarios.iter_mut().zip(places) {
            let Scenario { policy, configuration, .. } = &mut scenario.value;
            for slot in [policy, configuration] {
                found.extend(fetch(slot, &folder, &place)?);
            }
        }
        self.documents = found.into_iter().collect();
        Ok(())
    }
}

fn fetch(slot: &mut Option<Value>, folder: &Path, place: &str) -> Result<Option<PathBuf>, ScenarioError> {
    let Some(Value::String(name)) = slot else { return Ok(None) };
    let path = folder.join(&*name);
    let problem = |why: String| ScenarioError::Document { place: place.to_owned(), path: path.clone(), why };
    let text = std::fs::read(&path).map_err(|error| problem(error.to_string()))?;
    *slot = Some(serde_json::from_slice(&text).map_err(|error| problem(error.to_string()))?);
    Ok(Some(path))
}
