//! Huffman codes and the bits they are read from (ISO 10918-1, annexes C and F). A table answers with everything that a step
//! needs: how many bits to pass over, how many zeros come first, how many bits the value has.

#![allow(clippy::inline_always)] // into the version for each processor, or it would be compiled for none of them

/// Bits that the first look at a table takes; longer codes are rare and searched for.
const LOOK: u32 = 10;
/// Of an entry that stands for a code longer than [`LOOK`].
const LONG: u32 = 0;
/// The run of an end-of-block code: beyond any position, and beyond what damaged runs add up to.
pub(super) const END: usize = 128;

/// One Huffman table.
pub(super) struct Table {
    /// By the next [`LOOK`] bits.
    short: [u32; 1 << LOOK],
    /// By length: codes below, left-aligned in 16 bits, are of this length or shorter; and how to find their symbols.
    limits: [u32; 17],
    offsets: [i32; 17],
    entries: [u32; 256],
}

/// Bits of code and value · bits of the value · zeros before it.
const fn entry(length: u32, symbol: u8, is_ac: bool) -> u32 {
    let (run, size) = if is_ac { (symbol as u32 >> 4, symbol as u32 & 15) } else { (0, symbol as u32) };
    let run = if is_ac && size == 0 && run != 15 { END as u32 } else { run };
    (length + size) | size << 8 | run << 16
}

impl Table {
    /// From a DHT segment's 16 counts and its symbols. Nothing where they make no code, or none of an 8-bit picture.
    pub(super) fn new(counts: &[u8; 16], symbols: &[u8], is_ac: bool) -> Option<Self> {
        let mut table = Self { short: [LONG; 1 << LOOK], limits: [0; 17], offsets: [0; 17], entries: [LONG; 256] };
        let (mut code, mut index) = (0_u32, 0_usize);
        for length in 1..=16 {
            table.offsets[length as usize] = index as i32 - code as i32;
            for _ in 0..counts[length as usize - 1] {
                let &symbol = symbols.get(index)?;
                if code >> length != 0 || (is_ac && symbol & 15 > 10) || (!is_ac && symbol > 11) {
                    return None;
                }
                let entry = entry(length, symbol, is_ac);
                *table.entries.get_mut(index)? = entry;
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    table.short[first..first + (1 << (LOOK - length))].fill(entry);
                }
                code += 1;
                index += 1;
            }
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Some(table)
    }

    #[inline(always)]
    fn look(&self, bits: u64) -> u32 {
        match self.short[(bits >> (64 - LOOK)) as usize] {
            LONG => self.look_longer((bits >> 48) as u32),
            entry => entry,
        }
    }

    #[cold]
    fn look_longer(&self, bits: u32) -> u32 {
        (LOOK as usize + 1..=16)
            .find(|&length| bits < self.limits[length])
            .and_then(|length| self.entries.get(((bits >> (16 - length)) as i32 + self.offsets[length]) as usize))
            .copied()
            .unwrap_or(LONG)
    }
}

/// The entropy-coded bytes between two restart markers, without stuffing.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, from the top.
    buffer: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, held: 0 }
    }

    /// At least 56 bits in the buffer, enough for two values; zeros after the end.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let next = match self.bytes.get(self.at..self.at + 8) {
            Some(next) => u64::from_be_bytes(next.try_into().expect("8 bytes")),
            None => last_bytes(self.bytes, self.at),
        };
        self.buffer |= next >> self.held;
        self.at += ((63 - self.held) >> 3) as usize;
        self.held |= 0x38; // whole bytes: to 56 or more
    }

    /// True if more bits were taken than there were.
    #[inline(always)]
    pub(super) fn is_overdrawn(&self) -> bool {
        self.at * 8 > self.bytes.len() * 8 + self.held as usize
    }

    /// The zeros before the next value, and the value. `None` at a code that the table does not have.
    #[inline(always)]
    pub(super) fn next(&mut self, table: &Table) -> Option<(usize, i32)> {
        let entry = table.look(self.buffer);
        if entry == LONG {
            return None;
        }
        let (length, size) = (entry & 31, entry >> 8 & 15);
        // A value of n bits that begins with 0 stands for itself less 2^n - 1 (table F.1).
        let from_value = self.buffer << (length - size);
        let value = (from_value >> 1 >> (63 - size)) as i32;
        let is_negative = !(from_value as i64) >> 63;
        let value = value + (is_negative as i32 & (1 - (1 << size)));
        self.buffer <<= length;
        self.held -= length;
        Some(((entry >> 16) as usize, value))
    }
}

/// Takes no `&Bits`, which would keep them in memory instead of registers.
#[cold]
fn last_bytes(bytes: &[u8], at: usize) -> u64 {
    let mut last = [0; 8];
    let rest = bytes.get(at..).unwrap_or_default();
    last[..rest.len()].copy_from_slice(rest);
    u64::from_be_bytes(last)
}
