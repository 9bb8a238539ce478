//! Reading and writing JSON, as far as peers, `frostline bench` and a run's journal use it: whole values from one line of text.
//! xtask depends on no crate, so that it builds anywhere in a second.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    /// In the order in which the keys stand.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// `None` for anything but one whole value.
    pub fn parse(text: &str) -> Option<Self> {
        let mut letters = text.chars().peekable();
        let value = value(&mut letters)?;
        skip_space(&mut letters);
        letters.peek().is_none().then_some(value)
    }

    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The numbers of a list; empty for anything else.
    pub fn numbers(&self, key: &str) -> Vec<f64> {
        let Some(Self::List(items)) = self.get(key) else { return Vec::new() };
        items.iter().filter_map(|item| if let Self::Number(number) = item { Some(*number) } else { None }).collect()
    }
}

type Letters<'a> = Peekable<Chars<'a>>;

fn value(letters: &mut Letters<'_>) -> Option<Json> {
    skip_space(letters);
    match letters.peek()? {
        '{' => object(letters),
        '[' => list(letters),
        '"' => string(letters).map(Json::Text),
        't' => word(letters, "true", Json::Bool(true)),
        'f' => word(letters, "false", Json::Bool(false)),
        'n' => word(letters, "null", Json::Null),
        // Python writes them, though JSON has neither.
        'N' => word(letters, "NaN", Json::Null),
        'I' => word(letters, "Infinity", Json::Null),
        _ => number(letters),
    }
}

fn skip_space(letters: &mut Letters<'_>) {
    while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
}

fn word(letters: &mut Letters<'_>, word: &str, meaning: Json) -> Option<Json> {
    word.chars().all(|letter| letters.next() == Some(letter)).then_some(meaning)
}

fn number(letters: &mut Letters<'_>) -> Option<Json> {
    let mut digits = String::new();
    while let Some(letter) = letters.next_if(|letter| letter.is_ascii_digit() || "+-.eE".contains(*letter)) {
        digits.push(letter);
    }
    digits.parse().ok().map(Json::Number)
}

fn string(letters: &mut Letters<'_>) -> Option<String> {
    letters.next_if_eq(&'"')?;
    let mut text = String::new();
    loop {
        match letters.next()? {
            '"' => return Some(text),
            '\\' => text.push(escaped(letters)?),
            letter => text.push(letter),
        }
    }
}

fn escaped(letters: &mut Letters<'_>) -> Option<char> {
    Some(match letters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'u' => {
            let first = hex(letters)?;
            // A character beyond the first 65,536 comes in two halves.
            let code = if (0xd800..0xdc00).contains(&first) && letters.next_if_eq(&'\\').is_some() {
                letters.next_if_eq(&'u')?;
                0x10000 + ((first - 0xd800) << 10) + hex(letters)?.checked_sub(0xdc00)?
            } else {
                first
            };
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        letter => letter,
    })
}

fn hex(letters: &mut Letters<'_>) -> Option<u32> {
    (0..4).try_fold(0, |code, _| Some(code * 16 + letters.next()?.to_digit(16)?))
}

fn list(letters: &mut Letters<'_>) -> Option<Json> {
    letters.next_if_eq(&'[')?;
    let mut items = Vec::new();
    loop {
        skip_space(letters);
        if letters.next_if_eq(&']').is_some() {
            return Some(Json::List(items));
        }
        if !items.is_empty() {
            letters.next_if_eq(&',')?;
        }
        items.push(value(letters)?);
    }
}

fn object(letters: &mut Letters<'_>) -> Option<Json> {
    letters.next_if_eq(&'{')?;
    let mut pairs = Vec::new();
    loop {
        skip_space(letters);
        if letters.next_if_eq(&'}').is_some() {
            return Some(Json::Object(pairs));
        }
        if !pairs.is_empty() {
            letters.next_if_eq(&',')?;
            skip_space(letters);
        }
        let key = string(letters)?;
        skip_space(letters);
        letters.next_if_eq(&':')?;
        pairs.push((key, value(letters)?));
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(bool) => write!(f, "{bool}"),
            Self::Number(number) if number.is_finite() => write!(f, "{number}"),
            Self::Null | Self::Number(_) => f.write_str("null"),
            Self::Text(text) => quoted(f, text),
            Self::List(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if at > 0 { "," } else { "" })?;
                }
                f.write_str("]")
            }
            Self::Object(pairs) => {
                f.write_str("{")?;
                for (at, (key, value)) in pairs.iter().enumerate() {
                    f.write_str(if at > 0 { "," } else { "" })?;
                    quoted(f, key)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            control if u32::from(control) < 32 => write!(f, "\\u{:04x}", u32::from(control))?,
            letter => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_reads_back() {
        let text = r#"{"a":[1,-2.5,3e-7],"b":{"c":null,"d":true},"e":"x\"y\\\u0001zé","f":[],"g":{}}"#;
        let json = Json::parse(text).unwrap();
        assert_eq!(json.numbers("a"), [1.0, -2.5, 3e-7]);
        assert_eq!(json.text("e"), Some("x\"y\\\u{1}zé"));
        assert_eq!(json.get("b").and_then(|inner| inner.get("d")), Some(&Json::Bool(true)));
        assert_eq!(Json::parse(&json.to_string()), Some(json));
    }

    #[test]
    fn pythons_spelling_is_understood() {
        let json = Json::parse(r#" { "a" : [ 1.0 , NaN ] , "b" : "\ud83d\ude00\u00e9" } "#).unwrap();
        assert_eq!(json.numbers("a"), [1.0]);
        assert_eq!(json.text("b"), Some("😀é"));
    }

    #[test]
    fn half_a_value_is_none() {
        let whole = r#"{"a":[1,{"b":"c"}],"d":false}"#;
        assert!(Json::parse(whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(Json::parse(&whole[..length]), None, "{}", &whole[..length]);
        }
        assert_eq!(Json::parse("1 2"), None);
        assert_eq!(Json::parse("[1 2]"), None);
    }
}
