//! How commands line things up: a table of counts, and lists that end before they become a wall.

use crate::text::{figures, guard};

/// The first column to the left, the others to the right, two blanks between them; no blank at the end of a line.
pub fn table(rows: &[Vec<String>]) -> String {
    aligned(rows, |column| column > 0)
}

/// [`table`], with the columns that are to stand to the right.
pub fn aligned(rows: &[Vec<String>], to_the_right: impl Fn(usize) -> bool) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).map_or(0, |cell| guard::width(&guard::clean(cell)));
    let widths: Vec<usize> = (0..columns).map(|at| rows.iter().map(|row| cell(row, at)).max().unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, &width))| {
            if to_the_right(at) { guard::column_right(cell, width, "") } else { guard::column(cell, width, "") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Images of each class in each split, with a total where there are several classes. `counts[split][class]`.
pub fn counts(splits: &[String], classes: &[String], counts: &[Vec<usize>], most: usize) -> String {
    let number = |count: usize| figures::count(count as u64);
    let row = |name: &str, of: &dyn Fn(&Vec<usize>) -> usize| {
        let cells = counts.iter().map(|split| number(of(split)));
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let mut rows = vec![std::iter::once(String::new()).chain(splits.iter().cloned()).collect()];
    // One row more is shorter than a row that says that there is one more.
    let shown = if classes.len() <= most + 1 { classes.len() } else { most };
    rows.extend(classes[..shown].iter().enumerate().map(|(class, name)| row(name, &|split| split[class])));
    if shown < classes.len() {
        let rest = format!("{} more", number(classes.len() - shown));
        rows.push(row(&rest, &|split| split[shown..].iter().sum()));
    }
    if classes.len() > 1 {
        rows.push(row("total", &|split| split.iter().sum()));
    }
    table(&rows)
}

/// `line`s, indented, and how many there are beyond `most`.
pub fn list<T>(items: &[T], most: usize, line: impl Fn(&T) -> String) -> String {
    let shown = if items.len() <= most + 1 { items.len() } else { most };
    let mut lines: Vec<String> = items[..shown].iter().map(|item| format!("  {}", line(item))).collect();
    if shown < items.len() {
        lines.push(format!("  … and {} more", figures::count((items.len() - shown) as u64)));
    }
    lines.join("\n")
}

/// `1 image`, `2,000 images`.
pub fn images(count: usize) -> String {
    several(count, "image")
}

pub fn several(count: usize, word: &str) -> String {
    format!("{} {word}{}", figures::count(count as u64), if count == 1 { "" } else { "s" })
}

/// `824.9 MB`, in powers of a thousand as download pages and disks count.
pub fn size(bytes: u64) -> String {
    let (value, unit) = match bytes {
        0..1000 => return format!("{bytes} B"),
        1000..1_000_000 => (bytes as f64 / 1e3, "kB"),
        1_000_000..1_000_000_000 => (bytes as f64 / 1e6, "MB"),
        _ => (bytes as f64 / 1e9, "GB"),
    };
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn counts_line_up_under_their_splits() {
        let text = counts(&words(&["train", "test"]), &words(&["猫", "dogs"]), &[vec![1000, 12], vec![5, 500]], 10);
        assert_eq!(text, "       train  test\n猫     1,000     5\ndogs      12   500\ntotal  1,012   505");
    }

    #[test]
    fn what_is_too_long_says_how_much_is_missing() {
        let classes: Vec<String> = (0..9).map(|class| format!("c{class}")).collect();
        let text = counts(&words(&["images"]), &classes, &[(1..=9).collect()], 2);
        assert_eq!(text, "        images\nc0           1\nc1           2\n7 more      42\ntotal       45");
        assert_eq!(list(&[1, 2, 3, 4, 5], 3, ToString::to_string), "  1\n  2\n  3\n  … and 2 more");
        assert_eq!(list(&[1, 2, 3, 4], 3, ToString::to_string), "  1\n  2\n  3\n  4");
    }

    #[test]
    fn sizes_are_those_of_download_pages() {
        assert_eq!([999, 28_881, 824_887_076].map(size), ["999 B", "28.9 kB", "824.9 MB"]);
    }
}
