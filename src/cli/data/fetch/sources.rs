//! The data sets that can be fetched, as data: where they are kept, and the sizes and checksums by which their files are known.
//! Every host that Frostline may talk to stands here.

/// One data set.
#[derive(Debug)]
pub struct Source {
    /// As it is called on the command line.
    pub name: &'static str,
    pub about: &'static str,
    /// Where the configurations in `config/` look for it, or, for an archive, where its images go.
    pub into: &'static str,
    /// Folders that hold all the files, tried in this order.
    pub mirrors: &'static [&'static str],
    pub files: &'static [Remote],
    pub form: Form,
    /// Another way to get it, for a person.
    pub by_hand: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// MNIST's four files, which are used as they are.
    Idx,
    /// A zip with one folder a class.
    Archive,
}

/// One file of a data set, the same on every mirror.
#[derive(Debug)]
pub struct Remote {
    pub name: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
}

const fn file(name: &'static str, bytes: u64, sha256: &'static str) -> Remote {
    Remote { name, bytes, sha256 }
}

/// Sizes and checksums are those that TensorFlow Datasets publishes; for the photographs those of Microsoft's edition 5340.
pub const SOURCES: &[Source] = &[
    Source {
        name: "mnist",
        about: "handwritten digits, 60,000 and 10,000",
        into: "data/mnist",
        mirrors: &[
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ],
        files: &[
            file(
                "train-images-idx3-ubyte.gz",
                9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            file(
                "train-labels-idx1-ubyte.gz",
                28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            file(
                "t10k-images-idx3-ubyte.gz",
                1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            file(
                "t10k-labels-idx1-ubyte.gz",
                4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ],
        form: Form::Idx,
        by_hand: "torchvision and Keras have them too, see data/README.md",
    },
    Source {
        name: "fashion-mnist",
        about: "pictures of clothes, 60,000 and 10,000",
        into: "data/fashion-mnist",
        mirrors: &[
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
        ],
        files: &[
            file(
                "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            file(
                "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            file(
                "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            file(
                "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ],
        form: Form::Idx,
        by_hand: "Debian and Ubuntu have them as a package, which config/fashion-mnist.toml finds by itself: apt-get install dataset-fashion-mnist",
    },
    Source {
        name: "cats-vs-dogs",
        about: "photographs of cats and dogs, 25,000",
        into: "data/cats-vs-dogs",
        mirrors: &["https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F"],
        files: &[file(
            "kagglecatsanddogs_5340.zip",
            824_887_076,
            "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
        )],
        form: Form::Archive,
        by_hand: "Microsoft's page is https://www.microsoft.com/download/details.aspx?id=54765; Kaggle's competition dogs-vs-cats has \
                  them too, but needs an account: unpack its train.zip and go on with `frostline data split --from …/train`",
    },
];

pub fn find(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

impl Source {
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}
