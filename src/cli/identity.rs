//! Who gives a command, for the journal: `user@host`.

use std::{env, fs};

use crate::run::own_uid;

pub fn identity() -> String {
    let user = ["USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok().filter(|user| !user.is_empty()));
    let host = env::var("HOSTNAME").ok().or_else(|| fs::read_to_string("/proc/sys/kernel/hostname").ok());
    let host = host.map(|host| host.trim().to_owned()).filter(|host| !host.is_empty());
    let user = user.or_else(name_of_uid).unwrap_or_else(|| format!("uid-{}", own_uid()));
    format!("{user}@{}", host.as_deref().unwrap_or("localhost"))
}

/// Daemons and containers have no `USER`. A user of a directory service is not in this file, and then goes by number.
fn name_of_uid() -> Option<String> {
    let uid = own_uid().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2) == Some(&uid.as_str()))?
        .first()
        .map(|&name| name.to_owned())
}
