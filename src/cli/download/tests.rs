//! Against servers on this machine that answer as the test tells them to.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use super::*;

/// A server that answers the connections one after the other, each with a function of the request's lines.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

type Answer = Box<dyn Fn(&str, &mut TcpStream) + Send>;

impl Server {
    /// The last answer is given to all further requests.
    fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&requests);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> =
                    lines.by_ref().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                let head = head.join("\n").to_lowercase();
                log.lock().unwrap().push(head.clone());
                answers[number.min(answers.len() - 1)](&head, &mut stream);
            }
        });
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("{}/data.bin", self.address)
    }

    fn asked(&self) -> Vec<String> {
        let range = |head: &String| head.lines().find_map(|line| line.strip_prefix("range: ").map(str::to_owned));
        self.requests.lock().unwrap().iter().map(|head| range(head).unwrap_or_default()).collect()
    }
}

fn content() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at.wrapping_mul(at) >> 3) as u8).collect()
}

fn say(stream: &mut TcpStream, head: &str, body: &[u8]) {
    // Whoever has heard enough hangs up.
    let _ = write!(stream, "HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").and_then(|()| stream.write_all(body));
}

/// As a proper server: the whole, or the part that is asked for.
fn proper() -> Answer {
    Box::new(|head, stream| {
        let all = content();
        match head.lines().find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-')?.parse::<usize>().ok())
        {
            Some(from) if from < all.len() => {
                let range = format!("Content-Range: bytes {from}-{}/{}", all.len() - 1, all.len());
                let head = format!("206 Partial Content\r\n{range}\r\nContent-Length: {}", all.len() - from);
                say(stream, &head, &all[from..]);
            }
            Some(_) => say(stream, "416 Range Not Satisfiable\r\nContent-Length: 0", b""),
            None => say(stream, &format!("200 OK\r\nContent-Length: {}", all.len()), &all),
        }
    })
}

/// Promises all and hangs up after `count` bytes.
fn cut_after(count: usize) -> Answer {
    Box::new(move |_, stream| {
        let all = content();
        say(stream, &format!("200 OK\r\nContent-Length: {}", all.len()), &all[..count]);
    })
}

fn fixed(head: &'static str, body: &'static [u8]) -> Answer {
    Box::new(move |_, stream| say(stream, &format!("{head}\r\nContent-Length: {}", body.len()), body))
}

struct Stage {
    folder: tempfile::TempDir,
    wanted: Wanted,
}

fn stage(servers: &[&Server]) -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let sha256 = hexadecimal(&Sha256::digest(content()));
    let wanted = Wanted {
        urls: servers.iter().map(|server| server.url()).collect(),
        target: folder.path().join("data.bin"),
        token: None,
        known: Some(Known { bytes: content().len() as u64, sha256 }),
    };
    Stage { folder, wanted }
}

impl Stage {
    fn fetch(&self) -> Result<Fetched, String> {
        let patience = Patience { tries: 3, pause: Duration::from_millis(1) };
        fetch(&agent(), &self.wanted, patience, &|_| ()).map_err(|error| {
            let text = error.to_string().replace(&self.folder.path().display().to_string(), "HERE");
            self.wanted.urls.iter().enumerate().fold(text, |text, (at, url)| text.replace(url, &format!("URL{at}")))
        })
    }

    fn part(&self) -> PathBuf {
        part(&self.wanted.target)
    }

    fn is_whole(&self) -> bool {
        fs::read(&self.wanted.target).is_ok_and(|found| found == content()) && !self.part().exists()
    }
}

#[test]
fn a_file_is_fetched_whole_and_not_twice() {
    let server = Server::new(vec![proper()]);
    let stage = stage(&[&server]);
    assert_eq!(stage.fetch(), Ok(Fetched::From(server.url())));
    assert!(stage.is_whole());
    assert_eq!(stage.fetch(), Ok(Fetched::Present));
    assert_eq!(server.asked(), [""]);
}

#[test]
fn a_cut_connection_goes_on_where_it_was_cut() {
    let server = Server::new(vec![cut_after(100_000), proper()]);
    let stage = stage(&[&server]);
    assert_eq!(stage.fetch(), Ok(Fetched::From(server.url())));
    assert!(stage.is_whole());
    assert_eq!(server.asked(), ["", "bytes=100000-"]);
}

#[test]
fn a_part_of_an_earlier_run_is_gone_on_with() {
    let server = Server::new(vec![proper()]);
    let stage = stage(&[&server]);
    fs::write(stage.part(), &content()[..250_000]).unwrap();
    stage.fetch().unwrap();
    assert!(stage.is_whole());
    assert_eq!(server.asked(), ["bytes=250000-"]);
}

#[test]
fn a_part_of_another_file_is_dropped_and_the_file_fetched_anew() {
    let server = Server::new(vec![proper()]);
    let stage = stage(&[&server]);
    fs::write(stage.part(), [7; 1000]).unwrap();
    stage.fetch().unwrap();
    assert!(stage.is_whole());
    assert_eq!(server.asked(), ["bytes=1000-", ""]);
}

#[test]
fn a_server_without_ranges_starts_over() {
    let whole: fn() -> Answer =
        || Box::new(|_, stream| say(stream, &format!("200 OK\r\nContent-Length: {}", content().len()), &content()));
    let server = Server::new(vec![cut_after(100_000), whole()]);
    let stage = stage(&[&server]);
    stage.fetch().unwrap();
    assert!(stage.is_whole());
    assert_eq!(server.asked(), ["", "bytes=100000-"]);
}

#[test]
fn the_wrong_file_is_refused_and_leaves_nothing() {
    let other: Answer = Box::new(|_, stream| {
        let mut other = content();
        other[5] ^= 1;
        say(stream, &format!("200 OK\r\nContent-Length: {}", other.len()), &other);
    });
    let server = Server::new(vec![other]);
    let stage = stage(&[&server]);
    let error = stage.fetch().unwrap_err();
    assert!(error.contains("URL0: is not the file that is wanted: its SHA-256 is "), "{error}");
    assert_eq!(fs::read_dir(stage.folder.path()).unwrap().count(), 0);
    let page = Server::new(vec![fixed("200 OK", b"<html>sign in</html>")]);
    let stage = self::stage(&[&page]);
    assert_eq!(
        stage.fetch().unwrap_err(),
        "HERE/data.bin: cannot be fetched: URL0: has 20 bytes, and 300000 are wanted"
    );
}

#[test]
fn a_missing_file_is_looked_for_on_the_next_mirror_at_once() {
    let (missing, good) = (Server::new(vec![fixed("404 Not Found", b"no")]), Server::new(vec![proper()]));
    let stage = stage(&[&missing, &good]);
    assert_eq!(stage.fetch(), Ok(Fetched::From(good.url())));
    assert_eq!(missing.asked().len(), 1);
    let stage = self::stage(&[&missing]);
    assert_eq!(stage.fetch().unwrap_err(), "HERE/data.bin: cannot be fetched: URL0: answers 404 Not Found");
}

#[test]
fn a_server_that_is_busy_is_asked_again_but_not_for_ever() {
    let server = Server::new(vec![fixed("503 Service Unavailable", b""), proper()]);
    let stage = stage(&[&server]);
    stage.fetch().unwrap();
    let busy = Server::new(vec![fixed("503 Service Unavailable", b"")]);
    let stage = self::stage(&[&busy]);
    let error = stage.fetch().unwrap_err();
    assert_eq!(error, "HERE/data.bin: cannot be fetched: URL0: answers 503 Service Unavailable (tried 3 times)");
    assert_eq!(busy.asked().len(), 3);
}

#[test]
fn a_redirection_is_followed_with_its_range() {
    let good = Server::new(vec![proper()]);
    let to = good.url();
    let away: Answer =
        Box::new(move |_, stream| say(stream, &format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"), b""));
    let server = Server::new(vec![away]);
    let stage = stage(&[&server]);
    fs::write(stage.part(), &content()[..1234]).unwrap();
    assert_eq!(stage.fetch(), Ok(Fetched::From(server.url())));
    assert!(stage.is_whole());
    assert_eq!(good.asked(), ["bytes=1234-"]);
}

#[test]
fn a_file_of_that_name_is_never_overwritten() {
    let server = Server::new(vec![proper()]);
    let stage = stage(&[&server]);
    fs::write(&stage.wanted.target, "mine").unwrap();
    let error = stage.fetch().unwrap_err();
    let expected = "HERE/data.bin: is there already, but is not the file that is wanted: 4 bytes instead of 300000";
    assert_eq!((error.as_str(), fs::read(&stage.wanted.target).unwrap().as_slice()), (expected, &b"mine"[..]));
}

#[test]
fn an_unknown_file_is_taken_if_it_comes_whole() {
    let server = Server::new(vec![cut_after(100_000), cut_after(0), proper()]);
    let mut stage = stage(&[&server]);
    stage.wanted.known = None;
    fs::write(stage.part(), "something else").unwrap();
    stage.fetch().unwrap();
    assert!(stage.is_whole());
}

#[test]
fn nobody_at_home_is_told_at_once() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut stage = stage(&[]);
    stage.wanted.urls = vec![format!("http://{free}/data.bin")];
    let error = stage.fetch().unwrap_err();
    assert!(error.contains("URL0: Connection refused"), "{error}");
}
