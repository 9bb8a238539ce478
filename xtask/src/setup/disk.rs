//! How much room a folder's disk has, by POSIX `df`: the standard library can't tell, and xtask has no other crate.

use std::path::Path;

use crate::environment::Environment;

/// Free bytes for this user on the disk that will hold `folder`, which need not exist yet. `None`: df doesn't say, and then
/// running short is found out the hard way.
pub fn free_bytes(environment: &Environment, folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|folder| folder.exists())?;
    let output = environment.command("df").arg("-Pk").arg(existing).output().ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

/// `Filesystem 1024-blocks Used Available Capacity Mounted-on`; the first column may contain spaces.
fn parse(table: &str) -> Option<u64> {
    let row = table.lines().nth(1)?;
    let columns: Vec<&str> = row.split_whitespace().collect();
    let capacity = columns.iter().position(|column| column.ends_with('%'))?;
    let kilobytes: u64 = columns.get(capacity.checked_sub(1)?)?.parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_available_column_is_read() {
        let linux = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/vda 264 14 78 15% /\n";
        assert_eq!(parse(linux), Some(78 * 1024));
        let mac =
            "Filesystem 1024-blocks Used Available Capacity  Mounted on\nmap auto home 9 2 7 29% /System/Volumes\n";
        assert_eq!(parse(mac), Some(7 * 1024));
        assert_eq!(parse("df: /x: No such file or directory\n"), None);
    }
}
