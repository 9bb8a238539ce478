//! One viewer's connection, over any pair of streams: greeting, then events and pictures out, requests and leases in.
//! The two directions run side by side, so a viewer that reads slowly can still say `stop`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc as channel, watch},
    task::yield_now,
    time::{Instant, sleep_until, timeout},
};

use super::{
    cursor::{BATCH, Cursor, Places},
    error::{Error, Result},
    frame::{Decoder, Frame, LONGEST},
    lease::Lease,
    message::{ClientMessage, ServerMessage, Welcome},
    packed::{Pieces, piece_number},
};
use crate::{
    command::Request,
    event::PROTOCOL,
    run::{
        Head, RunDir, blobs,
        digest::{self, Form},
    },
};

const SECOND: Duration = Duration::from_secs(1);
/// How long a peer may take to say `Hello`.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest first message, and the longest of those that follow: a viewer says little.
const LONGEST_GREETING: usize = 4 << 10;
const LONGEST_WORD: usize = 256 << 10;
/// Requests of one viewer in a second; what is beyond waits, so that no flood of them holds up the trainer.
const REQUESTS: u32 = 200;
/// Pictures that a viewer may have asked for and not yet received; then its further messages wait.
const WANTED: usize = 256;

/// What a connection needs of the run.
pub(super) struct Context {
    pub run: RunDir,
    pub head: watch::Receiver<Head>,
    pub places: Places,
    /// Where requests go; `None` when the run has no engine.
    pub inbox: Option<mpsc::Sender<Request>>,
    pub lease: Lease,
    /// Turns true when the engine ends: what the journal holds is still sent.
    pub closing: watch::Receiver<bool>,
    pub seats: Seats,
    /// Set when the viewer has greeted.
    pub greeted: Arc<AtomicBool>,
}

/// How many viewers may still come.
#[derive(Clone, Debug)]
pub(super) struct Seats(Arc<Semaphore>);

impl Seats {
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count)))
    }
}

/// Frames as they arrive. Can be dropped and called again at any await without losing bytes.
pub(super) struct Incoming<R> {
    stream: R,
    decoder: Decoder,
    chunk: Box<[u8]>,
}

impl<R: AsyncRead + Unpin> Incoming<R> {
    pub fn new(stream: R) -> Self {
        Self { stream, decoder: Decoder::default(), chunk: vec![0; 64 << 10].into() }
    }

    pub fn limit(&mut self, longest: usize) {
        self.decoder.limit(longest);
    }

    /// `None` at the end of the stream.
    pub async fn frame(&mut self) -> Result<Option<Frame>> {
        loop {
            if let Some(frame) = self.decoder.next_frame()? {
                return Ok(Some(frame));
            }
            match self.stream.read(&mut self.chunk).await {
                Ok(0) => return Ok(None),
                Ok(got) => self.decoder.push(&self.chunk[..got]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Serves a viewer until it leaves, or until the engine ends and the viewer has everything.
pub(super) async fn serve<R, W>(read: R, mut write: W, context: Context) -> Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut incoming = Incoming::new(read);
    incoming.limit(LONGEST_GREETING);
    let welcomed = match greet(&mut incoming, &context).await {
        Ok(Some(Greeted { cursor, digest, _seat })) => {
            incoming.limit(LONGEST_WORD);
            let mut out = Vec::new();
            ServerMessage::Welcome(Welcome {
                protocol: PROTOCOL,
                run: context.run.name(),
                head: context.head.borrow().events,
                live: context.inbox.is_some(),
            })
            .put(&mut out)?;
            if let Some((body, light)) = digest {
                if light { ServerMessage::Packed(body) } else { ServerMessage::Digest(body) }.put(&mut out)?;
            }
            write.write_all(&out).await?;
            let Context { run, head, inbox, lease, closing, .. } = context;
            let (wanted, asked) = channel::channel(WANTED);
            tokio::select! {
                left = listen(incoming, inbox, &lease, wanted) => left,
                told = tell(&mut write, cursor, head, closing, &run, asked) => told,
            }
        }
        Ok(None) => return Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = &welcomed
        && !matches!(error, Error::Io(_))
    {
        let mut out = Vec::new();
        let reason = match error {
            Error::Refused { reason } => reason.clone(),
            other => other.to_string(),
        };
        ServerMessage::Refused { reason }.put(&mut out)?;
        write.write_all(&out).await?;
    }
    write.shutdown().await?;
    welcomed
}

/// A viewer that may stay.
struct Greeted {
    cursor: Cursor,
    /// What it gets in place of the events before the cursor, and whether that is packed.
    digest: Option<(Vec<u8>, bool)>,
    _seat: OwnedSemaphorePermit,
}

/// Waits for `Hello`; `None` when the peer only looked whether someone is there.
async fn greet<R: AsyncRead + Unpin>(incoming: &mut Incoming<R>, context: &Context) -> Result<Option<Greeted>> {
    let refused = |reason: String| Err(Error::Refused { reason });
    let frame = match timeout(PATIENCE, incoming.frame()).await {
        Ok(frame) => frame?,
        Err(_) => return refused("it sent no greeting".into()),
    };
    let Some(frame) = frame else { return Ok(None) };
    match ClientMessage::from_frame(&frame)? {
        ClientMessage::Hello { protocol: PROTOCOL, since, digest: wanted, light, .. } => {
            let Ok(seat) = Arc::clone(&context.seats.0).try_acquire_owned() else {
                return refused("as many viewers as it serves are looking on already".into());
            };
            context.greeted.store(true, Ordering::Relaxed);
            let (run, places) = (&context.run, context.places.clone());
            // One that is too long for a frame would end the connection.
            let fits = since == 0 && wanted.as_deref() == Some(digest::VERSION);
            let forms: &[Form] = if light { &[Form::Light, Form::Whole] } else { &[Form::Whole] };
            let kept = forms.iter().filter(|_| fits).find_map(|form| digest::read(run, *form));
            let kept = kept.filter(|kept| kept.body.len() < LONGEST / 2);
            let head = *context.head.borrow();
            let cursor = match &kept {
                Some(kept) => Cursor::begin(run, kept.place, places)?,
                None => Cursor::open(run, since, head, places)?,
            };
            let cursor = if light { cursor.sparing() } else { cursor };
            Ok(Some(Greeted { cursor, digest: kept.map(|kept| (kept.body, light)), _seat: seat }))
        }
        ClientMessage::Hello { protocol, .. } => refused(format!(
            "it speaks protocol {protocol}, the run (frostline {}) protocol {PROTOCOL}",
            env!("CARGO_PKG_VERSION")
        )),
        _ => refused("its first message is no greeting".into()),
    }
}

async fn listen<R: AsyncRead + Unpin>(
    mut incoming: Incoming<R>,
    inbox: Option<mpsc::Sender<Request>>,
    lease: &Lease,
    wanted: channel::Sender<String>,
) -> Result<()> {
    let (mut since, mut requests) = (Instant::now(), 0);
    while let Some(frame) = incoming.frame().await? {
        match ClientMessage::from_frame(&frame)? {
            ClientMessage::Request(request) => {
                requests += 1;
                if requests > REQUESTS {
                    sleep_until(since + SECOND).await;
                }
                if since.elapsed() >= SECOND {
                    (since, requests) = (Instant::now(), 0);
                }
                if let Some(inbox) = &inbox {
                    // An error means that the trainer has ended; then the journal's last event answers.
                    let _ = inbox.send(request);
                }
            }
            ClientMessage::Watch(watch) => lease.set(watch),
            ClientMessage::Blob { name } => {
                // An error means that the other direction has ended, and with it this one.
                let _ = wanted.send(name).await;
            }
            ClientMessage::Hello { .. } => return Err(Error::Refused { reason: "it greets twice".into() }),
        }
    }
    Ok(())
}

async fn tell<W: AsyncWrite + Unpin>(
    write: &mut W,
    mut cursor: Cursor,
    mut head: watch::Receiver<Head>,
    mut closing: watch::Receiver<bool>,
    run: &RunDir,
    mut asked: channel::Receiver<String>,
) -> Result<()> {
    let (mut out, mut pieces) = (Vec::new(), Pieces::default());
    loop {
        // Read before the journal is, so that what is written meanwhile is not missed.
        let last_round = *closing.borrow_and_update();
        let now = *head.borrow_and_update();
        let more = cursor.fill(now, &mut out)?;
        while out.len() < 2 * BATCH
            && let Ok(name) = asked.try_recv()
        {
            put_blob(run, name, &mut pieces, &mut out)?;
        }
        write.write_all(&out).await?;
        write.flush().await?;
        out.clear();
        if more {
            // All viewers have one thread, and reading history need not wait for anything.
            yield_now().await;
            continue;
        }
        if last_round {
            return Ok(());
        }
        // A sender that is gone changes nothing any more; its branch is then switched off.
        tokio::select! {
            Ok(()) = head.changed() => {}
            Ok(()) = closing.changed() => {}
            Some(name) = asked.recv() => put_blob(run, name, &mut pieces, &mut out)?,
            else => std::future::pending().await,
        }
    }
}

fn put_blob(run: &RunDir, name: String, pieces: &mut Pieces, out: &mut Vec<u8>) -> Result<()> {
    let found = match piece_number(&name) {
        Some(number) => pieces.get(run, number),
        None => blobs::read(&run.blobs(), &name).ok().flatten(),
    };
    match found {
        Some(bytes) => ServerMessage::Blob { name, bytes },
        None => ServerMessage::NoBlob { name },
    }
    .put(out)
}
