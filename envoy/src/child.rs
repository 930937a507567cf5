//! A server in its own process, which ends when the value that holds it does.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child as Process, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, kill_process_group, set_parent_process_death_signal},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};

use crate::{Error, Result};

/// A running program with everything that it started.
#[derive(Debug)]
pub struct Child {
    process: Process,
    log: PathBuf,
}

impl Child {
    /// Starts `command` in a process group of its own; what it writes goes to the file `log`.
    ///
    /// The operating system ends it too if the calling *thread* ends without dropping the value, so call this
    /// from a thread that lives as long as the child should.
    ///
    /// # Errors
    /// If the log cannot be created or the program does not exist.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let create = || File::create(log).map_err(Error::file("create", log));
        let file = create()?;
        let copy = file.try_clone().map_err(Error::file("share", log))?;
        command.stdin(Stdio::null()).stdout(file).stderr(copy).process_group(0);
        // SAFETY: between fork and exec only one prctl runs, which allocates nothing and takes no lock.
        unsafe {
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let process = command
            .spawn()
            .map_err(|source| Error::Start { program: command.get_program().to_string_lossy().into_owned(), source })?;
        Ok(Self { process, log: log.to_owned() })
    }

    /// As [`Child::start`], on one core only: CPU time per request is steady when no other core's caches take part.
    ///
    /// # Errors
    /// As [`Child::start`], and if the machine has no such core.
    pub fn start_on_core(command: &mut Command, log: &Path, core: usize) -> Result<Self> {
        // A child inherits the affinity of the thread that starts it.
        let pin = |source: rustix::io::Errno| Error::Start { program: format!("core {core}"), source: source.into() };
        let before = sched_getaffinity(None).map_err(pin)?;
        let mut one = CpuSet::new();
        one.set(core);
        sched_setaffinity(None, &one).map_err(pin)?;
        let child = Self::start(command, log);
        sched_setaffinity(None, &before).map_err(pin)?;
        child
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Everything that it wrote so far.
    #[must_use]
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().ok().flatten()
    }

    /// The CPU time of all its threads: exact where the kernel keeps schedstat, else in clock ticks of 10 ms.
    ///
    /// # Errors
    /// If the process has ended.
    pub fn cpu_time(&self) -> Result<Duration> {
        if let Some(nanoseconds) = self.scheduled() {
            return Ok(Duration::from_nanos(nanoseconds));
        }
        let path = PathBuf::from(format!("/proc/{}/stat", self.pid()));
        let text = fs::read_to_string(&path).map_err(Error::file("read", &path))?;
        cpu_ticks(&text)
            .map(|ticks| Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
            .ok_or(Error::Unexpected { from: "/proc", answer: text })
    }

    /// The time that its threads spent on a core, in nanoseconds: the first field of each thread's schedstat.
    fn scheduled(&self) -> Option<u64> {
        fs::read_dir(format!("/proc/{}/task", self.pid())).ok()?.try_fold(0, |sum, thread| {
            let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
            Some(sum + text.split_ascii_whitespace().next()?.parse::<u64>().ok()?)
        })
    }
}

/// utime + stime of a `/proc/PID/stat` line: fields 14 and 15 of proc_pid_stat(5).
fn cpu_ticks(stat: &str) -> Option<u64> {
    // Field 2 is the program's name in parentheses, and may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

impl Drop for Child {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            // The group may be gone already, which is what is wanted.
            kill_process_group(group, Signal::KILL).ok();
        }
        self.process.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_ticks_survive_a_name_with_parentheses() {
        let stat = "42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 7 5 0 0 20 0 1";
        assert_eq!(cpu_ticks(stat), Some(12));
    }

    #[test]
    fn a_dropped_child_takes_its_own_children_along() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("grandchild");
        let script = format!("sleep 60 & echo $! > {}; wait", note.display());
        let child = Child::start(Command::new("sh").args(["-c", &script]), &folder.path().join("log")).unwrap();
        let grandchild = loop {
            match fs::read_to_string(&note) {
                Ok(text) if text.ends_with('\n') => break text.trim().to_owned(),
                _ => std::thread::yield_now(),
            }
        };
        drop(child);
        // It dies when it is next scheduled and stays a zombie until somebody reaps it.
        let runs = || {
            fs::read_to_string(format!("/proc/{grandchild}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z") && !stat.contains(") X"))
        };
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while runs() {
            assert!(std::time::Instant::now() < deadline, "the grandchild outlived its group");
            std::thread::yield_now();
        }
    }
}
