//! What a batch holds of [`Features`]: the records that are there, and the numbers of those that are still to be computed.

use std::sync::Arc;

use super::Features;

/// The kept outputs for the pictures of a batch.
#[derive(Clone, Debug)]
pub struct Served {
    pub features: Arc<Features>,
    /// Of each picture, its record's number.
    pub numbers: Vec<usize>,
    /// Of each picture, whether its record is in `records`. The others have to be computed from the picture.
    pub held: Vec<bool>,
    /// One behind the other.
    pub records: Vec<u8>,
}

impl Served {
    pub(in crate::data) fn new(features: &Arc<Features>, pictures: usize) -> Self {
        Self {
            features: Arc::clone(features),
            numbers: Vec::with_capacity(pictures),
            held: Vec::with_capacity(pictures),
            records: Vec::with_capacity(pictures * features.part.record_bytes),
        }
    }

    /// Looks for a picture's record. True if the picture itself is not needed.
    pub(in crate::data) fn look_up(&mut self, position: u32, epoch: u64) -> Looked {
        let number = self.features.number(position, epoch);
        let record = self.features.record(number);
        if let Some(record) = record {
            self.records.extend_from_slice(record);
        }
        self.numbers.push(number);
        self.held.push(record.is_some());
        let needs_picture = record.is_none() || self.features.part.needs_pictures;
        Looked { needs_picture, once: self.features.keeps_all_of(position) && !self.features.part.needs_pictures }
    }

    /// The picture that was looked up last cannot be read, and is in no batch.
    pub(in crate::data) fn take_back(&mut self) {
        self.numbers.pop();
        if self.held.pop() == Some(true) {
            self.records.truncate(self.records.len() - self.features.part.record_bytes);
        }
    }

    /// Pictures that the batch holds besides.
    pub fn pictures(&self) -> usize {
        if self.features.part.needs_pictures { self.held.len() } else { self.missing().count() }
    }

    /// Places in the batch of what has to be computed.
    pub fn missing(&self) -> impl Iterator<Item = usize> {
        self.held.iter().enumerate().filter(|(_, held)| !**held).map(|(place, _)| place)
    }
}

impl PartialEq for Served {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.features, &other.features)
            && (&self.numbers, &self.held, &self.records) == (&other.numbers, &other.held, &other.records)
    }
}

/// What became of looking for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct Looked {
    pub(in crate::data) needs_picture: bool,
    /// The picture is not asked for again, so keeping it would be a waste.
    pub(in crate::data) once: bool,
}
