//! The room as its users meet it: an engine's journal and server on one side, viewers on the other, over a real socket.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::mpsc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use super::{
    client::From,
    client::{self, Connection},
    frame::{self, Decoder},
    *,
};
use crate::{
    command::{Command, Request, Watch},
    event::{Event, Gathered, Level, PROTOCOL, Stamped, Steps},
    run::{
        Blobs, JournalWriter, RunDir,
        digest::{self, Form},
    },
};

struct Engine {
    run: RunDir,
    journal: JournalWriter,
    inbox: mpsc::Receiver<Request>,
    leases: Leases,
    server: Option<ServerHandle>,
    _root: tempfile::TempDir,
}

impl Engine {
    fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let run = RunDir::create(root.path(), "wire", "", jiff::civil::date(2026, 1, 1).at(0, 0, 0, 0)).unwrap();
        let journal = JournalWriter::open(&run.journal(), || 1).unwrap();
        let (sender, inbox) = mpsc::channel();
        let leases = Leases::default();
        let server = Server::start(&run, sender, leases.clone(), journal.head()).unwrap();
        Self { run, journal, inbox, leases, server: Some(server), _root: root }
    }

    fn say(&mut self, message: &str) -> Stamped {
        self.journal.append(Event::Log { level: Level::Info, message: message.into() }).unwrap()
    }

    fn step(&mut self, step: u64) -> Stamped {
        let gathered = Gathered { mean: 0.5, min: 0.25, max: 0.75, last: 0.5 };
        self.journal
            .append(Event::Steps(Steps {
                epoch: 1,
                step,
                step_in_epoch: 1,
                count: 1,
                loss: gathered,
                accuracy: gathered,
                learning_rate: 0.001,
                images_per_second: 100.0,
                data_wait: 0.0,
            }))
            .unwrap()
    }

    async fn viewer(&self, since: u64) -> Connection {
        client::connect(&self.run.socket().unwrap().unwrap(), "tester@here", From::Event(since)).await.unwrap()
    }
}

/// Receives until `count` events have come; everything else goes to `others`.
async fn events(connection: &mut Connection, count: usize) -> (Vec<Stamped>, Vec<ServerMessage>) {
    let (mut events, mut others) = (Vec::new(), Vec::new());
    while events.len() < count {
        match connection.receiver.next().await.unwrap() {
            Some(ServerMessage::Event(event)) => events.push(event),
            Some(ServerMessage::UpToDate) => {}
            Some(other) => others.push(other),
            None => panic!("closed after {} of {count} events", events.len()),
        }
    }
    (events, others)
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn two_viewers_see_the_same_and_one_that_is_killed_changes_nothing() {
    let mut engine = Engine::start();
    let mut said: Vec<_> = (0..500).map(|number| engine.say(&number.to_string())).collect();
    let mut first = engine.viewer(0).await;
    let mut second = engine.viewer(0).await;
    assert_eq!((first.welcome.head, first.welcome.live), (500, true));
    let killed = engine.viewer(0).await;
    killed.sender.watch(Some(Watch { sample: 9, ..Watch::default() }));
    eventually("the lease is seen", || engine.leases.snapshot().len() == 1).await;
    drop(killed);
    eventually("the lease goes with its viewer", || engine.leases.snapshot().is_empty()).await;
    said.extend((0..500).map(|number| engine.say(&number.to_string())));
    assert_eq!(events(&mut first, 1000).await.0, said);
    assert_eq!(events(&mut second, 1000).await.0, said);
}

#[tokio::test]
async fn a_viewer_that_comes_back_gets_what_it_lacks_and_no_more() {
    let mut engine = Engine::start();
    let said: Vec<_> = (0..10).map(|number| engine.say(&number.to_string())).collect();
    let mut viewer = engine.viewer(7).await;
    assert_eq!(events(&mut viewer, 3).await.0, said[7..]);
    let live = engine.say("live");
    assert_eq!(events(&mut viewer, 1).await.0, [live]);
}

#[tokio::test]
async fn ten_thousand_events_of_history_arrive_whole_even_the_steps() {
    let mut engine = Engine::start();
    let said: Vec<_> = (0..10_000).map(|step| engine.step(step)).collect();
    let mut viewer = engine.viewer(0).await;
    let (seen, others) = events(&mut viewer, 10_000).await;
    assert_eq!(seen, said);
    assert_eq!(others, []);
}

#[tokio::test]
async fn a_slow_viewer_loses_only_steps_and_is_told_how_many() {
    let mut engine = Engine::start();
    engine.say("first");
    let mut slow = engine.viewer(0).await;
    events(&mut slow, 1).await;
    // Until it reads again the socket fills up, and the journal runs far ahead.
    let mut words = Vec::new();
    for step in 0..20_000 {
        engine.step(step);
        if step % 1000 == 0 {
            words.push(engine.say("word").seq);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let last = engine.say("last").seq;
    words.push(last);
    let (mut heard, mut steps, mut skipped, mut latest_step) = (Vec::new(), 0, 0, 0);
    loop {
        match slow.receiver.next().await.unwrap().unwrap() {
            ServerMessage::Event(Stamped { seq, event: Event::Log { .. }, .. }) => heard.push(seq),
            ServerMessage::Event(Stamped { event: Event::Steps(event), .. }) => {
                steps += 1;
                latest_step = event.step;
            }
            ServerMessage::Behind { events } => skipped += events,
            ServerMessage::UpToDate => {}
            other => panic!("{other:?}"),
        }
        if heard.last() == Some(&last) {
            break;
        }
    }
    assert_eq!(heard, words);
    assert_eq!(steps + skipped, 20_000);
    assert!(skipped > 5_000, "only {skipped} were left out");
    assert_eq!(latest_step, 19_999, "it is up to date again");
}

#[tokio::test]
async fn requests_reach_the_inbox_and_a_viewer_that_reads_nothing_can_still_send_them() {
    let mut engine = Engine::start();
    let viewer = engine.viewer(0).await;
    for step in 0..10_000 {
        engine.step(step);
    }
    let id = viewer.sender.request(Command::Pause);
    let mut got = None;
    eventually("the request arrives", || {
        got = got.take().or(engine.inbox.try_recv().ok());
        got.is_some()
    })
    .await;
    assert_eq!(got.unwrap(), Request { id, by: "tester@here".into(), command: Command::Pause });
    assert_ne!(viewer.sender.request(Command::Resume), id);
}

#[tokio::test]
async fn pictures_come_when_asked_for() {
    let engine = Engine::start();
    let name = Blobs::open(&engine.run.blobs(), 10).unwrap().put(b"png").unwrap();
    let mut viewer = engine.viewer(0).await;
    assert_eq!(viewer.receiver.next().await.unwrap(), Some(ServerMessage::UpToDate));
    for (asked, answer) in [
        (name.as_str(), ServerMessage::Blob { name: name.clone(), bytes: b"png".into() }),
        ("../config", ServerMessage::NoBlob { name: "../config".into() }),
    ] {
        viewer.sender.blob(asked);
        assert_eq!(viewer.receiver.next().await.unwrap(), Some(answer));
    }
}

#[tokio::test]
async fn when_the_engine_ends_viewers_get_the_last_word_and_the_socket_goes() {
    let mut engine = Engine::start();
    let mut viewer = engine.viewer(0).await;
    assert_eq!(viewer.receiver.next().await.unwrap(), Some(ServerMessage::UpToDate));
    let socket = engine.run.socket().unwrap().unwrap();
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    let said: Vec<_> = (0..2_000).map(|number| engine.say(&number.to_string())).collect();
    let server = engine.server.take();
    let ending = std::thread::spawn(move || drop(server));
    assert_eq!(events(&mut viewer, 2_000).await.0, said);
    assert_eq!(viewer.receiver.next().await.unwrap(), None);
    ending.join().unwrap();
    assert!(!socket.exists());
    // The run is now replayed from its journal by the same messages.
    let mut replayed = client::replay(&engine.run, "me", From::Event(0)).await.unwrap();
    assert_eq!((replayed.welcome.head, replayed.welcome.live), (2_000, false));
    assert_eq!(events(&mut replayed, 2_000).await.0, said);
    assert_eq!(replayed.receiver.next().await.unwrap(), Some(ServerMessage::UpToDate));
}

#[tokio::test]
async fn a_viewer_that_never_reads_does_not_keep_the_engine_from_ending() {
    let mut engine = Engine::start();
    let _stuck = engine.viewer(0).await;
    for number in 0..20_000 {
        engine.say(&number.to_string());
    }
    let begun = Instant::now();
    let server = engine.server.take();
    tokio::task::spawn_blocking(move || drop(server)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_socket_whose_folder_was_deleted_comes_back() {
    let engine = Engine::start();
    let socket = engine.run.socket().unwrap().unwrap();
    fs::remove_file(&socket).unwrap();
    eventually("it is bound again", || engine.run.socket().unwrap().unwrap().exists()).await;
    engine.viewer(0).await;
}

#[tokio::test]
async fn another_protocol_is_refused_clearly_in_both_directions() {
    let engine = Engine::start();
    let mut stream = UnixStream::connect(engine.run.socket().unwrap().unwrap()).await.unwrap();
    let mut hello = Vec::new();
    ClientMessage::Hello { protocol: PROTOCOL + 1, client: "future".into(), since: 0, digest: None, light: false }
        .put(&mut hello)
        .unwrap();
    stream.write_all(&hello).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let mut decoder = Decoder::default();
    decoder.push(&answer);
    let refusal = ServerMessage::from_frame(decoder.next_frame().unwrap().unwrap()).unwrap();
    let ServerMessage::Refused { reason } = refusal else { panic!("{refusal:?}") };
    assert!(reason.contains(&format!("it speaks protocol {}", PROTOCOL + 1)), "{reason}");

    let (near, mut far) = tokio::io::duplex(4096);
    let mut welcome = Vec::new();
    let future = Welcome { protocol: PROTOCOL + 1, run: "r".into(), head: 0, live: true };
    ServerMessage::Welcome(future).put(&mut welcome).unwrap();
    far.write_all(&welcome).await.unwrap();
    let (read, write) = tokio::io::split(near);
    let Err(error) = client::greet(read, write, "me", From::Event(0)).await else { panic!("it was accepted") };
    assert!(matches!(error, Error::Protocol { theirs } if theirs == PROTOCOL + 1), "{error}");
}

#[tokio::test]
async fn garbage_ends_only_its_own_connection() {
    let mut engine = Engine::start();
    let mut viewer = engine.viewer(0).await;
    for garbage in [b"GET / HTTP/1.1\r\n\r\n".as_slice(), &[0; 64], &[2, 0, 0, 0, 0, b'{']] {
        let mut stream = UnixStream::connect(engine.run.socket().unwrap().unwrap()).await.unwrap();
        stream.write_all(garbage).await.unwrap();
        let mut answer = Vec::new();
        // The answer may be cut off by a reset, because unread bytes were left at the other end.
        let _ = stream.read_to_end(&mut answer).await;
    }
    let mut raw = UnixStream::connect(engine.run.socket().unwrap().unwrap()).await.unwrap();
    let mut early = Vec::new();
    frame::put_json(&mut early, &ClientMessage::Watch(None)).unwrap();
    raw.write_all(&early).await.unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("no greeting"), "{answer:?}");
    let said = engine.say("still here");
    assert_eq!(events(&mut viewer, 1).await.0, [said]);
}

#[tokio::test]
async fn connections_that_never_greet_keep_nobody_out() {
    let mut engine = Engine::start();
    let socket = engine.run.socket().unwrap().unwrap();
    let mut viewer = engine.viewer(0).await;
    let mut strangers = Vec::new();
    for number in 0..300 {
        let mut stranger = UnixStream::connect(&socket).await.unwrap();
        // Half of them begin a greeting.
        if number % 2 == 0 {
            let _ = stranger.write_all(&[60, 0, 0]).await;
        }
        strangers.push(stranger);
    }
    let mut late = engine.viewer(0).await;
    let said = engine.say("still here");
    assert_eq!(events(&mut viewer, 1).await.0, std::slice::from_ref(&said));
    assert_eq!(events(&mut late, 1).await.0, [said]);
    // The first ones were let go.
    let mut byte = [0];
    let gone = tokio::time::timeout(Duration::from_secs(5), strangers[0].read(&mut byte)).await.unwrap();
    assert!(matches!(gone, Ok(0) | Err(_)), "{gone:?}");
}

#[tokio::test]
async fn more_viewers_than_there_are_seats_are_refused_clearly_until_one_leaves() {
    let engine = Engine::start();
    let socket = engine.run.socket().unwrap().unwrap();
    let mut viewers = Vec::new();
    for _ in 0..64 {
        viewers.push(engine.viewer(0).await);
    }
    let Err(error) = client::connect(&socket, "one more", From::Event(0)).await else { panic!("it was let in") };
    assert!(error.to_string().contains("as many viewers as it serves"), "{error}");
    viewers.pop();
    let begun = Instant::now();
    while client::connect(&socket, "one more", From::Event(0)).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(5), "the seat was never free");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_long_frame_is_refused_before_it_has_come() {
    let engine = Engine::start();
    let mut stream = UnixStream::connect(engine.run.socket().unwrap().unwrap()).await.unwrap();
    stream.write_all(&(1_u32 << 20).to_le_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("a frame of 1048576 bytes"), "{answer}");
}

#[tokio::test]
async fn a_flood_of_requests_reaches_the_trainer_as_a_trickle() {
    let engine = Engine::start();
    let viewer = engine.viewer(0).await;
    for _ in 0..5000 {
        viewer.sender.request(Command::Pause);
    }
    tokio::time::sleep(Duration::from_millis(700)).await;
    let arrived = engine.inbox.try_iter().count();
    assert!((1..=400).contains(&arrived), "{arrived} requests");
}

#[tokio::test]
async fn behind_a_slow_line_a_viewer_begins_with_less_and_gets_the_rest_in_pieces() {
    let mut engine = Engine::start();
    engine.say("one");
    let place = *engine.journal.head().borrow();
    let whole: Vec<u32> = (0..20_000_u32).map(|number| number.wrapping_mul(2_654_435_761)).collect();
    digest::write(&engine.run, Form::Whole, place, &whole).unwrap();
    digest::write(&engine.run, Form::Light, place, &[1, 2]).unwrap();
    let news = engine.say("two");
    let socket = engine.run.socket().unwrap().unwrap();
    let mut viewer = client::connect(&socket, "me", From::Light).await.unwrap();
    assert_eq!(viewer.receiver.next().await.unwrap(), Some(ServerMessage::Digest(b"[1,2]".to_vec())));
    assert_eq!(events(&mut viewer, 1).await.0, [news]);
    let mut joined = Joined::default();
    let body = loop {
        viewer.sender.blob(&joined.next());
        let (name, bytes) = loop {
            match viewer.receiver.next().await.unwrap() {
                Some(ServerMessage::Blob { name, bytes }) => break (name, bytes),
                Some(_) => {}
                None => panic!("closed before the digest was whole"),
            }
        };
        if let Some(body) = joined.take(&name, &bytes).unwrap() {
            break body;
        }
    };
    assert_eq!(serde_json::from_slice::<Vec<u32>>(&body).unwrap(), whole);
    fs::remove_file(engine.run.light_digest()).unwrap();
    let mut viewer = client::connect(&socket, "me", From::Light).await.unwrap();
    let body = serde_json::to_vec(&whole).unwrap();
    assert_eq!(viewer.receiver.next().await.unwrap(), Some(ServerMessage::Digest(body)), "of an older engine");
}
