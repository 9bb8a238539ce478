//! Just enough of a Rust lexer for the rules: words and punctuation with their line, without comments and literals. It refuses to
//! understand more; rustc has already seen that the file parses.

/// One word or one character of punctuation; `::` is one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// From 1.
    pub line: usize,
}

/// The text before the first `#[cfg(test)]` that opens a module: by this code's habit, all of what ships.
pub fn shipped(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let rest = text[at + line.len()..].trim_start();
        if line.starts_with("#[cfg(test)]")
            && (rest.starts_with("mod ") || rest.starts_with("pub mod ") || rest.starts_with("#["))
        {
            return &text[..at];
        }
        at += line.len();
    }
    text
}

pub fn tokens(text: &str) -> Vec<Token<'_>> {
    Lexer { rest: text, line: 1, tokens: Vec::new() }.run()
}

struct Lexer<'a> {
    rest: &'a str,
    line: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn run(mut self) -> Vec<Token<'a>> {
        while let Some(first) = self.rest.chars().next() {
            let length = match first {
                _ if self.rest.starts_with("//") => self.rest.find('\n').unwrap_or(self.rest.len()),
                _ if self.rest.starts_with("/*") => block_comment(self.rest),
                '"' => 1 + string(&self.rest[1..]),
                '\'' => character(self.rest),
                'r' | 'b' | 'c' if literal_prefix(self.rest).is_some() => literal_prefix(self.rest).unwrap_or(1),
                _ if is_word(first) => self.word(),
                _ if self.rest.starts_with("::") => self.push(2),
                _ if first.is_whitespace() => first.len_utf8(),
                _ => self.push(first.len_utf8()),
            };
            let (taken, rest) = self.rest.split_at(length);
            self.line += taken.matches('\n').count();
            self.rest = rest;
        }
        self.tokens
    }

    fn word(&mut self) -> usize {
        let length = self.rest.find(|letter: char| !is_word(letter)).unwrap_or(self.rest.len());
        self.push(length)
    }

    fn push(&mut self, length: usize) -> usize {
        self.tokens.push(Token { text: &self.rest[..length], line: self.line });
        length
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

/// Length of what follows an opening quote, the closing one included.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// A character literal, or the quote of a lifetime or label.
fn character(text: &str) -> usize {
    let mut letters = text.char_indices().skip(1);
    match letters.next() {
        Some((_, '\\')) => {
            text[2..].char_indices().skip(1).find(|(_, letter)| *letter == '\'').map_or(1, |(at, _)| at + 3)
        }
        Some(_) => match letters.next() {
            Some((at, '\'')) => at + 1,
            _ => 1,
        },
        None => 1,
    }
}

/// The length of `b"…"`, `c"…"`, `b'…'`, `r"…"`, `r#"…"#`, `br#"…"#`; `None` for a word that only begins so, and for `r#word`.
fn literal_prefix(text: &str) -> Option<usize> {
    let letters = text.find(|letter: char| !matches!(letter, 'r' | 'b' | 'c'))?;
    let (prefix, rest) = text.split_at(letters);
    match prefix {
        "b" | "c" if rest.starts_with('"') => Some(2 + string(&rest[1..])),
        "b" if rest.starts_with('\'') => Some(1 + character(rest)),
        "r" | "br" | "cr" => {
            let hashes = rest.find(|letter| letter != '#')?;
            let body = rest[hashes..].strip_prefix('"')?;
            let end = format!("\"{}", "#".repeat(hashes));
            let length = body.find(&end).map_or(body.len(), |at| at + end.len());
            Some(letters + hashes + 1 + length)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        tokens(text).iter().map(|token| token.text).collect()
    }

    #[test]
    fn comments_and_literals_are_passed_over() {
        assert_eq!(words("a // crate::b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
        assert_eq!(
            words(r##"a("crate::b \" c", r#"d " e"#, b"f", b'g', 'h', '\'', '\u{1F}') z"##),
            words("a(,,,,,,) z")
        );
        assert_eq!(words("fn f<'a>(x: &'a str)"), ["fn", "f", "<", "a", ">", "(", "x", ":", "&", "a", "str", ")"]);
        assert_eq!(words("break_ r#type rb"), ["break_", "r", "#", "type", "rb"]);
    }

    #[test]
    fn lines_are_counted_through_literals() {
        let tokens = tokens("a\n\"x\ny\"\n/*\n*/ b");
        assert_eq!(tokens.iter().map(|token| (token.text, token.line)).collect::<Vec<_>>(), [("a", 1), ("b", 5)]);
    }

    #[test]
    fn an_unfinished_file_does_not_hang_or_panic() {
        for text in ["\"abc", "'", "'\\", "/* a", "r#\"b", "é'é", "b'"] {
            tokens(text);
        }
    }

    #[test]
    fn tests_at_the_end_do_not_ship() {
        assert_eq!(shipped("a\n#[cfg(test)]\nmod tests {\n b }\n"), "a\n");
        let helper = "a\n#[cfg(test)]\nfn helper() {}\nb\n";
        assert_eq!(shipped(helper), helper);
    }
}
