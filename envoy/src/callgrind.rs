//! Counting instructions: Envoy under valgrind's callgrind. Unlike CPU time, the count hardly depends on the machine, or on
//! what else it does. Only what runs in Envoy's process is counted, not what the kernel does for it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Result};

/// How to begin and end a count in one process.
#[derive(Debug, Clone)]
pub(crate) struct Callgrind {
    /// Counts are written to files whose names begin with this.
    out: PathBuf,
}

impl Callgrind {
    /// Writes its counts into `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { out: folder.join("callgrind") }
    }

    /// `program`, to be run under callgrind, which counts nothing at first: so the program starts several times as fast.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("valgrind");
        command
            .args(["--quiet", "--tool=callgrind", "--instr-atstart=no"])
            // V8 writes code and overwrites it.
            .arg("--smc-check=all-non-file")
            .arg(format!("--callgrind-out-file={}", self.out.display()))
            .arg(program);
        command
    }

    /// How many instructions the process ran while `work` did. From the first time on the process is slow: after counting was
    /// switched off, callgrind counts wrong.
    pub(crate) fn count<T>(&self, pid: u32, work: impl FnOnce() -> Result<T>) -> Result<(T, u64)> {
        control(pid, "--instr=on")?;
        control(pid, "--zero")?;
        let done = work();
        control(pid, "--dump")?;
        Ok((done?, self.last()?))
    }

    /// The only count that was written, which is removed. Valgrind adds a number to the name, another one each time.
    fn last(&self) -> Result<u64> {
        let pattern = format!("{}.", self.out.display());
        let folder = self.out.parent().unwrap_or(Path::new("."));
        let mut files =
            fs::read_dir(folder).map_err(Error::file("list", folder))?.filter_map(|entry| Some(entry.ok()?.path()));
        let path = files.find(|path| path.to_string_lossy().starts_with(&pattern)).ok_or(Error::Uncounted)?;
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        fs::remove_file(&path).map_err(Error::file("remove", &path))?;
        total(&text).ok_or(Error::Uncounted)
    }
}

/// The sum of a file as the manual's chapter on callgrind's format has it.
fn total(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("summary:").or(line.strip_prefix("totals:")))?.trim().parse().ok()
}

fn control(pid: u32, order: &str) -> Result<()> {
    let program = "callgrind_control";
    let start = |source| Error::Start { program: program.to_owned(), source };
    let output = Command::new(program).arg(order).arg(pid.to_string()).stdin(Stdio::null()).output().map_err(start)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::Unexpected { from: "callgrind_control", answer: String::from_utf8_lossy(&output.stderr).into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_sum_once() {
        let text = "# callgrind format\nversion: 1\npart: 1\nevents: Ir\nsummary: 1200\n\nfn=(1) main\n16 1200\n\ntotals: 1200\n";
        assert_eq!(total(text), Some(1200));
        assert_eq!(total("events: Ir\n"), None);
    }
}
