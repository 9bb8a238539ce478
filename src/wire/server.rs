//! The engine's side of the socket, on a thread of its own. It reads the journal and the blobs from the run directory, so
//! the trainer hands nothing over and waits for nobody. Only the user who runs the engine, and root, may connect.

use std::{
    collections::VecDeque,
    fs, io,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixListener as StdListener,
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{UnixListener, UnixStream},
    sync::watch,
    task::{AbortHandle, JoinSet},
    time::{interval, sleep, timeout},
};

use super::{
    connection::{self, Context, Seats},
    cursor::Places,
    error::{Error, Result},
    lease::Leases,
};
use crate::{
    command::Request,
    run::{self, Head, RunDir, tail},
};

/// How long viewers have, once the engine ends, to take what they have not read yet.
const FAREWELL: Duration = Duration::from_secs(2);
/// Viewers at once.
const VIEWERS: usize = 64;
/// Connections that have not greeted yet; the oldest gives way to one more, so that those who never do keep nobody out.
const STRANGERS: usize = 64;
/// How often the socket's path is looked at.
const WATCH_PATH: Duration = Duration::from_secs(2);

/// The server of one run.
pub struct Server;

/// Ends the server when dropped: viewers get the rest of the journal, the socket is removed.
pub struct ServerHandle {
    closing: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Opens the socket and serves viewers until the handle is dropped. Hold the run's lock, and have the journal opened.
    pub fn start(
        run: &RunDir,
        inbox: mpsc::Sender<Request>,
        leases: Leases,
        head: watch::Receiver<Head>,
    ) -> Result<ServerHandle> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let bound = Bound::open(run)?;
        let closing = watch::Sender::new(false);
        let (places, closed) = (Places::default(), closing.subscribe());
        let state = Serving { run: run.clone(), inbox, leases, head, places, closing: closed };
        let thread = thread::Builder::new().name("frostline-wire".into()).spawn(move || {
            runtime.block_on(state.run(bound));
        })?;
        Ok(ServerHandle { closing, thread: Some(thread) })
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        self.closing.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic of the server was reported when it happened, and must not become one of the engine.
            let _ = thread.join();
        }
    }
}

/// Serves a run that has no engine: its journal and pictures. Requests go unanswered, which `Welcome::live` says.
pub async fn replay<R, W>(run: &RunDir, read: R, write: W) -> Result<()>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let head = watch::Sender::new(tail::end(&run.journal())?);
    let closing = watch::Sender::new(false);
    let context = Context {
        run: run.clone(),
        head: head.subscribe(),
        places: Places::default(),
        inbox: None,
        lease: Leases::default().of(0),
        closing: closing.subscribe(),
        seats: Seats::new(1),
        greeted: Arc::default(),
    };
    connection::serve(read, write, context).await
}

/// A listening socket, and the file that it is reached by.
struct Bound {
    listener: StdListener,
    path: PathBuf,
    file: (u64, u64),
}

impl Bound {
    fn open(run: &RunDir) -> Result<Self> {
        let path = run.prepare_socket()?;
        let bind = || {
            // What lies there is a killed engine's: the run's lock says that no other lives.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let listener = StdListener::bind(&path)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            let file = identity(&path)?;
            Ok((listener, file))
        };
        match bind() {
            Ok((listener, file)) => Ok(Self { listener, path, file }),
            Err(source) => Err(Error::Bind { path, source }),
        }
    }

    /// Logging out of the last session deletes `XDG_RUNTIME_DIR` under an engine that goes on; then nobody could attach.
    fn is_reachable(path: &Path, file: (u64, u64)) -> bool {
        identity(path).is_ok_and(|found| found == file)
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

struct Serving {
    run: RunDir,
    inbox: mpsc::Sender<Request>,
    leases: Leases,
    head: watch::Receiver<Head>,
    places: Places,
    closing: watch::Receiver<bool>,
}

impl Serving {
    async fn run(self, bound: Bound) {
        let Bound { listener, mut path, mut file } = bound;
        let Ok(mut listener) = UnixListener::from_std(listener) else { return };
        let mut closing = self.closing.clone();
        let mut viewers = JoinSet::new();
        let mut client = 0;
        let (seats, mut strangers) = (Seats::new(VIEWERS), Strangers::default());
        let mut look = interval(WATCH_PATH);
        loop {
            tokio::select! {
                _ = closing.wait_for(|closing| *closing) => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if is_welcome(&stream) => {
                        client += 1;
                        let context = self.context(client, &seats);
                        let greeted = Arc::clone(&context.greeted);
                        let viewer = viewers.spawn(async move {
                            let (read, write) = stream.into_split();
                            // How one viewer's connection ended is that viewer's concern: it was told, or is gone.
                            let _ = connection::serve(read, write, context).await;
                        });
                        strangers.meet(viewer, greeted);
                    }
                    Ok(_) => {}
                    // Out of file descriptors, for example: others must not be hurt by trying at full speed.
                    Err(_) => sleep(Duration::from_millis(100)).await,
                },
                Some(_) = viewers.join_next() => {}
                _ = look.tick() => {
                    if !Bound::is_reachable(&path, file)
                        && let Ok(again) = Bound::open(&self.run)
                        && let Ok(fresh) = UnixListener::from_std(again.listener)
                    {
                        (listener, path, file) = (fresh, again.path, again.file);
                    }
                }
            }
        }
        let _ = timeout(FAREWELL, async { while viewers.join_next().await.is_some() {} }).await;
        if Bound::is_reachable(&path, file) {
            // Left behind it would only be in the way of nobody: the next engine removes it.
            let _ = fs::remove_file(&path);
        }
    }

    fn context(&self, client: u64, seats: &Seats) -> Context {
        Context {
            run: self.run.clone(),
            head: self.head.clone(),
            places: self.places.clone(),
            inbox: Some(self.inbox.clone()),
            lease: self.leases.of(client),
            closing: self.closing.clone(),
            seats: seats.clone(),
            greeted: Arc::default(),
        }
    }
}

/// Who has connected and not said yet who it is.
#[derive(Default)]
struct Strangers(VecDeque<(AbortHandle, Arc<AtomicBool>)>);

impl Strangers {
    fn meet(&mut self, viewer: AbortHandle, greeted: Arc<AtomicBool>) {
        self.0.retain(|(viewer, greeted)| !viewer.is_finished() && !greeted.load(Ordering::Relaxed));
        self.0.push_back((viewer, greeted));
        if self.0.len() > STRANGERS
            && let Some((oldest, _)) = self.0.pop_front()
        {
            oldest.abort();
        }
    }
}

fn is_welcome(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == run::own_uid() || peer.uid() == 0)
}
