//! The idx format of MNIST, plain or gzip, told apart by content: a big-endian
//! magic number, the dimensions, then unsigned bytes. Kept in memory as stored. Every length is checked; other element
//! types and dimensions are refused.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::{DataError, Interpolation, Pixels, Size, Source, resize};

const IMAGES: u32 = 0x0000_0803;
const LABELS: u32 = 0x0000_0801;

/// Images and labels of one set, in memory.
pub(super) struct IdxSource {
    images: Vec<u8>,
    stored: Size,
    pub(super) labels: Labels,
    split: &'static str,
}

/// The labels of one set, and the file that they come from.
#[derive(Debug)]
pub(super) struct Labels {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Labels {
    pub(super) fn classes_of_samples(&self) -> Vec<u32> {
        self.bytes.iter().map(|&label| u32::from(label)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl IdxSource {
    /// `split` names the samples: "train #17".
    pub(super) fn read(images: &Path, labels: &Path, split: &'static str) -> Result<Self, DataError> {
        let mut file = IdxFile::open(images, IMAGES)?;
        let labels = read_labels(labels)?;
        file.must_match(&labels)?;
        let stored = Size { height: file.dimensions[1], width: file.dimensions[2], channels: 1 };
        Ok(Self { images: file.rest()?, stored, labels, split })
    }
}

impl Source for IdxSource {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn label(&self, i: usize) -> u32 {
        u32::from(self.labels.bytes[i])
    }

    fn name(&self, i: usize) -> String {
        format!("{} #{i}", self.split)
    }

    fn load(&self, i: usize, size: Size) -> Result<Pixels, DataError> {
        let length = self.stored.bytes();
        let bytes = self.images[i * length..(i + 1) * length].to_vec();
        Ok(resize::to(Pixels { size: self.stored, bytes }, size, Interpolation::Nearest))
    }

    fn is_resident(&self, size: Size) -> bool {
        size == self.stored
    }

    fn identity(&self, size: Size) -> Option<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("idx {:?} {size:?}", self.stored).as_bytes());
        hasher.update(&self.images);
        Some(hasher.finalize())
    }
}

/// Checks both headers and the counts and reads the labels, but no image.
pub(super) fn inspect(images: &Path, labels: &Path) -> Result<Labels, DataError> {
    let images = IdxFile::open(images, IMAGES)?;
    let labels = read_labels(labels)?;
    images.must_match(&labels)?;
    Ok(labels)
}

/// The given names, if they cover every label; without any, the numbers themselves.
pub(super) fn class_names(given: &[String], train: &Labels, test: Option<&Labels>) -> Result<Vec<String>, DataError> {
    let sets = || [Some(train), test].into_iter().flatten();
    if given.is_empty() {
        let most = sets().flat_map(|set| &set.bytes).max().copied().unwrap_or(0);
        return Ok((0..=most).map(|label| label.to_string()).collect());
    }
    for set in sets() {
        if let Some(sample) = set.bytes.iter().position(|&label| usize::from(label) >= given.len()) {
            let (path, label) = (set.path.clone(), set.bytes[sample]);
            return Err(DataError::IdxLabel { path, sample, label, classes: given.len() });
        }
    }
    Ok(given.to_vec())
}

fn read_labels(path: &Path) -> Result<Labels, DataError> {
    let bytes = IdxFile::open(path, LABELS)?.rest()?;
    Ok(Labels { path: path.to_owned(), bytes })
}

/// An idx file whose header was read and checked.
struct IdxFile {
    path: PathBuf,
    what: &'static str,
    dimensions: Vec<u32>,
    stream: Box<dyn Read>,
}

impl IdxFile {
    fn open(path: &Path, magic: u32) -> Result<Self, DataError> {
        let what = if magic == IMAGES { "images" } else { "labels" };
        let reading =
            |error| DataError::reading(path, if magic == IMAGES { "file of images" } else { "file of labels" }, error);
        let file = File::open(path).map_err(reading)?;
        let size = file.metadata().map_err(reading)?.len();
        let mut raw = BufReader::with_capacity(1 << 16, file);
        let zipped = raw.fill_buf().map_err(reading)?.starts_with(&[0x1f, 0x8b]);
        let mut stream: Box<dyn Read> = if zipped { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) };

        let count = (magic & 0xff) as usize; // the magic number's last byte: how many dimensions
        let mut header = [0; 16];
        let expected = 4 + 4 * count;
        let found = read_fully(&mut stream, &mut header[..expected]).map_err(|error| broken(path, error))?;
        let mut words = header.chunks_exact(4).map(|word| u32::from_be_bytes(word.try_into().expect("4 bytes")));
        let given = words.next().unwrap_or(0);
        if found >= 4 && given != magic {
            return Err(DataError::IdxMagic { path: path.to_owned(), what, found: given, expected: magic });
        }
        if found < expected {
            return Err(DataError::IdxHeader { path: path.to_owned(), found, expected });
        }
        let file = Self { path: path.to_owned(), what, dimensions: words.take(count).collect(), stream };
        if file.dimensions.contains(&0) {
            return Err(DataError::IdxEmpty { path: file.path.clone(), shape: file.shape() });
        }
        // How much a gzip file holds is known only when it has been read.
        if zipped { Ok(file) } else { file.must_hold(size - expected as u64).map(|()| file) }
    }

    fn shape(&self) -> String {
        let sides: Vec<String> = self.dimensions.iter().map(u32::to_string).collect();
        format!("{} {}", sides.join(" x "), self.what)
    }

    fn must_match(&self, labels: &Labels) -> Result<(), DataError> {
        let image_count = self.dimensions[0] as usize;
        if image_count == labels.len() {
            return Ok(());
        }
        let (images, labels_path) = (self.path.clone(), labels.path.clone());
        Err(DataError::IdxCount { images, image_count, labels: labels_path, label_count: labels.len() })
    }

    /// Bytes after the header, as the header has it.
    fn promised(&self) -> u64 {
        // Three dimensions of 32 bits may overflow 64; no file is that long, so saturation reports the mismatch.
        self.dimensions.iter().fold(1, |product, &side| product.saturating_mul(u64::from(side)))
    }

    fn must_hold(&self, found: u64) -> Result<(), DataError> {
        let expected = self.promised();
        let found = match found.cmp(&expected) {
            std::cmp::Ordering::Equal => return Ok(()),
            std::cmp::Ordering::Less => found.to_string(),
            std::cmp::Ordering::Greater => format!("more than {expected}"),
        };
        Err(DataError::IdxLength { path: self.path.clone(), found, expected, shape: self.shape() })
    }

    /// Everything after the header, exactly as long as the header says.
    fn rest(&mut self) -> Result<Vec<u8>, DataError> {
        let expected = self.promised();
        let mut bytes = Vec::new(); // grows with what is there: a header that lies costs no memory
        let read = self.stream.by_ref().take(expected.saturating_add(1)).read_to_end(&mut bytes);
        match read {
            Ok(_) => self.must_hold(bytes.len() as u64).map(|()| bytes),
            // A gzip stream that ends early is as short as a plain file that does.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                self.must_hold(bytes.len() as u64)?;
                Err(DataError::IdxGzip { path: self.path.clone(), reason: "it ends before its checksum".into() })
            }
            Err(error) => Err(broken(&self.path, error)),
        }
    }
}

/// The decompressor finds fault with what it reads; anything else is the machine's doing.
fn broken(path: &Path, error: std::io::Error) -> DataError {
    match error.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            DataError::IdxGzip { path: path.to_owned(), reason: error.to_string() }
        }
        _ => DataError::Io { path: path.to_owned(), source: error },
    }
}

/// As many bytes as there are, up to the buffer's length.
fn read_fully(stream: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
