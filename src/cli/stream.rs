//! `frostline stream`: the bytes of a run's socket on stdin and stdout, for `ssh HOST frostline stream RUN`. A run without
//! an engine is replayed in the same words.

use clap::Args;
use tokio::io::AsyncWriteExt as _;

use super::{
    Exit, Place, block_on,
    viewer::{self, Reached},
};
use crate::{
    error::{Error, Result},
    wire,
};

#[derive(Args, Debug)]
pub struct StreamArgs {
    /// The run: its name, a unique part of it, a path, or `last`
    #[arg(default_value = "last")]
    run: String,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &StreamArgs) -> Result<Exit> {
    let run = args.place.find(&args.run)?;
    block_on(async {
        let (mut input, mut output) = (tokio::io::stdin(), tokio::io::stdout());
        match viewer::reach(&run, None).await? {
            Reached::Engine(stream) => {
                let (mut read, mut write) = stream.into_split();
                // Whichever side leaves first ends both.
                let carried = tokio::select! {
                    carried = tokio::io::copy(&mut input, &mut write) => carried,
                    carried = tokio::io::copy(&mut read, &mut output) => carried,
                };
                // The viewer may be gone already, and that is how a stream ends.
                let _ = output.flush().await;
                match carried {
                    Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                        return Err(Error::environment(format!("the stream broke: {error}"), None));
                    }
                    _ => {}
                }
            }
            Reached::Refused(refusal) => return Err(refusal.into()),
            Reached::Journal => match wire::replay(&run, input, output).await {
                Err(wire::Error::Io(_)) | Ok(()) => {}
                Err(error) => return Err(error.into()),
            },
        }
        Ok(Exit::DONE)
    })
}
