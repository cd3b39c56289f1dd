//! What this computer has: programs, users, directories. Each is looked for once.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use nix::unistd::{Gid, Group, Uid, User};

use super::{Sources, document::MAX_BYTES};
use crate::domain;

/// Where programs are looked for if `PATH` is not set.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// This computer, and who the station is on it.
pub(super) struct Host {
    /// The station's `PATH`.
    path: String,
    root: bool,
    programs: HashMap<(Option<String>, String), Option<String>>,
    users: HashMap<String, Option<String>>,
    groups: HashMap<String, Option<String>>,
    files: HashMap<PathBuf, Result<Variables, String>>,
}

/// What a file of variables says, in its order.
pub(super) type Variables = Vec<(String, String)>;

impl Host {
    pub(super) fn new(sources: &Sources) -> Self {
        let path = sources.env.get("PATH").filter(|path| !path.is_empty());
        Self {
            path: path.map_or(USUAL_PATH, String::as_str).to_owned(),
            root: sources.root,
            programs: HashMap::new(),
            users: HashMap::new(),
            groups: HashMap::new(),
            files: HashMap::new(),
        }
    }

    /// What is wrong with `program`: a path, or a name to be found in `path`, the station's if
    /// none.
    pub(super) fn program(&mut self, program: &str, path: Option<&str>) -> Option<String> {
        let key = (path.map(str::to_owned), program.to_owned());
        if let Some(known) = self.programs.get(&key) {
            return known.clone();
        }
        let wrong = if program.contains('/') {
            wrong_file(program)
        } else {
            let path = path.unwrap_or(&self.path);
            let found = path
                .split(':')
                .filter(|directory| !directory.is_empty())
                .any(|directory| is_program(&Path::new(directory).join(program)));
            (!found).then(|| {
                format!("{program:?} is not a program in PATH ({path}), allowed: the name of one, or a path")
            })
        };
        self.programs.insert(key, wrong.clone());
        wrong
    }

    /// What is wrong with becoming `user`.
    pub(super) fn user(&mut self, user: &str) -> Option<String> {
        let root = self.root;
        let judge = || {
            let Ok(Some(found)) = User::from_name(user) else {
                return Some(format!(
                    "{user:?} is not a user of this computer, allowed: the name of one"
                ));
            };
            let own = Uid::effective();
            (!root && found.uid != own).then(|| {
                let name = User::from_uid(own).ok().flatten().map(|user| user.name);
                let name = name.unwrap_or_else(|| own.to_string());
                format!("{user:?} cannot be become: the station is {name:?}, and not root, allowed: none, or that user")
            })
        };
        self.users.entry(user.to_owned()).or_insert_with(judge).clone()
    }

    /// What is wrong with becoming `group`.
    pub(super) fn group(&mut self, group: &str) -> Option<String> {
        let root = self.root;
        let judge = || {
            let Ok(Some(found)) = Group::from_name(group) else {
                return Some(format!(
                    "{group:?} is not a group of this computer, allowed: the name of one"
                ));
            };
            let own = Gid::effective();
            (!root && found.gid != own).then(|| {
                let name = Group::from_gid(own).ok().flatten().map(|group| group.name);
                let name = name.unwrap_or_else(|| own.to_string());
                format!("{group:?} cannot be become: the station's group is {name:?}, and it is not root, allowed: none, or that group")
            })
        };
        self.groups.entry(group.to_owned()).or_insert_with(judge).clone()
    }

    /// The variables in a file. The error says what is wrong with it.
    pub(super) fn variables(&mut self, path: &Path) -> &Result<Variables, String> {
        self.files.entry(path.to_path_buf()).or_insert_with(|| variables(path))
    }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

fn wrong_file(path: &str) -> Option<String> {
    let wrong = match fs::metadata(path) {
        Err(error) => format!("cannot be read: {error}"),
        Ok(found) if !found.is_file() => "is no file".to_owned(),
        Ok(_) if !is_program(Path::new(path)) => "is not executable (chmod +x)".to_owned(),
        Ok(_) => return None,
    };
    Some(format!("{path:?} {wrong}, allowed: a program"))
}

fn variables(path: &Path) -> Result<Variables, String> {
    const ALLOWED: &str = "allowed: a file of KEY=VALUE lines";
    let shown = path.display();
    let cannot = |error: std::io::Error| format!("\"{shown}\" cannot be read: {error}, {ALLOWED}");
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err(format!("\"{shown}\" is no file, {ALLOWED}"));
    }
    let mut text = String::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(MAX_BYTES as u64).read_to_string(&mut text).map_err(cannot)?;
    let found = domain::variables(&text)
        .map_err(|wrong| format!("\"{shown}\" is malformed in {wrong}, {ALLOWED}"))?;
    match found.iter().find(|(_, value)| value.contains('\0')) {
        Some((name, _)) => Err(format!("\"{shown}\" is malformed: {name} has a NUL, {ALLOWED}")),
        None => Ok(found),
    }
}
