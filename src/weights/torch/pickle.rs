//! Pickles as data: the opcodes that Python writes for containers, numbers, text and calls become a graph of nodes in which a call
//! is a note of what would be called. Nothing is imported, called or built; opcodes that do more are refused.
//! Format: `pickletools.py` of `CPython`. Nodes refer to each other by number, so that no nesting can exhaust the stack.

use std::collections::HashMap;

use super::super::error::{Fault, Read};

pub(super) type Id = usize;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Nothing,
    Int(i64),
    Text(String),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    /// `module.name`.
    Global(String),
    /// What the writer keeps elsewhere, by its identity.
    Persistent(Id),
    Call(Call),
    /// A value that no file of weights needs: a float, a boolean, bytes, a set, a whole number beyond 64 bits.
    Other,
}

/// `function(*arguments)`, and what was put into the result by key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) function: Id,
    pub(super) arguments: Id,
    pub(super) items: Vec<(Id, Id)>,
}

pub(super) struct Pickle {
    nodes: Vec<Node>,
    pub(super) root: Id,
}

impl Pickle {
    /// Reads one pickle from the beginning of `bytes`; comes with its length.
    pub(super) fn read(bytes: &[u8]) -> Read<(Self, usize)> {
        let mut machine =
            Machine { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), marks: Vec::new(), memo: HashMap::new() };
        let root = machine.run()?;
        Ok((Self { nodes: machine.nodes, root }, machine.at))
    }

    pub(super) fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u64, Id>,
}

impl Machine<'_> {
    fn run(&mut self) -> Read<Id> {
        loop {
            let begun = self.at;
            match self.byte()? {
                b'.' => return self.pop(),
                opcode => self.step(opcode, begun)?,
            }
        }
    }

    fn step(&mut self, opcode: u8, begun: usize) -> Read<()> {
        match opcode {
            // PROTO, FRAME
            0x80 => drop(self.byte()?),
            0x95 => drop(self.take(8)?),
            b'(' => self.marks.push(self.stack.len()),
            b'0' => drop(self.pop()?),
            b'1' => drop(self.marked()?),
            b'2' => {
                let top = self.top()?;
                self.stack.push(top);
            }
            // Plain values.
            b'N' => self.push(Node::Nothing),
            0x88 | 0x89 => self.push(Node::Other),
            b'K' => {
                let value = self.byte()?;
                self.push(Node::Int(value.into()));
            }
            b'M' => {
                let value = u16::from_le_bytes(self.array()?);
                self.push(Node::Int(value.into()));
            }
            b'J' => {
                let value = i32::from_le_bytes(self.array()?);
                self.push(Node::Int(value.into()));
            }
            0x8a => {
                let length = self.byte()?.into();
                self.long(length)?;
            }
            0x8b => {
                let length = self.length4()?;
                self.long(length)?;
            }
            b'G' => {
                self.take(8)?;
                self.push(Node::Other);
            }
            // Text: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8, and Python 2's strings.
            b'X' | b'T' => {
                let length = self.length4()?;
                self.text(length)?;
            }
            0x8c | b'U' => {
                let length = self.byte()?.into();
                self.text(length)?;
            }
            0x8d => {
                let length = self.length8()?;
                self.text(length)?;
            }
            // Bytes.
            b'B' => {
                let length = self.length4()?;
                self.passed_over(length)?;
            }
            b'C' => {
                let length = self.byte()?.into();
                self.passed_over(length)?;
            }
            0x8e | 0x96 => {
                let length = self.length8()?;
                self.passed_over(length)?;
            }
            _ => return self.container(opcode, begun),
        }
        Ok(())
    }

    /// Tuples, lists, dictionaries, the memo and calls.
    fn container(&mut self, opcode: u8, begun: usize) -> Read<()> {
        match opcode {
            b')' => self.push(Node::Tuple(Vec::new())),
            b't' => {
                let items = self.marked()?;
                self.push(Node::Tuple(items));
            }
            0x85..=0x87 => {
                let first = self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or_else(torn)?;
                let items = self.stack.split_off(first);
                self.push(Node::Tuple(items));
            }
            b']' => self.push(Node::List(Vec::new())),
            b'l' => {
                let items = self.marked()?;
                self.push(Node::List(items));
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.marked()?;
                self.append(&items)?;
            }
            b'}' => self.push(Node::Dict(Vec::new())),
            b'd' => {
                let pairs = pairs(&self.marked()?);
                self.push(Node::Dict(pairs));
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.set(vec![(key, value)])?;
            }
            b'u' => {
                let pairs = pairs(&self.marked()?);
                self.set(pairs)?;
            }
            // EMPTY_SET, ADDITEMS
            0x8f => self.push(Node::Other),
            0x90 => drop(self.marked()?),
            _ => return self.reference(opcode, begun),
        }
        Ok(())
    }

    fn reference(&mut self, opcode: u8, begun: usize) -> Read<()> {
        match opcode {
            b'q' => {
                let key = self.byte()?.into();
                self.remember(key)?;
            }
            b'r' => {
                let key = u32::from_le_bytes(self.array()?).into();
                self.remember(key)?;
            }
            0x94 => self.remember(self.memo.len() as u64)?,
            b'h' => {
                let key = self.byte()?.into();
                self.recall(key)?;
            }
            b'j' => {
                let key = u32::from_le_bytes(self.array()?).into();
                self.recall(key)?;
            }
            b'c' => {
                let module = self.line()?;
                let name = self.line()?;
                self.push(Node::Global(format!("{module}.{name}")));
            }
            0x93 => {
                let name = self.pop()?;
                let module = self.pop()?;
                match (&self.nodes[module], &self.nodes[name]) {
                    (Node::Text(module), Node::Text(name)) => {
                        let global = Node::Global(format!("{module}.{name}"));
                        self.push(global);
                    }
                    _ => return Err(torn()),
                }
            }
            b'Q' => {
                let identity = self.pop()?;
                self.push(Node::Persistent(identity));
            }
            // REDUCE, NEWOBJ
            b'R' | 0x81 => {
                let arguments = self.pop()?;
                let function = self.pop()?;
                self.push(Node::Call(Call { function, arguments, items: Vec::new() }));
            }
            // NEWOBJ_EX
            0x92 => {
                self.pop()?;
                let arguments = self.pop()?;
                let function = self.pop()?;
                self.push(Node::Call(Call { function, arguments, items: Vec::new() }));
            }
            // BUILD: attributes, such as the `_metadata` of a state dict.
            b'b' => drop(self.pop()?),
            other => {
                return Err(Fault::unsupported(format!(
                    "its pickle has the opcode {other:#04x} at byte {begun}, which is not read"
                )));
            }
        }
        Ok(())
    }

    fn push(&mut self, node: Node) {
        self.stack.push(self.nodes.len());
        self.nodes.push(node);
    }

    fn top(&self) -> Read<Id> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack.last().copied().filter(|_| self.stack.len() > floor).ok_or_else(torn)
    }

    fn pop(&mut self) -> Read<Id> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// What was pushed since the last mark.
    fn marked(&mut self) -> Read<Vec<Id>> {
        let mark = self.marks.pop().ok_or_else(torn)?;
        Ok(self.stack.split_off(mark.min(self.stack.len())))
    }

    fn append(&mut self, more: &[Id]) -> Read<()> {
        let list = self.top()?;
        match &mut self.nodes[list] {
            Node::List(items) => items.extend_from_slice(more),
            Node::Call(_) | Node::Other => {}
            _ => return Err(torn()),
        }
        Ok(())
    }

    fn set(&mut self, more: Vec<(Id, Id)>) -> Read<()> {
        let dict = self.top()?;
        match &mut self.nodes[dict] {
            Node::Dict(items) | Node::Call(Call { items, .. }) => items.extend(more),
            _ => return Err(torn()),
        }
        Ok(())
    }

    fn remember(&mut self, key: u64) -> Read<()> {
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn recall(&mut self, key: u64) -> Read<()> {
        let id = *self.memo.get(&key).ok_or_else(torn)?;
        self.stack.push(id);
        Ok(())
    }

    fn long(&mut self, length: usize) -> Read<()> {
        let digits = self.take(length)?;
        let node = if digits.len() > 8 {
            Node::Other
        } else {
            let negative = digits.last().is_some_and(|last| last & 0x80 != 0);
            let mut whole = [if negative { 0xff } else { 0 }; 8];
            whole[..digits.len()].copy_from_slice(digits);
            Node::Int(i64::from_le_bytes(whole))
        };
        self.push(node);
        Ok(())
    }

    fn text(&mut self, length: usize) -> Read<()> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        self.push(Node::Text(text));
        Ok(())
    }

    fn passed_over(&mut self, length: usize) -> Read<()> {
        self.take(length)?;
        self.push(Node::Other);
        Ok(())
    }

    fn line(&mut self) -> Read<String> {
        let rest = &self.bytes[self.at..];
        let length = memchr::memchr(b'\n', rest).ok_or_else(torn)?;
        self.at += length + 1;
        Ok(String::from_utf8_lossy(&rest[..length]).into_owned())
    }

    fn take(&mut self, count: usize) -> Read<&[u8]> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len()).ok_or_else(torn)?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| torn())
    }

    fn byte(&mut self) -> Read<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn length4(&mut self) -> Read<usize> {
        usize::try_from(u32::from_le_bytes(self.array()?)).map_err(|_| torn())
    }

    fn length8(&mut self) -> Read<usize> {
        usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| torn())
    }
}

fn pairs(items: &[Id]) -> Vec<(Id, Id)> {
    items.as_chunks::<2>().0.iter().map(|&[key, value]| (key, value)).collect()
}

fn torn() -> Fault {
    Fault::damaged("its pickle ends too early or does not add up")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// `pickle.dumps({"a": (1, -2, 300, 70000), "b": [None]}, protocol=2)` of Python 3.12.
    const PLAIN: &[u8] = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00tq\x02X\x01\x00\x00\x00bq\x03]q\x04Nau.";

    #[test]
    fn containers_and_numbers_come_back() {
        let (pickle, length) = Pickle::read(PLAIN).unwrap();
        assert_eq!(length, PLAIN.len());
        let Node::Dict(items) = pickle.node(pickle.root) else { panic!() };
        assert_eq!(pickle.node(items[0].0), &Node::Text("a".into()));
        let Node::Tuple(numbers) = pickle.node(items[0].1) else { panic!() };
        let numbers: Vec<&Node> = numbers.iter().map(|&id| pickle.node(id)).collect();
        assert_eq!(numbers, [&Node::Int(1), &Node::Int(-2), &Node::Int(300), &Node::Int(70000)]);
        let Node::List(list) = pickle.node(items[1].1) else { panic!() };
        assert_eq!(pickle.node(list[0]), &Node::Nothing);
    }

    #[test]
    fn a_call_is_noted_and_not_made() {
        // `os.system("true")`, as a malicious file would have it.
        let (pickle, _) = Pickle::read(b"\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.").unwrap();
        let Node::Call(call) = pickle.node(pickle.root) else { panic!() };
        assert_eq!(pickle.node(call.function), &Node::Global("posix.system".into()));
    }

    #[test]
    fn every_truncation_and_odd_opcode_is_an_error() {
        for length in 0..PLAIN.len() {
            assert!(Pickle::read(&PLAIN[..length]).is_err(), "{length}");
        }
        for text in [&b"\x80\x02(0."[..], b"t.", b"a.", b"]u.", b"h\x07.", b"\x87.", b"iposix\nsystem\n(.", b"Nq"] {
            assert!(Pickle::read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn nesting_costs_no_stack() {
        let mut deep = b"\x80\x02)".to_vec();
        deep.extend(std::iter::repeat_n(0x85, 3_000_000));
        deep.push(b'.');
        assert!(Pickle::read(&deep).is_ok());
    }
}
