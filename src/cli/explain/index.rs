//! The page beside the pictures of a batch: one row an image, to be opened in a browser. It refers to files beside it and fetches
//! nothing.

use std::{fmt::Write as _, fs, path::Path};

use crate::error::{Error, Result};

/// One picture of the page.
pub struct Entry {
    pub image: String,
    /// The picture's name in the folder.
    pub picture: String,
    /// Lines below it.
    pub lines: Vec<String>,
}

impl Entry {
    /// Of a picture that lies at `path`, beside the page.
    pub fn new(image: &str, path: &Path, lines: Vec<String>) -> Self {
        let picture = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self { image: image.to_owned(), picture, lines }
    }
}

const STYLE: &str = "body{font:14px sans-serif;background:#181818;color:#d0d0d0;margin:2em}\
main{display:flex;flex-wrap:wrap;gap:1.5em}figure{margin:0;width:20em}img{max-width:100%}figcaption{overflow-wrap:anywhere}";

/// Writes `index.html` into the folder.
pub fn write(folder: &Path, title: &str, entries: &[Entry]) -> Result<()> {
    let path = folder.join("index.html");
    fs::write(&path, page(title, entries))
        .map_err(|error| Error::environment(format!("{}: cannot be written: {error}", path.display()), None))
}

fn page(title: &str, entries: &[Entry]) -> String {
    let title = safe(title);
    let mut text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body><h1>{title}</h1>\n<main>\n"
    );
    for Entry { image, picture, lines } in entries {
        let (image, picture) = (safe(image), safe(picture));
        let lines: Vec<String> = lines.iter().map(|line| safe(line)).collect();
        let _ = writeln!(
            text,
            "<figure><a href=\"{picture}\"><img src=\"{picture}\" alt=\"{image}\"></a><figcaption>{image}<br>{}</figcaption></figure>",
            lines.join("<br>")
        );
    }
    text.push_str("</main></body></html>\n");
    text
}

/// As HTML says it.
pub fn safe(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_the_page() {
        let entry = Entry { image: "<b>.png".into(), picture: "\"x.png".into(), lines: vec!["a & b".into()] };
        let page = page("t", &[entry]);
        assert!(page.contains("&lt;b&gt;.png<br>a &amp; b") && page.contains("src=\"&quot;x.png\""), "{page}");
    }
}
