//! A hub of weights that the test plays, and the program told to ask it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use sha2::{Digest as _, Sha256};

use crate::acting::{Said, said};

pub(crate) const FILE: &str = "/timm/vgg16.tv_in1k/resolve/main/model.safetensors";
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub(crate) fn frostline(folder: &Path, endpoint: &str, arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frostline"));
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in
        ["HF_HUB_CACHE", "HF_TOKEN", "FROSTLINE_WEIGHTS", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    {
        command.env_remove(variable);
    }
    command.env("HF_HOME", folder.join("hf")).env("HF_ENDPOINT", endpoint);
    said(&mut command)
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights").join(name)
}

pub(crate) fn content() -> Vec<u8> {
    fs::read(fixture("flat.safetensors")).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// A hub that sends its visitors to a storage, both on this machine. `storage` answers requests for more than one byte.
pub(crate) struct Hub {
    pub(crate) address: String,
    pub(crate) requests: Arc<Mutex<Vec<String>>>,
}

type Answer = Box<dyn Fn(usize, &mut TcpStream, Option<usize>) + Send>;

impl Hub {
    /// `storage` gets the number of the request, and the byte from which the rest is wanted.
    pub(crate) fn new(status: &'static str, storage: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (log, here) = (Arc::clone(&requests), address.clone());
        thread::spawn(move || {
            let mut fetched = 0;
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let head: Vec<String> = lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
                let path = head[0].split(' ').nth(1).unwrap().to_owned();
                let head = head.join("\n").to_lowercase();
                log.lock().unwrap().push(head.clone());
                let range = head.lines().find_map(|line| line.strip_prefix("range: bytes=")).map(str::to_owned);
                let whole = content();
                match (path.as_str(), range.as_deref()) {
                    (FILE, _) if status != "302 Found" => say(&mut stream, status, "Content-Length: 0", b""),
                    (FILE, _) => {
                        let headers = format!(
                            "Location: {here}/storage/blob\r\nX-Repo-Commit: {COMMIT}\r\nX-Linked-Etag: \"{}\"\r\nContent-Length: 0",
                            sha256(&whole)
                        );
                        say(&mut stream, status, &headers, b"");
                    }
                    ("/storage/blob", Some("0-0")) => {
                        let headers = format!("Content-Range: bytes 0-0/{}\r\nContent-Length: 1", whole.len());
                        say(&mut stream, "206 Partial Content", &headers, &whole[..1]);
                    }
                    ("/storage/blob", range) => {
                        let from = range.and_then(|range| range.strip_suffix('-')?.parse().ok());
                        storage(fetched, &mut stream, from);
                        fetched += 1;
                    }
                    _ => say(&mut stream, "404 Not Found", "Content-Length: 0", b""),
                }
            }
        });
        Self { address, requests }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

pub(crate) fn say(stream: &mut TcpStream, status: &str, headers: &str, body: &[u8]) {
    // Whoever has heard enough hangs up.
    let head = format!("HTTP/1.1 {status}\r\n{headers}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

pub(crate) fn proper(_: usize, stream: &mut TcpStream, from: Option<usize>) {
    let whole = content();
    match from {
        None => say(stream, "200 OK", &format!("Content-Length: {}", whole.len()), &whole),
        Some(from) => {
            let headers = format!(
                "Content-Range: bytes {from}-{}/{}\r\nContent-Length: {}",
                whole.len() - 1,
                whole.len(),
                whole.len() - from
            );
            say(stream, "206 Partial Content", &headers, &whole[from..]);
        }
    }
}

pub(crate) fn snapshot(folder: &Path) -> PathBuf {
    folder.join("hf/hub/models--timm--vgg16.tv_in1k/snapshots").join(COMMIT).join("model.safetensors")
}
