//! What stands before the pixels of a JPEG (ISO 10918-1, annex B): tables, the frame, the scan, its restart markers. Reads baseline
//! pictures of one scan; about all others, and about damage, it says nothing, and the caller asks a library.

use super::bits::Table;

/// From a coefficient's place in the file to its place in the block (figure A.6).
#[rustfmt::skip]
pub(super) const NATURAL: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28, 35, 42, 49, 56,
    57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

pub(super) struct Component {
    pub(super) id: u8,
    /// Blocks side by side and above each other in a unit of the scan.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Index of the quantisation table.
    pub(super) steps: usize,
    /// Indices of the Huffman tables.
    pub(super) dc: usize,
    pub(super) ac: usize,
}

#[derive(Default)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    /// One (grey) or three (`YCbCr`).
    pub(super) components: Vec<Component>,
    /// In the order of the file.
    pub(super) steps: [Option<[i32; 64]>; 4],
    pub(super) dc: [Option<Box<Table>>; 4],
    pub(super) ac: [Option<Box<Table>>; 4],
    /// Units between two restart markers; 0: none.
    pub(super) restart: usize,
    /// The TIFF structure that may hold the orientation.
    pub(super) exif: Option<Vec<u8>>,
}

/// The header and the bytes behind it.
pub(super) fn read(bytes: &[u8]) -> Option<(Header, &[u8])> {
    let mut header = Header::default();
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let (&[mark, marker], after) = rest.split_first_chunk()?;
        let (&length, after_length) = after.split_first_chunk()?;
        let length = usize::from(u16::from_be_bytes(length)).checked_sub(2)?;
        let (segment, next) = after_length.split_at_checked(length)?;
        match (mark, marker) {
            (0xff, 0xc0 | 0xc1) => header.frame(segment)?,
            (0xff, 0xc4) => header.codes(segment)?,
            (0xff, 0xdb) => header.quantisation(segment)?,
            (0xff, 0xdd) => header.restart = usize::from(u16::from_be_bytes(segment.try_into().ok()?)),
            (0xff, 0xda) => return header.scan(segment).map(|()| (header, next)),
            (0xff, 0xe1) if segment.starts_with(b"Exif\0\0") => header.exif = Some(segment[6..].to_vec()),
            // Adobe's: RGB where the last byte is 0.
            (0xff, 0xee) if segment.starts_with(b"Adobe") && segment.get(11) != Some(&1) => return None,
            (0xff, 0xe0..=0xef | 0xfe) => {}
            _ => return None,
        }
        rest = next;
    }
}

impl Header {
    fn frame(&mut self, segment: &[u8]) -> Option<()> {
        let (&[precision, h1, h0, w1, w0, count], components) = segment.split_first_chunk()?;
        self.height = u32::from(u16::from_be_bytes([h1, h0]));
        self.width = u32::from(u16::from_be_bytes([w1, w0]));
        let fits = precision == 8 && self.height > 0 && self.width > 0 && matches!(count, 1 | 3);
        if !fits || !self.components.is_empty() || components.len() != 3 * usize::from(count) {
            return None;
        }
        for component in components.chunks_exact(3) {
            let (across, down) = (usize::from(component[1] >> 4), usize::from(component[1] & 15));
            if !matches!(across, 1..=4) || !matches!(down, 1..=4) || component[2] > 3 {
                return None;
            }
            let steps = usize::from(component[2]);
            self.components.push(Component { id: component[0], across, down, steps, dc: 0, ac: 0 });
        }
        if let [only] = &mut self.components[..] {
            // Its scan goes block by block, whatever its factors say (A.2.2).
            (only.across, only.down) = (1, 1);
        }
        let ids: Vec<u8> = self.components.iter().map(|component| component.id).collect();
        (ids != *b"RGB").then_some(())
    }

    fn codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let (symbols, rest) = rest.split_at_checked(counts.iter().map(|&count| usize::from(count)).sum())?;
            let is_ac = kind >> 4 == 1;
            let tables = if is_ac { &mut self.ac } else { &mut self.dc };
            *tables.get_mut(usize::from(kind & 15))? = Some(Box::new(Table::new(counts, symbols, is_ac)?));
            segment = rest;
        }
        Some(())
    }

    fn quantisation(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((&kind, rest)) = segment.split_first() {
            let bytes = 1 + usize::from(kind >> 4 != 0);
            let (values, rest) = rest.split_at_checked(64 * bytes)?;
            let mut steps = [0; 64];
            for (step, value) in steps.iter_mut().zip(values.chunks_exact(bytes)) {
                *step = value.iter().fold(0, |high, &low| high << 8 | i32::from(low));
            }
            *self.steps.get_mut(usize::from(kind & 15))? = Some(steps);
            segment = rest;
        }
        Some(())
    }

    /// All components in one scan, with all their coefficients.
    fn scan(&mut self, segment: &[u8]) -> Option<()> {
        let (&count, rest) = segment.split_first()?;
        let (chosen, spectrum) = rest.split_at_checked(2 * usize::from(count))?;
        if usize::from(count) != self.components.len() || count == 0 || spectrum != [0, 63, 0] {
            return None;
        }
        for (component, chosen) in self.components.iter_mut().zip(chosen.chunks_exact(2)) {
            if component.id != chosen[0] {
                return None;
            }
            (component.dc, component.ac) = (usize::from(chosen[1] >> 4), usize::from(chosen[1] & 15));
            self.dc.get(component.dc)?.as_ref()?;
            self.ac.get(component.ac)?.as_ref()?;
            self.steps.get(component.steps)?.as_ref()?;
        }
        Some(())
    }
}

/// Takes the stuffing out of entropy-coded bytes (`FF 00` stands for `FF`). Returns them with the ends of the parts between restart
/// markers; stops at any other marker.
pub(super) fn unstuffed(bytes: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let mut plain = Vec::with_capacity(bytes.len() + 8);
    let mut ends = Vec::new();
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(0xff, rest) {
        plain.extend_from_slice(&rest[..at]);
        match rest.get(at + 1) {
            Some(0) => plain.push(0xff),
            Some(0xd0..=0xd7) => ends.push(plain.len()),
            Some(0xff) => {
                rest = &rest[at + 1..];
                continue;
            }
            _ => {
                ends.push(plain.len());
                return (plain, ends);
            }
        }
        rest = &rest[at + 2..];
    }
    plain.extend_from_slice(rest);
    ends.push(plain.len());
    (plain, ends)
}
