//! `frostline weights pull`: ImageNet weights from the Hugging Face hub. `hf-hub` knows the hub's addresses, what it says of a file, and
//! the layout of the cache that all programs share; the bytes come through this program's own downloader, which goes on where it was
//! cut off and gives a file its name only when its SHA-256 is right. What is there already needs no network.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use clap::Args;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, Metadata};

use super::Place;
use crate::{
    cli::{
        Exit,
        download::{self, DownloadError, Fetched, Known, Patience, Wanted, fetch},
        output::Output,
        progress,
        table::size,
    },
    error::{Error, Result},
    weights::{
        Identity, Shelf, WeightsFile,
        catalogue::{self, REMOTES, Remote},
        repository,
    },
};

const ENDPOINT: &str = "https://huggingface.co";

#[derive(Args, Debug)]
pub struct PullArgs {
    /// Networks; `frostline weights list` names them
    #[arg(required = true, value_name = "NAME", value_parser = REMOTES.map(|remote| remote.architecture.name()))]
    names: Vec<String>,
    /// Put them into Frostline's own folder instead of the hub's cache
    #[arg(long)]
    own: bool,
    #[command(flatten)]
    place: Place,
}

pub fn run(args: &PullArgs, out: &mut Output) -> Result<Exit> {
    let shelf = args.place.shelf();
    for remote in args.names.iter().filter_map(|name| catalogue::find(name)) {
        pull(remote, args.own, &shelf, out)?;
    }
    Ok(Exit::DONE)
}

fn pull(remote: &Remote, own: bool, shelf: &Shelf, out: &mut Output) -> Result<()> {
    let name = remote.architecture.name();
    let here = if own { Some(shelf.own(name)).filter(|path| path.exists()) } else { shelf.cached(remote) };
    if let Some(path) = here {
        return out.line(&format!("{}: is there already", path.display()));
    }
    let api = api(shelf)?;
    let url = api.repo(repository(remote)).url(remote.file);
    let said = api.metadata(&url).map_err(|error| refused(&error, &url, remote, shelf))?;
    let known = known(&said, remote, &url)?;
    let cache = shelf.hub().repo(repository(remote));
    let target = if own { shelf.own(name) } else { cache.blob_path(said.etag()) };
    let folder = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .map_err(|error| Error::environment(format!("{}: cannot be made: {error}", folder.display()), None))?;
    let wanted = Wanted { urls: vec![url], target, token: token(shelf), known: Some(known) };
    let bar = progress::bytes(name.to_owned(), said.size() as u64);
    let fetched = fetch(&download::agent(), &wanted, Patience::default(), &|arrived| bar.set_position(arrived));
    bar.finish_and_clear();
    let fetched = fetched.map_err(|error| failed(&error, &wanted.target, remote, shelf))?;
    let path = if own {
        wanted.target
    } else {
        let pointer = cache.pointer_path(said.commit_hash()).join(remote.file);
        link(&pointer, said.etag())
            .and_then(|()| cache.create_ref(said.commit_hash()))
            .map_err(|error| Error::environment(format!("{}: cannot be written: {error}", pointer.display()), None))?;
        pointer
    };
    let from = match fetched {
        Fetched::Present => "which was there already".to_owned(),
        Fetched::From(url) => format!("from {}", download::host(&url)),
    };
    out.line(&format!("{}: {} {from}", path.display(), size(said.size() as u64)))?;
    out.line(&describe(&path, remote)?)
}

/// What a person needs to use it.
fn describe(path: &Path, remote: &Remote) -> Result<String> {
    let file = WeightsFile::open(path)?;
    let name = remote.architecture.name();
    Ok(match Identity::of(&file) {
        Some(identity) if identity.architecture == remote.architecture => format!(
            "in a configuration: preprocessing = {} in [model]; architecture = \"{name}\", weights = \"imagenet\" in [model.base]",
            identity.preprocessing.to_toml()
        ),
        _ => format!("its tensors are not those of {name}: `frostline weights inspect {}` lists them", path.display()),
    })
}

fn api(shelf: &Shelf) -> Result<Api> {
    let endpoint = std::env::var("HF_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty());
    let endpoint = endpoint.unwrap_or_else(|| ENDPOINT.into()).trim_end_matches('/').to_owned();
    if !endpoint.parse::<ureq::http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some()) {
        return Err(Error::user(
            format!("HF_ENDPOINT={endpoint}: is no address"),
            format!("the hub's own is {ENDPOINT}"),
        ));
    }
    let builder = ApiBuilder::from_cache(shelf.hub().clone()).with_endpoint(endpoint).with_progress(false);
    let api = builder.with_user_agent("frostline", env!("CARGO_PKG_VERSION")).with_token(token(shelf)).build();
    api.map_err(|error| Error::environment(format!("cannot ask the hub: {error}"), None))
}

/// `HF_TOKEN`, or what `hf auth login` left beside the cache.
fn token(shelf: &Shelf) -> Option<String> {
    let named = std::env::var("HF_TOKEN").ok().map(|token| token.trim().to_owned()).filter(|token| !token.is_empty());
    named.or_else(|| shelf.hub().token())
}

/// The hub names large files by their SHA-256.
fn known(said: &Metadata, remote: &Remote, url: &str) -> Result<Known> {
    let sha256 = said.etag().to_ascii_lowercase();
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::environment(format!("{url}: the hub gives no SHA-256 for it, but `{}`", said.etag()), None));
    }
    // It becomes a folder's name.
    if !said.commit_hash().bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::environment(format!("{url}: the hub calls its version `{}`", said.commit_hash()), None));
    }
    match remote.sha256 {
        Some(wanted) if wanted != sha256 => Err(Error::environment(
            format!(
                "{url}: the hub has another file than the one that is wanted: its SHA-256 is {sha256} instead of {wanted}"
            ),
            None,
        )),
        _ => Ok(Known { bytes: said.size() as u64, sha256 }),
    }
}

/// As `huggingface_hub` does: a snapshot's file points to the blob.
fn link(pointer: &Path, blob: &str) -> io::Result<()> {
    if let Some(folder) = pointer.parent() {
        fs::create_dir_all(folder)?;
    }
    match symlink(PathBuf::from("../../blobs").join(blob), pointer) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done,
    }
}

fn by_hand(remote: &Remote, shelf: &Shelf) -> String {
    format!(
        "by hand: put {} of {ENDPOINT}/{} into {}",
        remote.file,
        remote.repository,
        shelf.own(remote.architecture.name()).display()
    )
}

fn refused(error: &ApiError, url: &str, remote: &Remote, shelf: &Shelf) -> Error {
    let status = if let ApiError::RequestError(inner) = error
        && let ureq::Error::StatusCode(status) = **inner
    {
        Some(status)
    } else {
        None
    };
    match status {
        Some(status @ (401 | 403)) => Error::user(
            format!("{url}: the hub does not let you have it (answers {status})"),
            format!(
                "if it exists: accept its terms at {ENDPOINT}/{}, and set HF_TOKEN or log in with `hf auth login`",
                remote.repository
            ),
        ),
        Some(404) => Error::environment(
            format!("{url}: is not on the hub (answers 404)"),
            Some("HF_ENDPOINT may name a mirror that lacks it".into()),
        ),
        _ => Error::environment(
            format!("{url}: cannot be asked for: {}", error.to_string().trim_start_matches("request error: ")),
            Some(by_hand(remote, shelf)),
        ),
    }
}

fn failed(error: &DownloadError, target: &Path, remote: &Remote, shelf: &Shelf) -> Error {
    let mut hints = Vec::new();
    if let Ok(part) = download::part(target).metadata() {
        hints.push(format!("{} are here; the same command goes on from there", size(part.len())));
    }
    if matches!(error, DownloadError::Nowhere { .. }) {
        hints.push(by_hand(remote, shelf));
    }
    // One hint a line.
    let hints = (!hints.is_empty()).then(|| hints.join("\n  hint: "));
    Error::environment(error.to_string(), hints)
}
