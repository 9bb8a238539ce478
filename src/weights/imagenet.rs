//! The thousand classes of ImageNet's challenge, in the order of every classifier that was trained on it. The names are facts about
//! WordNet's synsets; `tests/reference/imagenet_classes.py` lists them from torchvision's and timm's tables.

/// One class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// WordNet's, such as `n02123045`.
    pub synset: &'static str,
    /// Such as `tabby`.
    pub name: &'static str,
}

/// In the order of the classifier's outputs.
pub fn classes() -> Vec<Class> {
    include_str!("imagenet.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(synset, name)| Class { synset, name })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keras's `imagenet_class_index.json` has these at these places.
    #[test]
    fn classes_stand_where_classifiers_have_them() {
        let classes = classes();
        assert_eq!(classes.len(), crate::arch::zoo::CLASSES);
        assert_eq!(classes[0], Class { synset: "n01440764", name: "tench" });
        assert_eq!(classes[281], Class { synset: "n02123045", name: "tabby" });
        assert_eq!(classes[285], Class { synset: "n02124075", name: "Egyptian cat" });
        assert_eq!(classes[999], Class { synset: "n15075141", name: "toilet tissue" });
        assert!(classes.iter().all(|class| class.synset.len() == 9 && class.synset.starts_with('n')));
    }
}
