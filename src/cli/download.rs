//! One file over HTTP: resumed where it was cut off, tried again with longer and longer pauses, on one mirror after the other,
//! and known by its size and SHA-256 before it gets its name. Shows nothing; what arrives is reported to a function.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use ureq::{Agent, http::StatusCode};

/// What is to be fetched.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub urls: Vec<String>,
    pub target: PathBuf,
    /// Who asks, for a server that wants to know. It is sent to no other server.
    pub token: Option<String>,
    /// Without it whatever comes is taken, if it comes whole.
    pub known: Option<Known>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub bytes: u64,
    /// In hexadecimal.
    pub sha256: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// It was there already, and is the right one.
    Present,
    From(String),
}

#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Attempts in a row without a new byte.
    pub tries: u32,
    /// Before the second; doubled each time.
    pub pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { tries: 4, pause: Duration::from_secs(1) }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    #[error("{path}: {problem}")]
    Disk { path: PathBuf, problem: io::Error },

    #[error("{path}: is there already, but is not the file that is wanted: {difference}")]
    Occupied { path: PathBuf, difference: String },

    #[error("{}: cannot be fetched: {}", .target.display(), listed(.attempts))]
    Nowhere { target: PathBuf, attempts: Vec<(String, String)> },
}

fn listed(attempts: &[(String, String)]) -> String {
    attempts.iter().map(|(url, reason)| format!("{url}: {reason}")).collect::<Vec<_>>().join("; ")
}

/// Why an attempt came to nothing.
enum Failure {
    /// Another attempt may do better.
    Passing(String),
    /// This address will not have it.
    Lasting(String),
    Disk(DownloadError),
}

/// An agent that waits for a slow server but not for a dead one.
pub fn agent() -> Agent {
    const CONNECT: Duration = Duration::from_secs(15);
    const SILENCE: Duration = Duration::from_secs(30);
    Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .user_agent(concat!("frostline/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Fetches one file. `arrived` hears how many bytes there are.
pub fn fetch(
    agent: &Agent,
    wanted: &Wanted,
    patience: Patience,
    arrived: &dyn Fn(u64),
) -> Result<Fetched, DownloadError> {
    if wanted.target.exists() {
        return match difference(&wanted.target, wanted.known.as_ref())? {
            None => Ok(Fetched::Present),
            Some(difference) => Err(DownloadError::Occupied { path: wanted.target.clone(), difference }),
        };
    }
    let part = part(&wanted.target);
    if wanted.known.is_none() {
        // Nothing would tell whether the rest fits the beginning.
        remove(&part)?;
    }
    let mut attempts = Vec::new();
    for url in &wanted.urls {
        match from(agent, url, &part, wanted, patience, arrived) {
            Ok(()) => {
                fs::rename(&part, &wanted.target).map_err(disk(&wanted.target))?;
                return Ok(Fetched::From(url.clone()));
            }
            Err(Failure::Disk(error)) => return Err(error),
            Err(Failure::Passing(reason) | Failure::Lasting(reason)) => attempts.push((url.clone(), reason)),
        }
    }
    Err(DownloadError::Nowhere { target: wanted.target.clone(), attempts })
}

/// The name of what has arrived so far.
pub fn part(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_os_string();
    name.push(".part");
    target.with_file_name(name)
}

/// From one address until the part is whole and right.
fn from(
    agent: &Agent,
    url: &str,
    part: &Path,
    wanted: &Wanted,
    patience: Patience,
    arrived: &dyn Fn(u64),
) -> Result<(), Failure> {
    let mut tries = 0;
    // What an earlier attempt left may be of another file: one chance without it.
    let mut resumed = length(part)? > 0;
    loop {
        let before = length(part)?;
        let failure = match once(agent, url, part, wanted, arrived) {
            Ok(()) => match difference(part, wanted.known.as_ref()).map_err(Failure::Disk)? {
                None => return Ok(()),
                Some(difference) => {
                    remove(part).map_err(Failure::Disk)?;
                    if !std::mem::take(&mut resumed) {
                        return Err(Failure::Lasting(format!("is not the file that is wanted: {difference}")));
                    }
                    continue;
                }
            },
            Err(Failure::Passing(reason)) => reason,
            Err(lasting) => return Err(lasting),
        };
        if length(part)? > before {
            tries = 0;
        }
        tries += 1;
        if tries >= patience.tries {
            return Err(Failure::Lasting(format!("{failure} (tried {} times)", patience.tries)));
        }
        std::thread::sleep(patience.pause * 2_u32.pow(tries - 1));
    }
}

/// One request: the whole file, or what is missing of the part.
fn once(agent: &Agent, url: &str, part: &Path, wanted: &Wanted, arrived: &dyn Fn(u64)) -> Result<(), Failure> {
    let whole = wanted.known.as_ref().map(|known| known.bytes);
    let mut have = length(part)?;
    if whole.is_some_and(|whole| have >= whole) {
        return Ok(());
    }
    let mut request = agent.get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    if let Some(token) = &wanted.token {
        // Redirections to other hosts go without it.
        request = request.header("Authorization", format!("Bearer {token}"));
    }
    let mut response = request.call().map_err(refused)?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    match response.status() {
        StatusCode::OK => have = 0,
        StatusCode::PARTIAL_CONTENT => {
            let begins = header("Content-Range").and_then(|range| first_byte(&range));
            if begins != Some(have) {
                remove(part).map_err(Failure::Disk)?;
                return Err(Failure::Passing("answers with another part than was asked for".into()));
            }
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            remove(part).map_err(Failure::Disk)?;
            return Err(Failure::Passing("has no more than was there already".into()));
        }
        status => {
            let reason = format!("answers {status}");
            let passing = status.is_server_error()
                || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
            return Err(if passing { Failure::Passing(reason) } else { Failure::Lasting(reason) });
        }
    }
    let announced = response.body().content_length().map(|rest| have + rest);
    if let (Some(whole), Some(announced)) = (whole, announced)
        && announced != whole
    {
        return Err(Failure::Lasting(format!("has {announced} bytes, and {whole} are wanted")));
    }
    let opened = if have > 0 { OpenOptions::new().append(true).open(part) } else { File::create(part) };
    let mut file = opened.map_err(|error| Failure::Disk(disk(part)(error)))?;
    copy(&mut response.body_mut().as_reader(), &mut file, part, have, whole.or(announced), arrived)
}

fn copy(
    body: &mut impl io::Read,
    file: &mut File,
    part: &Path,
    mut have: u64,
    whole: Option<u64>,
    arrived: &dyn Fn(u64),
) -> Result<(), Failure> {
    let mut buffer = vec![0; 1 << 16];
    let writing = |error| Failure::Disk(disk(part)(error));
    arrived(have);
    loop {
        let count = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(Failure::Passing(format!("the connection was cut after {have} bytes: {error}"))),
        };
        have += count as u64;
        if whole.is_some_and(|whole| have > whole) {
            return Err(Failure::Lasting(format!("sends more than {} bytes", whole.unwrap_or(0))));
        }
        file.write_all(&buffer[..count]).map_err(writing)?;
        arrived(have);
    }
    match whole {
        Some(whole) if have < whole => {
            Err(Failure::Passing(format!("the connection was cut after {have} of {whole} bytes")))
        }
        _ => file.sync_all().map_err(writing),
    }
}

fn refused(error: ureq::Error) -> Failure {
    use io::ErrorKind as Kind;
    let lasting = match &error {
        ureq::Error::HostNotFound => return Failure::Lasting("host not found".into()),
        // The standard library has no kind for it. Whoever has no connection should not be kept waiting.
        ureq::Error::Io(error) if error.to_string().starts_with("failed to lookup address") => {
            return Failure::Lasting("host not found".into());
        }
        ureq::Error::Io(error) => {
            matches!(error.kind(), Kind::ConnectionRefused | Kind::HostUnreachable | Kind::NetworkUnreachable)
        }
        ureq::Error::Timeout(_) | ureq::Error::ConnectionFailed | ureq::Error::Protocol(_) => false,
        _ => true,
    };
    let reason = match error {
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    };
    if lasting { Failure::Lasting(reason) } else { Failure::Passing(reason) }
}

/// Of `bytes 1000-1999/2000`.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

/// In what a file is not the one that is known.
fn difference(path: &Path, known: Option<&Known>) -> Result<Option<String>, DownloadError> {
    let Some(known) = known else { return Ok(None) };
    let bytes = path.metadata().map_err(disk(path))?.len();
    if bytes != known.bytes {
        return Ok(Some(format!("{bytes} bytes instead of {}", known.bytes)));
    }
    let found = sha256(path).map_err(disk(path))?;
    Ok((found != known.sha256).then(|| format!("its SHA-256 is {found} instead of {}", known.sha256)))
}

/// Of a file's content, in hexadecimal.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hexadecimal(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

/// The host of an address.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn length(path: &Path) -> Result<u64, Failure> {
    match path.metadata() {
        Ok(data) => Ok(data.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(Failure::Disk(disk(path)(error))),
    }
}

fn remove(path: &Path) -> Result<(), DownloadError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(disk(path)(error)),
        _ => Ok(()),
    }
}

fn disk(path: &Path) -> impl Fn(io::Error) -> DownloadError {
    move |problem| DownloadError::Disk { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests;
