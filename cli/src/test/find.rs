//! Which files hold cases.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::failure::Failure;

/// The files that are given, and those that hold cases in the folders that are: each once, a folder's in the order of
/// their names.
///
/// # Errors
/// If one is not there, or a folder holds none.
pub(super) fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<PathBuf> = Vec::new();
    for path in given {
        let name = path.display();
        let unreadable = Failure::because(format!("cannot read `{name}`"));
        let mut found = Vec::new();
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            walk(path, &mut found).map_err(Failure::because(format!("cannot read `{name}`")))?;
            if found.is_empty() {
                return Err(Failure::new(format!("no `cases.yaml` or `*.cases.yaml` in `{name}`")));
            }
            found.sort();
        } else {
            found.push(path.clone());
        }
        files.extend(found);
    }
    let mut seen = std::collections::BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

/// Links are not followed: they may lead in a circle.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = name.to_string_lossy();
        if kind.is_dir() && !name.starts_with('.') {
            walk(&entry.path(), found)?;
        } else if !kind.is_dir() && (name == "cases.yaml" || name.ends_with(".cases.yaml")) {
            found.push(entry.path());
        }
    }
    Ok(())
}
