//! From a pickle to the tensors of a state dict: the few functions of `PyTorch` that stand for a tensor are understood, and every
//! other one is a value without meaning. Nested dictionaries get dotted names; optimiser states and the like are left out.

use std::collections::{HashMap, HashSet};

use super::{
    super::{
        dtype::Dtype,
        error::{Fault, Read},
        strided::View,
    },
    pickle::{Call, Id, Node, Pickle},
};

/// A tensor by the storage that holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) name: String,
    pub(super) dtype: Dtype,
    pub(super) storage: String,
    pub(super) view: View,
}

/// Keys under which training scripts keep the weights beside other things.
const NESTS: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];
/// State dicts are flat; what lies deeper is no weight.
const DEEPEST: usize = 8;

pub(super) fn tensors(pickle: &Pickle) -> Read<Vec<Stored>> {
    let mut root = pickle.root;
    for _ in 0..DEEPEST {
        let items = dictionary(pickle, root);
        let nest = NESTS.iter().find_map(|nest| items.iter().find(|(key, _)| text(pickle, *key) == Some(nest)));
        match nest {
            Some(&(_, nested)) if !is_tensor(pickle, nested) => root = nested,
            _ => break,
        }
    }
    if let Node::Call(call) = pickle.node(root)
        && !is_dictionary(pickle, root)
        && !is_tensor(pickle, root)
        && let Node::Global(class) = pickle.node(call.function)
    {
        return Err(Fault::unsupported(format!(
            "holds an object of the class {class}, not a state dict: in Python, save `model.state_dict()`"
        )));
    }
    let mut found = Vec::new();
    gather(pickle, root, "", 0, &mut HashSet::new(), &mut found)?;
    if found.is_empty() {
        return Err(Fault::Foreign("there is no tensor in its dictionary".into()));
    }
    Ok(found)
}

/// Element types of all storages that are named anywhere.
pub(super) fn storages(pickle: &Pickle) -> Read<HashMap<String, Dtype>> {
    let mut storages = HashMap::new();
    for node in pickle.nodes() {
        if let Node::Persistent(identity) = node {
            let storage = storage(pickle, *identity)?;
            if let Some(dtype) = storage.dtype {
                storages.insert(storage.key, dtype);
            }
        }
    }
    Ok(storages)
}

/// Each dictionary is looked into once: one that holds itself would have no end.
fn gather(
    pickle: &Pickle,
    id: Id,
    prefix: &str,
    depth: usize,
    seen: &mut HashSet<Id>,
    found: &mut Vec<Stored>,
) -> Read<()> {
    if !seen.insert(id) {
        return Ok(());
    }
    for (key, value) in dictionary(pickle, id) {
        let key = match pickle.node(key) {
            Node::Text(key) => key.clone(),
            Node::Int(key) => key.to_string(),
            _ => continue,
        };
        let name = format!("{prefix}{key}");
        if is_tensor(pickle, value) {
            found.extend(tensor(pickle, name, value)?);
        } else if depth < DEEPEST {
            gather(pickle, value, &format!("{name}."), depth + 1, seen, found)?;
        }
    }
    Ok(())
}

fn text(pickle: &Pickle, id: Id) -> Option<&str> {
    if let Node::Text(text) = pickle.node(id) { Some(text) } else { None }
}

fn global(pickle: &Pickle, id: Id) -> Option<&str> {
    if let Node::Global(name) = pickle.node(id) { Some(name) } else { None }
}

fn is_dictionary(pickle: &Pickle, id: Id) -> bool {
    match pickle.node(id) {
        Node::Dict(_) => true,
        Node::Call(call) => {
            matches!(global(pickle, call.function), Some("collections.OrderedDict" | "collections.defaultdict"))
        }
        _ => false,
    }
}

/// The items of a dictionary, none of anything else. Python 2 gave an `OrderedDict` its items as a list of pairs.
fn dictionary(pickle: &Pickle, id: Id) -> Vec<(Id, Id)> {
    match pickle.node(id) {
        Node::Dict(items) => items.clone(),
        Node::Call(call) if is_dictionary(pickle, id) => {
            let mut items = Vec::new();
            if let Some(&list) = tuple(pickle, call.arguments).first() {
                items.extend(tuple(pickle, list).iter().filter_map(|&pair| match tuple(pickle, pair) {
                    [key, value] => Some((*key, *value)),
                    _ => None,
                }));
            }
            items.extend_from_slice(&call.items);
            items
        }
        _ => Vec::new(),
    }
}

fn tuple(pickle: &Pickle, id: Id) -> &[Id] {
    match pickle.node(id) {
        Node::Tuple(items) | Node::List(items) => items,
        _ => &[],
    }
}

const TENSORS: [&str; 3] =
    ["torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"];
/// Wrappers whose first argument is the tensor.
const PARAMETERS: [&str; 2] = ["torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state"];
/// A tensor with attributes of its own: `(function, type, arguments, state)`.
const TYPED: [&str; 2] = ["torch._tensor._rebuild_from_type_v2", "torch._tensor._rebuild_from_type"];

/// The function and the arguments behind wrappers.
fn made_by(pickle: &Pickle, mut id: Id) -> Option<(&str, &[Id])> {
    for _ in 0..DEEPEST {
        let Node::Call(Call { function, arguments, .. }) = pickle.node(id) else { return None };
        let (name, arguments) = (global(pickle, *function)?, tuple(pickle, *arguments));
        if PARAMETERS.contains(&name) {
            id = *arguments.first()?;
        } else if TYPED.contains(&name) {
            return Some((global(pickle, *arguments.first()?)?, tuple(pickle, *arguments.get(2)?)));
        } else {
            return Some((name, arguments));
        }
    }
    None
}

fn is_tensor(pickle: &Pickle, id: Id) -> bool {
    made_by(pickle, id).is_some_and(|(function, _)| TENSORS.contains(&function))
}

/// `(storage, offset, size, stride, …)`; the third version ends in `(…, dtype, metadata)`.
fn tensor(pickle: &Pickle, name: String, id: Id) -> Read<Option<Stored>> {
    let Some((function, arguments)) = made_by(pickle, id) else { return Ok(None) };
    let odd = || Fault::damaged(format!("\"{name}\" is not described as a tensor is"));
    let [storage_at, offset, size, stride, rest @ ..] = arguments else { return Err(odd()) };
    let Node::Persistent(identity) = pickle.node(*storage_at) else { return Err(odd()) };
    let storage = storage(pickle, *identity)?;
    let dtype = match (function.ends_with("_v3"), rest) {
        (true, [_, _, kind, ..]) => {
            let kind = global(pickle, *kind).unwrap_or_default();
            typed(kind).ok_or_else(|| strange(&name, kind))?
        }
        _ => storage.dtype.ok_or_else(|| strange(&name, "bytes without a type"))?,
    };
    let number = |id: Id| match pickle.node(id) {
        Node::Int(number) => usize::try_from(*number).map_err(|_| odd()),
        _ => Err(odd()),
    };
    let numbers = |id: Id| tuple(pickle, id).iter().map(|&id| number(id)).collect::<Read<Vec<usize>>>();
    let offset = number(*offset)?.checked_add(storage.offset).ok_or_else(odd)?;
    let view = View { offset, shape: numbers(*size)?, strides: numbers(*stride)? };
    Ok(Some(Stored { name, dtype, storage: storage.key, view }))
}

fn strange(name: &str, kind: &str) -> Fault {
    Fault::unsupported(format!("\"{name}\" holds {kind}, a kind of number that is not read"))
}

struct Storage {
    key: String,
    dtype: Option<Dtype>,
    /// Of a view of another storage, in elements.
    offset: usize,
}

/// `("storage", torch.FloatStorage, key, location, elements)`, and before 1.6 `(view key, offset, size)` or `None` behind it.
fn storage(pickle: &Pickle, identity: Id) -> Read<Storage> {
    let odd = || Fault::damaged("a storage is not described as PyTorch does");
    let [_, class, key, rest @ ..] = tuple(pickle, identity) else { return Err(odd()) };
    let class = global(pickle, *class).ok_or_else(odd)?;
    let dtype = match class {
        "torch.storage.UntypedStorage" | "torch.UntypedStorage" => None,
        _ => Some(stored(class).ok_or_else(|| strange("a storage", class))?),
    };
    let key = match pickle.node(*key) {
        Node::Text(key) => key.clone(),
        Node::Int(key) => key.to_string(),
        _ => return Err(odd()),
    };
    let offset = match rest.get(2).map_or(&[][..], |view| tuple(pickle, *view)) {
        [_, offset, _] => match pickle.node(*offset) {
            Node::Int(offset) => usize::try_from(*offset).map_err(|_| odd())?,
            _ => return Err(odd()),
        },
        _ => 0,
    };
    Ok(Storage { key, dtype, offset })
}

fn stored(class: &str) -> Option<Dtype> {
    Some(match class.strip_prefix("torch.")? {
        "DoubleStorage" => Dtype::Float64,
        "FloatStorage" => Dtype::Float32,
        "HalfStorage" => Dtype::Float16,
        "BFloat16Storage" => Dtype::Bfloat16,
        "LongStorage" => Dtype::Int64,
        "IntStorage" => Dtype::Int32,
        "ShortStorage" => Dtype::Int16,
        "CharStorage" => Dtype::Int8,
        "ByteStorage" => Dtype::Uint8,
        "BoolStorage" => Dtype::Bool,
        _ => return None,
    })
}

fn typed(kind: &str) -> Option<Dtype> {
    Some(match kind.strip_prefix("torch.")? {
        "float64" => Dtype::Float64,
        "float32" => Dtype::Float32,
        "float16" => Dtype::Float16,
        "bfloat16" => Dtype::Bfloat16,
        "int64" => Dtype::Int64,
        "int32" => Dtype::Int32,
        "int16" => Dtype::Int16,
        "int8" => Dtype::Int8,
        "uint8" => Dtype::Uint8,
        "bool" => Dtype::Bool,
        _ => return None,
    })
}
