//! What an error owes its reader: a class, which becomes the exit code, and a hint that says what to do.
//! Every room has its own typed error that implements [`Explain`]; [`Error`] carries any of them to `main`.
//! Text is lower case without a full stop and names the file, key, line or layer.

use std::fmt;

/// Who can mend it. One class, one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// The configuration, the arguments or the data: the person who started the command.
    User,
    /// The machine: a full disk, a missing library, a permission, a vanished process.
    Environment,
    /// A defect of Frostline.
    Internal,
}

impl Class {
    pub fn exit_code(self) -> u8 {
        match self {
            Self::User => 2,
            Self::Environment => 3,
            Self::Internal => 70,
        }
    }
}

/// The exit code of a run that was saved, or whose last checkpoint stays, and that the same command goes on with: `EX_TEMPFAIL` of
/// `sysexits.h`.
pub const UNFINISHED: u8 = 75;

/// An error that knows its class and, where there is something to do, says it.
pub trait Explain: std::error::Error + Send + Sync + 'static {
    fn class(&self) -> Class;

    fn hint(&self) -> Option<String> {
        None
    }

    /// Whether the same may succeed with less memory, nothing having changed.
    fn is_out_of_memory(&self) -> bool {
        false
    }
}

/// Any room's error on its way to the person.
pub struct Error(Box<dyn Explain>);

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A wrong argument or a request that cannot be met as it stands.
    pub fn user(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::from(Message { class: Class::User, text: message.into(), hint: Some(hint.into()) })
    }

    /// Something that the machine refused, for example opening a file.
    pub fn environment(message: impl Into<String>, hint: Option<String>) -> Self {
        Self::from(Message { class: Class::Environment, text: message.into(), hint })
    }

    /// A defect: what should never happen, told instead of a panic.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::from(Message {
            class: Class::Internal,
            text: message.into(),
            hint: Some("this is a defect in frostline; please report it with the run's engine.log".into()),
        })
    }

    /// An error that another process reported, in the parts in which it travelled.
    pub fn reported(class: Class, message: String, hint: Option<String>) -> Self {
        Self::from(Message { class, text: message, hint })
    }

    pub fn class(&self) -> Class {
        self.0.class()
    }

    pub fn hint(&self) -> Option<String> {
        self.0.hint()
    }

    pub fn is_out_of_memory(&self) -> bool {
        self.0.is_out_of_memory()
    }

    /// The message and its causes, joined by colons, on one line.
    pub fn message(&self) -> String {
        let mut text = self.0.to_string();
        let mut cause = self.0.source();
        while let Some(inner) = cause {
            let inner_text = inner.to_string();
            if !text.ends_with(&inner_text) {
                text.push_str(": ");
                text.push_str(&inner_text);
            }
            cause = inner.source();
        }
        text
    }
}

impl<E: Explain> From<E> for Error {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

/// As a person reads it: the error, then the hint on a line of its own.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message())?;
        if let Some(hint) = self.hint() {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {self}", self.class())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Message {
    class: Class,
    text: String,
    hint: Option<String>,
}

impl Explain for Message {
    fn class(&self) -> Class {
        self.class
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
