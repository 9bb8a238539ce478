//! The viewer's side: greets, then sends without waiting and receives message by message, over a socket, the stdio of
//! `ssh`, or, for a run without an engine, its journal. Receiving can be dropped at any await and taken up again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::UnixStream,
    sync::mpsc,
};

use super::{
    connection::Incoming,
    error::{Error, Result},
    message::{ClientMessage, ServerMessage, Welcome},
    server,
};
use crate::{
    command::{Command, Request, Watch},
    event::PROTOCOL,
    run::{RunDir, digest},
};

/// Says things to the run, never waiting for it. When every copy is gone the connection is closed.
#[derive(Clone, Debug)]
pub struct Sender {
    outgoing: mpsc::UnboundedSender<ClientMessage>,
    by: Arc<str>,
}

/// Hears what the run says.
pub struct Receiver {
    incoming: Incoming<Box<dyn AsyncRead + Send + Unpin>>,
}

/// An open connection to a run.
pub struct Connection {
    pub sender: Sender,
    pub receiver: Receiver,
    pub welcome: Welcome,
}

/// Where a viewer begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// At this event. A number that there is not yet asks for news alone.
    Event(u64),
    /// With what has been until now, in one piece where it is kept, else from the first event on.
    Digest,
    /// The same behind a slow line: less of it, packed. The rest can be asked for in pieces ([`Joined`](super::Joined)).
    Light,
}

impl From {
    fn hello(self, by: &str) -> ClientMessage {
        let (since, digest) = match self {
            Self::Event(since) => (since, None),
            Self::Digest | Self::Light => (0, Some(digest::VERSION.into())),
        };
        ClientMessage::Hello { protocol: PROTOCOL, client: by.into(), since, digest, light: self == Self::Light }
    }
}

/// Connects to the engine behind `socket`. `by` is who asks, for the journal; `from` where it wants to begin.
pub async fn connect(socket: &Path, by: &str, from: From) -> Result<Connection> {
    let stream =
        UnixStream::connect(socket).await.map_err(|source| Error::Connect { path: socket.to_path_buf(), source })?;
    let (read, write) = stream.into_split();
    greet(read, write, by, from).await
}

/// Opens a run that has no engine: its journal.
pub async fn replay(run: &RunDir, by: &str, from: From) -> Result<Connection> {
    let (near, far) = tokio::io::duplex(256 << 10);
    let run = run.clone();
    tokio::spawn(async move {
        let (read, write) = tokio::io::split(far);
        // What went wrong was told on the stream.
        let _ = server::replay(&run, read, write).await;
    });
    let (read, write) = tokio::io::split(near);
    greet(read, write, by, from).await
}

/// Greets whoever is at the other end of two streams.
pub async fn greet(
    read: impl AsyncRead + Send + Unpin + 'static,
    mut write: impl AsyncWrite + Send + Unpin + 'static,
    by: &str,
    from: From,
) -> Result<Connection> {
    write_out(&mut write, &from.hello(by)).await?;
    let mut receiver = Receiver { incoming: Incoming::new(Box::new(read)) };
    let welcome = match receiver.next().await? {
        Some(ServerMessage::Welcome(welcome)) if welcome.protocol == PROTOCOL => welcome,
        Some(ServerMessage::Welcome(welcome)) => return Err(Error::Protocol { theirs: welcome.protocol }),
        Some(_) => return Err(Error::garbage("it starts without a greeting")),
        None => return Err(Error::Closed),
    };
    let (outgoing, queue) = mpsc::unbounded_channel();
    tokio::spawn(forward(queue, write));
    Ok(Connection { sender: Sender { outgoing, by: by.into() }, receiver, welcome })
}

async fn forward(mut queue: mpsc::UnboundedReceiver<ClientMessage>, mut write: impl AsyncWrite + Unpin) {
    while let Some(message) = queue.recv().await {
        if write_out(&mut write, &message).await.is_err() {
            // The receiving side finds the connection closed and says so.
            break;
        }
    }
    let _ = write.shutdown().await;
}

async fn write_out(write: &mut (impl AsyncWrite + Unpin), message: &ClientMessage) -> Result<()> {
    let mut out = Vec::new();
    message.put(&mut out)?;
    write.write_all(&out).await?;
    write.flush().await?;
    Ok(())
}

/// Answers are journaled for all to see, so the numbers of two viewers of the same person, or of one that attached again,
/// must differ. They stay within the 53 bits that every JSON reader keeps.
fn new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    u64::from(std::process::id()) << 24 | NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Sender {
    /// Sends a command and returns the number that its answer will carry.
    pub fn request(&self, command: Command) -> u64 {
        let id = new_id();
        self.send(ClientMessage::Request(Request { id, by: self.by.to_string(), command }));
        id
    }

    /// Who asks, as answers tell it.
    pub fn by(&self) -> &str {
        &self.by
    }

    pub fn watch(&self, watch: Option<Watch>) {
        self.send(ClientMessage::Watch(watch));
    }

    pub fn blob(&self, name: &str) {
        self.send(ClientMessage::Blob { name: name.into() });
    }

    fn send(&self, message: ClientMessage) {
        // An error means that the connection is closed, which the receiver tells.
        let _ = self.outgoing.send(message);
    }
}

impl Receiver {
    /// The next message; `None` when the run has closed the connection.
    pub async fn next(&mut self) -> Result<Option<ServerMessage>> {
        let Some(frame) = self.incoming.frame().await? else { return Ok(None) };
        match ServerMessage::from_frame(frame)? {
            ServerMessage::Refused { reason } => Err(Error::Refused { reason }),
            message => Ok(Some(message)),
        }
    }
}
