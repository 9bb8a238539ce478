//! A report as parts, and the two ways in which it is written: Markdown and HTML. Names from outside can break neither. It refers to files
//! beside it and fetches nothing.

use std::{borrow::Cow, fmt::Write as _};

use crate::{cli::explain::index::safe, text::guard};

pub enum Part {
    Heading(String),
    Text(String),
    /// The first column to the left, the others to the right.
    Table {
        head: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    /// Drawings side by side.
    Drawings(Vec<Drawing>),
    /// One row each: pictures, then words.
    Gallery {
        head: Vec<String>,
        rows: Vec<Exhibit>,
    },
}

/// A file in the report's folder.
pub struct Drawing {
    pub file: String,
    pub alt: String,
}

pub struct Exhibit {
    /// As many as the head has columns besides the last; some may be missing.
    pub pictures: Vec<Option<Drawing>>,
    pub lines: Vec<String>,
}

/// `folder` is where the drawings lie, seen from the page.
pub fn markdown(title: &str, parts: &[Part], folder: &str) -> String {
    let drawing = |drawing: &Drawing| format!("![{}]({}/{})", plain(&drawing.alt), link(folder), link(&drawing.file));
    let mut text = format!("# {}\n", plain(title));
    for part in parts {
        text.push('\n');
        match part {
            Part::Heading(heading) => {
                let _ = writeln!(text, "## {}", plain(heading));
            }
            Part::Text(words) => {
                let _ = writeln!(text, "{}", plain(words));
            }
            Part::Table { head, rows } => {
                let row = |cells: &[String]| cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>().join(" | ");
                let _ = writeln!(text, "| {} |\n|---{}|", row(head), "|--:".repeat(head.len().saturating_sub(1)));
                for cells in rows {
                    let _ = writeln!(text, "| {} |", row(cells));
                }
            }
            Part::Drawings(drawings) => {
                let _ = writeln!(text, "{}", drawings.iter().map(drawing).collect::<Vec<_>>().join("\n"));
            }
            Part::Gallery { head, rows } => {
                let head: Vec<String> = head.iter().map(|cell| plain(cell)).collect();
                let _ = writeln!(text, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
                for Exhibit { pictures, lines } in rows {
                    let mut cells: Vec<String> =
                        pictures.iter().map(|picture| picture.as_ref().map(drawing).unwrap_or_default()).collect();
                    cells.push(lines.iter().map(|line| plain(line)).collect::<Vec<_>>().join("<br>"));
                    let _ = writeln!(text, "| {} |", cells.join(" | "));
                }
            }
        }
    }
    text
}

const STYLE: &str = "body{font:15px sans-serif;margin:2em auto;max-width:70em;padding:0 1em;color:#222;background:#fff}\
table{border-collapse:collapse;margin:1em 0}td,th{border-bottom:1px solid #ddd;padding:.25em .7em;text-align:right;vertical-align:top}\
td:first-child,th:first-child,.gallery td,.gallery th{text-align:left}img{max-width:30em}.gallery img{width:12em}\
.gallery td:last-child{overflow-wrap:anywhere}";

pub fn html(title: &str, parts: &[Part], folder: &str) -> String {
    let words = |text: &str| safe(&guard::clean(text));
    let drawing = |drawing: &Drawing| {
        format!("<img src=\"{}/{}\" alt=\"{}\">", link(folder), link(&drawing.file), words(&drawing.alt))
    };
    let row = |cells: &[String], tag: &str| {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", words(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let title = words(title);
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body><h1>{title}</h1>\n"
    );
    for part in parts {
        match part {
            Part::Heading(heading) => {
                let _ = writeln!(text, "<h2>{}</h2>", words(heading));
            }
            Part::Text(paragraph) => {
                let _ = writeln!(text, "<p>{}</p>", words(paragraph));
            }
            Part::Table { head, rows } => {
                let body: String = rows.iter().map(|cells| row(cells, "td")).collect();
                let _ = writeln!(text, "<table>\n{}{body}</table>", row(head, "th"));
            }
            Part::Drawings(drawings) => {
                let _ = writeln!(text, "<p>{}</p>", drawings.iter().map(drawing).collect::<Vec<_>>().join("\n"));
            }
            Part::Gallery { head, rows } => {
                let _ = write!(text, "<table class=\"gallery\">\n{}", row(head, "th"));
                for Exhibit { pictures, lines } in rows {
                    let shown = |picture: &Option<Drawing>| picture.as_ref().map(drawing).unwrap_or_default();
                    let pictures: String =
                        pictures.iter().map(|picture| format!("<td>{}</td>", shown(picture))).collect();
                    let lines: Vec<String> = lines.iter().map(|line| words(line)).collect();
                    let _ = writeln!(text, "<tr>{pictures}<td>{}</td></tr>", lines.join("<br>"));
                }
                text.push_str("</table>\n");
            }
        }
    }
    text.push_str("</body></html>\n");
    text
}

/// Words that Markdown takes for nothing else.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in guard::clean(text).chars() {
        match letter {
            '<' => plain.push_str("&lt;"),
            '>' => plain.push_str("&gt;"),
            '&' => plain.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' | '$' => plain.extend(['\\', letter]),
            letter => plain.push(letter),
        }
    }
    plain
}

/// A path as part of a link: what is no letter or digit of ASCII is written as its bytes.
fn link(path: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
    if path.bytes().all(is_plain) {
        return Cow::Borrowed(path);
    }
    let mut link = String::new();
    for byte in path.bytes() {
        if is_plain(byte) {
            link.push(byte.into());
        } else {
            let _ = write!(link, "%{byte:02X}");
        }
    }
    Cow::Owned(link)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Part> {
        let drawing = || Drawing { file: "a.png".into(), alt: "a]b".into() };
        vec![
            Part::Heading("one <b>".into()),
            Part::Table { head: vec!["class".into(), "F1".into()], rows: vec![vec!["a|b".into(), "0.5".into()]] },
            Part::Gallery {
                head: vec!["image".into(), "map".into(), "what".into()],
                rows: vec![Exhibit {
                    pictures: vec![Some(drawing()), None],
                    lines: vec!["x\u{1b}.png".into(), "*y*".into()],
                }],
            },
            Part::Drawings(vec![drawing()]),
        ]
    }

    #[test]
    fn names_cannot_break_a_page_in_markdown() {
        assert_eq!(
            markdown("t", &parts(), "my out.files"),
            "# t\n\n## one &lt;b&gt;\n\n| class | F1 |\n|---|--:|\n| a\\|b | 0.5 |\n\n\
             | image | map | what |\n|---|---|---|\n\
             | ![a\\]b](my%20out.files/a.png) |  | x\\\\x1b.png<br>\\*y\\* |\n\n![a\\]b](my%20out.files/a.png)\n"
        );
    }

    #[test]
    fn names_cannot_break_a_page_in_html() {
        let page = html("t & u", &parts(), "häuser.files");
        assert!(page.contains("<h2>one &lt;b&gt;</h2>") && page.contains("<title>t &amp; u</title>"), "{page}");
        assert!(page.contains("<img src=\"h%C3%A4user.files/a.png\" alt=\"a]b\">"), "{page}");
        assert!(page.contains("<td>x\\x1b.png<br>*y*</td>"), "{page}");
    }
}
