//! Reading scenario files, and saying what is wrong with them.

use std::path::Path;

use serde_json::{Map, Value, json};
use serde_saphyr::options;

use super::document::{Answer, File, Placed, Scenario, Step};
use super::error::ScenarioError;
use super::expectation::Expectation;

/// How often a step can be done: a policy's limits are rarely higher, and each time takes memory.
const MOST_TIMES: usize = 10_000;

impl File {
    /// Reads one file.
    ///
    /// # Errors
    /// If it cannot be read, is not YAML, or says something that no scenario has.
    pub fn read(path: &Path) -> Result<Self, ScenarioError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScenarioError::Io { path: path.into(), source })?;
        Self::parse(&text, path)
    }

    /// Reads the text of a file; `path` is what it is called in messages.
    ///
    /// # Errors
    /// If it is not YAML, or says something that no scenario has.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ScenarioError> {
        // Only `true` and `false` are booleans, as in JSON: `no` is the name of a country.
        let options = options! { strict_booleans: true };
        let mut file: Self = serde_saphyr::from_str_with_options(text, options)
            .map_err(|source| ScenarioError::Text { path: path.into(), source: Box::new(source) })?;
        file.path = path.into();
        file.check()?;
        file.unroll();
        file.fetch_documents()?;
        Ok(file)
    }

    /// Reads all files `*.yaml` of a folder, in the order of their names.
    ///
    /// # Errors
    /// As [`File::read`].
    pub fn read_folder(folder: &Path) -> Result<Vec<Self>, ScenarioError> {
        let unreadable = |source| ScenarioError::Io { path: folder.into(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(unreadable)? {
            paths.push(entry.map_err(unreadable)?.path());
        }
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn check(&self) -> Result<(), ScenarioError> {
        for scenario in &self.scenarios {
            let nonsense = |problem| Err(ScenarioError::Nonsense { place: self.place(scenario), problem });
            let Scenario { policy, settings, configuration, .. } = &scenario.value;
            let common = self.configuration.is_some() && (self.policy.is_some() || !self.settings.is_empty());
            if common || configuration.is_some() && (policy.is_some() || !settings.is_empty()) {
                return nonsense("`configuration` stands in place of `policy` and `settings`");
            }
            if self.configuration.is_some() && policy.is_none() && !settings.is_empty() {
                return nonsense("`settings` add to a `policy`, and the file has a `configuration`");
            }
            if [configuration, policy, &self.policy, &self.configuration].into_iter().all(Option::is_none) {
                return nonsense("there is neither a `policy` nor a `configuration`");
            }
            for (index, step) in scenario.value.steps.iter().enumerate() {
                let place = self.place_of_step(scenario, index);
                step.value.check().map_err(|problem| ScenarioError::Nonsense { place, problem })?;
            }
        }
        Ok(())
    }

    /// Writes a step out that is done several times.
    fn unroll(&mut self) {
        for scenario in &mut self.scenarios {
            let steps = std::mem::take(&mut scenario.value.steps);
            for (index, step) in steps.into_iter().enumerate() {
                for time in 1..=step.value.times.unwrap_or(1) {
                    let mut step = step.clone();
                    step.value.number = (index + 1, time);
                    scenario.value.steps.push(step);
                }
            }
        }
    }

    /// File, line and name of a scenario, for messages.
    #[must_use]
    pub fn place(&self, scenario: &Placed<Scenario>) -> String {
        format!("{}:{}: {}", self.path.display(), scenario.referenced.line(), scenario.value.name)
    }

    /// File, line and name of a step, counted from 0, for messages.
    #[must_use]
    pub fn place_of_step(&self, scenario: &Placed<Scenario>, index: usize) -> String {
        let Some(step) = scenario.value.steps.get(index) else { return self.place(scenario) };
        let about = step.value.about.as_deref().map(|about| format!(" ({about})")).unwrap_or_default();
        let (path, line) = (self.path.display(), step.referenced.line());
        let (number, time) = match step.value.number {
            // It is still being read.
            (0, _) => (index + 1, String::new()),
            (number, 1) => (number, String::new()),
            (number, time) => (number, format!(", time {time}")),
        };
        format!("{path}:{line}: {}, step {number}{about}{time}", scenario.value.name)
    }

    /// The plugin's configuration of a scenario. A policy holds everywhere, and heads are held until they are judged,
    /// unless the settings say otherwise.
    #[must_use]
    pub fn configuration(&self, scenario: &Scenario) -> Value {
        let common = self.configuration.as_ref().filter(|_| scenario.policy.is_none());
        if let Some(configuration) = scenario.configuration.as_ref().or(common) {
            return configuration.clone();
        }
        let policy = scenario.policy.as_ref().or(self.policy.as_ref());
        let mut whole = Map::new();
        whole.insert("policies".into(), json!({ "policy": policy }));
        whole.insert("routes".into(), json!([{ "policy": "policy" }]));
        whole.insert("request_headers".into(), json!("hold"));
        for (name, value) in self.settings.iter().chain(&scenario.settings) {
            whole.insert(name.clone(), value.clone());
        }
        whole.into()
    }

    /// The same scenarios with heads that stream ahead of their bodies. Those that say themselves how heads are taken are
    /// left out, unless they say `hold`.
    #[must_use]
    pub fn with_heads_streamed(&self) -> Self {
        let streamed = |scenario: &Placed<Scenario>| {
            let mut scenario = scenario.clone();
            if !self.holds_heads(&scenario.value) {
                return None;
            }
            if scenario.value.configuration.is_none() && scenario.value.policy.is_none() {
                scenario.value.configuration.clone_from(&self.configuration);
            }
            let members = match &mut scenario.value.configuration {
                Some(whole) => whole.as_object_mut()?,
                None => &mut scenario.value.settings,
            };
            members.insert("request_headers".into(), json!("stream"));
            Some(scenario)
        };
        Self { scenarios: self.scenarios.iter().filter_map(streamed).collect(), ..self.clone() }
    }

    /// Whether the heads of requests are held until they are judged.
    #[must_use]
    pub fn holds_heads(&self, scenario: &Scenario) -> bool {
        self.configuration(scenario).get("request_headers").is_some_and(|value| value == "hold")
    }
}

impl Step {
    fn check(&self) -> Result<(), &'static str> {
        let Self { call, request, message, text, base64, repeat, answer, expect, .. } = self;
        let forms =
            [call.is_some(), request.is_some(), message.is_some(), text.is_some(), base64.is_some(), repeat.is_some()];
        if forms.into_iter().filter(|given| *given).count() > 1 {
            return Err("the body is given in more than one form");
        }
        if self.body().is_some_and(|body| body.bytes().is_none()) {
            return Err("the body is not base64");
        }
        if let Some(answer) = answer {
            answer.check()?;
        }
        if *expect == Expectation::default() {
            return Err("nothing is expected");
        }
        if expect.limited.is_none() && (expect.retry_after_ms.is_some() || expect.remaining.is_some()) {
            return Err("`retry_after_ms` and `remaining` are told of what is `limited`");
        }
        if self.session.is_some() && self.headers.keys().any(|name| name.eq_ignore_ascii_case("mcp-session-id")) {
            return Err("`session` and the header `mcp-session-id` are the same");
        }
        if self.times.is_some_and(|times| !(1..=MOST_TIMES).contains(&times)) {
            return Err("`times` is 1 to 10000");
        }
        self.wall_clock()?;
        Ok(())
    }
}

impl Answer {
    fn check(&self) -> Result<(), &'static str> {
        let Self { result, message, events, stream, text, base64, repeat, .. } = self;
        let forms = [
            result.is_some(),
            message.is_some(),
            events.is_some(),
            stream.is_some(),
            text.is_some(),
            base64.is_some(),
            repeat.is_some(),
        ];
        if forms.into_iter().filter(|given| *given).count() > 1 {
            return Err("the answer's body is given in more than one form");
        }
        if self.body().is_some_and(|body| body.bytes().is_none()) {
            return Err("the answer's body is not base64");
        }
        Ok(())
    }
}
