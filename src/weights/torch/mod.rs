//! Files of `torch.save`: a pickle that names storages, and the storages; in a zip archive since 1.6, one behind the other before.
//! No code in them is run.

mod pickle;
mod state_dict;

use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use self::{
    pickle::{Node, Pickle},
    state_dict::Stored,
};
use super::{
    Tensor,
    archive::Archive,
    error::{Fault, Read},
    file::{Contents, Place},
};

/// `0x1950a86a20f9469cfc6c`, as a pickle of protocol 2 begins with it.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";

pub(super) fn is_legacy(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// An archive with `…/data.pkl` and `…/data/KEY`, which are stored and not compressed, so that they are read where they lie.
pub(super) fn read_zip(bytes: &[u8]) -> Read<Contents> {
    let mut archive = Archive::open(bytes)?;
    let Some(root) = archive.names().iter().find_map(|name| name.strip_suffix("data.pkl")).map(str::to_owned) else {
        return Err(Fault::Foreign("it is a zip archive of something else".into()));
    };
    if archive.names().iter().any(|name| name.starts_with(&format!("{root}code/"))) {
        let text = "holds a TorchScript program: in Python, save `torch.jit.load(file).state_dict()`";
        return Err(Fault::unsupported(text));
    }
    if archive.stored(&format!("{root}byteorder"))?.is_some_and(|order| bytes[order].starts_with(b"big")) {
        return Err(Fault::unsupported("was written on a big-endian machine"));
    }
    let program = archive.stored(&format!("{root}data.pkl"))?.ok_or_else(|| Fault::damaged("it has no data.pkl"))?;
    let (pickle, _) = Pickle::read(&bytes[program])?;
    let stored = state_dict::tensors(&pickle)?;
    let mut storages = HashMap::new();
    for Stored { storage, .. } in &stored {
        if !storages.contains_key(storage) {
            let range = archive.stored(&format!("{root}data/{storage}"))?;
            let range = range.ok_or_else(|| Fault::damaged(format!("its storage {storage} is missing")))?;
            storages.insert(storage.clone(), range);
        }
    }
    contents(stored, &storages)
}

/// Five pickles (magic, version, system, the object, the keys of the storages), then each storage behind its number of elements.
pub(super) fn read_legacy(bytes: &[u8]) -> Read<Contents> {
    let mut at = 0;
    let mut next = || {
        let (pickle, length) = Pickle::read(&bytes[at..])?;
        at += length;
        Ok(pickle)
    };
    let (_magic, _version, _system) = (next()?, next()?, next()?);
    let (object, keys) = (next()?, next()?);
    let stored = state_dict::tensors(&object)?;
    let kinds = state_dict::storages(&object)?;
    let Node::List(listed) = keys.node(keys.root) else {
        return Err(Fault::damaged("the list of its storages is missing"));
    };
    let mut storages = HashMap::new();
    for &key in listed {
        let key = match keys.node(key) {
            Node::Text(key) => key.clone(),
            Node::Int(key) => key.to_string(),
            _ => return Err(Fault::damaged("a storage has no name")),
        };
        let size =
            kinds.get(&key).ok_or_else(|| Fault::damaged(format!("nothing says what storage {key} holds")))?.size();
        let torn = || Fault::damaged(format!("storage {key} is not whole"));
        let head: [u8; 8] = bytes.get(at..at + 8).and_then(|head| head.try_into().ok()).ok_or_else(torn)?;
        let length = usize::try_from(i64::from_le_bytes(head)).ok().and_then(|count| count.checked_mul(size));
        let start = at + 8;
        let end = length.and_then(|length| start.checked_add(length)).filter(|end| *end <= bytes.len());
        let end = end.ok_or_else(torn)?;
        storages.insert(key, start..end);
        at = end;
    }
    contents(stored, &storages)
}

fn contents(stored: Vec<Stored>, storages: &HashMap<String, Range<usize>>) -> Read<Contents> {
    let mut tensors = Vec::with_capacity(stored.len());
    for Stored { name, dtype, storage, view } in stored {
        let range = storages.get(&storage).ok_or_else(|| Fault::damaged(format!("storage {storage} is missing")))?;
        view.check(range.len() / dtype.size())?;
        let tensor = Tensor { name, shape: view.shape.clone(), dtype, keras: None };
        tensors.push((tensor, Place::Bytes { storage: range.clone(), view }));
    }
    Ok(Contents { tensors, attributes: BTreeMap::new() })
}
