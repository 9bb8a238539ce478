//! The run directory: everything that a run leaves on disk, and how others find, lock, follow and resume it.
//! Writes are either append-only (the journal) or to a temporary name that is renamed when it is whole, so a kill at any
//! moment leaves nothing half-written under a final name. No tensors and no sockets here, only their bytes and paths.

mod ancestry;
pub mod blobs;
pub mod checkpoint;
mod course;
pub mod digest;
mod dir;
mod error;
mod find;
pub mod history;
pub mod journal;
mod lock;
mod refusal;
mod room;
mod socket;
mod summary;
pub mod tail;
mod tensorboard;
mod whole;

pub use ancestry::take_over;
pub use blobs::Blobs;
pub use dir::RunDir;
pub use error::{Error, Result};
pub use find::{find, list};
pub use history::History;
pub use journal::{Head, JournalWriter};
pub use lock::{EngineLock, Holder};
pub use refusal::Refusal;
pub use room::room;
pub(crate) use socket::own_uid;
pub use socket::socket_folder;
pub use summary::{Standing, Summary, summarise};
pub use tail::{Entry, Place, Tail};
pub use tensorboard::TensorBoard;
