//! The jobs: which system does what, with which script and options. Groups are measured one after the other; within a group the
//! systems take turns, so that a drift of the machine meets all of them.

/// One program to run for one or more figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// `task/system`, for --only and the file of results.
    pub name: String,
    pub group: &'static str,
    pub work: Work,
    /// Takes its turn in every round; the others show once what one gets without further thought.
    pub leads: bool,
    /// Beside a process that only keeps a processor busy.
    pub has_neighbour: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A script of benches/peers. `tuned`: with glibc told to keep its memory.
    Peer { script: &'static str, arguments: String, tuned: bool },
    /// A mode of benches/peers/burn.
    Burn { mode: &'static str },
    /// `frostline bench`: configuration, its options, and the task of each of its figures.
    Bench { config: &'static str, options: &'static str, images: Images, tasks: Tasks },
    /// `frostline train`, as a user starts it, watched through its journal.
    Train,
    /// The same with a dashboard that comes and goes.
    Dashboard,
    /// The same with a checkpoint every few steps, of a network that the task names.
    Saving { config: &'static str, what: &'static str },
    /// `frostline train` to the end of thirty epochs on a frozen base.
    Recipe,
}

/// A figure of `frostline bench`, and the task that it stands for.
pub type Tasks = &'static [(&'static str, &'static str)];

/// What a job of Frostline's reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Images {
    None,
    CatsAndDogs,
    Mnist,
}

pub const CATS_AND_DOGS: &str = "config/augmented.toml";
const MNIST: &str = "config/mnist.toml";
/// Many weights, little arithmetic.
const LARGE_HEAD: &str = "benches/configs/large-head.toml";
const VGG16: &str = "benches/configs/vgg16.toml";
const VGG16_TOP: &str = "benches/configs/vgg16-top.toml";
pub const RECIPE: &str = "benches/configs/vgg16-recipe.toml";
const BLOCK5: &str = "--only step --freeze block1_conv1,block1_conv2,block2_conv1,block2_conv2,block3_conv1,block3_conv2,\
                      block3_conv3,block4_conv1,block4_conv2,block4_conv3";
/// The figures of `frostline bench` are images a second, but for these.
pub const ARITHMETIC: Tasks = &[("matrix_product", "bound"), ("convolution", "bound")];

/// What stands behind the name of a task that is measured beside a neighbour.
pub const NEIGHBOUR: &str = "+neighbour";

/// Everything, in the order of measuring.
pub fn jobs(with_burn: bool) -> Vec<Job> {
    let mut list = List::default();
    list.step();
    list.end_to_end();
    list.input();
    list.mnist();
    list.vgg16();
    list.recipe();
    list.explanations();
    list.neighbour();
    list.group = "dashboard";
    list.add("dashboard/frostline", true, Work::Dashboard);
    list.group = "checkpoint";
    list.add("checkpoint/small", true, Work::Saving { config: CATS_AND_DOGS, what: "small" });
    list.add("checkpoint/large", true, Work::Saving { config: LARGE_HEAD, what: "large" });
    list.jobs.retain(|job| with_burn || !matches!(job.work, Work::Burn { .. }));
    list.jobs
}

#[derive(Default)]
struct List {
    group: &'static str,
    jobs: Vec<Job>,
}

impl List {
    fn add(&mut self, name: &str, leads: bool, work: Work) {
        self.jobs.push(Job { name: name.to_owned(), group: self.group, work, leads, has_neighbour: false });
    }

    fn peer(&mut self, name: &str, leads: bool, script: &'static str, arguments: &str) {
        self.add(name, leads, Work::Peer { script, arguments: arguments.to_owned(), tuned: false });
    }

    fn tuned(&mut self, name: &str, leads: bool, script: &'static str, arguments: &str) {
        self.add(name, leads, Work::Peer { script, arguments: format!("{arguments} --tuned"), tuned: true });
    }

    fn bound(&mut self, name: &str) {
        let options = "--only bound";
        self.add(name, true, Work::Bench { config: CATS_AND_DOGS, options, images: Images::None, tasks: ARITHMETIC });
    }

    fn frostline_step(&mut self, name: &str) {
        let (config, options, images) = (CATS_AND_DOGS, "--only step --batch-size 32", Images::CatsAndDogs);
        self.add(name, true, Work::Bench { config, options, images, tasks: &[("step", "step")] });
    }

    fn step(&mut self) {
        self.group = "step";
        let (torch, keras) = ("cats_and_dogs_torch.py", "cats_and_dogs_keras.py");
        self.bound("bound/frostline");
        self.peer("bound/peers", false, "peak.py", "");
        self.frostline_step("step/frostline");
        let options = "--only step --batch-size 32 --set train.precision=mixed_bfloat16";
        let (config, images) = (CATS_AND_DOGS, Images::CatsAndDogs);
        self.add("step/frostline-bf16", true, Work::Bench { config, options, images, tasks: &[("step", "step-bf16")] });
        self.peer("step/keras3", true, keras, "--keras 3");
        self.peer("step/keras2", true, keras, "--keras 2");
        self.tuned("step/torch-tuned", true, torch, "--nhwc");
        self.peer("step/torch-compiled", true, torch, "--nhwc --compile");
        self.tuned("step/torch-by-hand", true, torch, "--nhwc --pool-first");
        self.peer("step/torch", false, torch, "--nhwc");
        self.peer("step/torch-nchw", false, torch, "");
        self.tuned("step/torch-bf16", false, torch, "--nhwc --bf16");
        self.peer("step/lightning", false, "cats_and_dogs_lightning.py", "");
        self.add("step/burn", false, Work::Burn { mode: "step" });
    }

    fn end_to_end(&mut self) {
        self.group = "end-to-end";
        let (torch, keras) = ("cats_and_dogs_torch.py", "cats_and_dogs_keras.py");
        self.add("end-to-end/frostline", true, Work::Train);
        // Again, because the two are compared.
        self.frostline_step("end-to-end/frostline-step");
        self.peer("end-to-end/keras3-kept", true, keras, "--keras 3 --pipe tfdata+keep");
        self.peer("end-to-end/keras2-idg", true, keras, "--keras 2 --pipe idg");
        self.tuned("end-to-end/torch-tuned", true, torch, "--nhwc --pipe tensor --workers 1");
        self.tuned("end-to-end/torch-by-hand", true, torch, "--nhwc --pool-first --pipe hand+keep --workers 1");
        self.peer("end-to-end/keras3-idg", false, keras, "--keras 3 --pipe idg");
        self.peer("end-to-end/keras3-tfdata", false, keras, "--keras 3 --pipe tfdata");
        self.peer("end-to-end/torch-pil", false, torch, "--nhwc --pipe pil --workers 1");
        self.peer("end-to-end/torch-compiled", false, torch, "--nhwc --compile --pipe tensor --workers 1");
        self.peer("end-to-end/lightning", false, "cats_and_dogs_lightning.py", "--pipe pil --workers 1");
        self.add("end-to-end/burn", false, Work::Burn { mode: "end-to-end" });
    }

    fn input(&mut self) {
        self.group = "input";
        let (torch, keras) = ("pipeline_torch.py", "pipeline_keras.py");
        let tasks = &[("first_pass", "input-first"), ("later_passes", "input-later")];
        let (config, options, images) = (CATS_AND_DOGS, "--only pipeline --batch-size 32", Images::CatsAndDogs);
        self.add("input/frostline", true, Work::Bench { config, options, images, tasks });
        self.peer("input/torch-tensor", true, torch, "--pipe tensor");
        self.peer("input/by-hand", true, torch, "--pipe hand");
        self.peer("input/by-hand-kept", true, torch, "--pipe hand+keep");
        self.peer("input/dali", true, "pipeline_dali.py", "");
        self.peer("input/torch-pil", false, torch, "--pipe pil");
        self.peer("input/tfdata", false, keras, "--pipe tfdata");
        self.peer("input/tfdata-kept", false, keras, "--pipe tfdata+keep");
        self.peer("input/idg", false, keras, "--keras 2 --pipe idg");
        self.add("input/burn", false, Work::Burn { mode: "input" });
    }

    fn mnist(&mut self) {
        self.group = "mnist";
        for (batch, options, tasks, mode) in [
            (64, "--only step --batch-size 64", &[("step", "mnist-64")] as Tasks, "mnist-64"),
            (128, "--only step --batch-size 128", &[("step", "mnist-128")], "mnist-128"),
        ] {
            let images = Images::Mnist;
            self.add(&format!("mnist-{batch}/frostline"), true, Work::Bench { config: MNIST, options, images, tasks });
            for keras in [2, 3] {
                let arguments = format!("--keras {keras} --batch {batch}");
                self.peer(&format!("mnist-{batch}/keras{keras}"), true, "mnist_keras.py", &arguments);
            }
            let arguments = format!("--nhwc --batch {batch}");
            self.tuned(&format!("mnist-{batch}/torch-tuned"), true, "mnist_torch.py", &arguments);
            self.peer(&format!("mnist-{batch}/torch"), false, "mnist_torch.py", &arguments);
            self.add(&format!("mnist-{batch}/burn"), false, Work::Burn { mode });
        }
    }

    fn vgg16(&mut self) {
        self.group = "vgg16";
        self.bound("vgg16-bound/frostline");
        let ours: [(&str, &'static str, Tasks); 3] = [
            // Base and head in inference mode; the head is a three-thousandth of the arithmetic.
            ("features", "--only eval", &[("evaluation", "vgg16-features")]),
            ("frozen", "--only step", &[("step", "vgg16-frozen")]),
            ("block5", BLOCK5, &[("step", "vgg16-block5")]),
        ];
        for (task, options, tasks) in ours {
            let images = Images::CatsAndDogs;
            self.add(&format!("vgg16-{task}/frostline"), true, Work::Bench { config: VGG16, options, images, tasks });
            let arguments = format!("--keras 2 --task {task}");
            self.peer(&format!("vgg16-{task}/keras2"), true, "vgg16_keras.py", &arguments);
            self.tuned(&format!("vgg16-{task}/torch-tuned"), true, "vgg16_torch.py", &format!("--nhwc --task {task}"));
            let arguments = format!("--keras 3 --task {task}");
            self.peer(&format!("vgg16-{task}/keras3"), false, "vgg16_keras.py", &arguments);
            self.peer(&format!("vgg16-{task}/torch"), false, "vgg16_torch.py", &format!("--nhwc --task {task}"));
        }
    }

    /// Minutes each, so nobody has a second turn.
    fn recipe(&mut self) {
        self.group = "recipe";
        self.add("vgg16-recipe/frostline", false, Work::Recipe);
        self.peer("vgg16-recipe/keras3", false, "vgg16_recipe_keras.py", "--keras 3");
        self.tuned("vgg16-recipe/torch-tuned", false, "vgg16_recipe_torch.py", "--nhwc");
    }

    fn explanations(&mut self) {
        self.group = "explanations";
        let (torch, keras) = ("explain_torch.py", "explain_keras.py");
        self.bound("explanations-bound/frostline");
        let (options, images) = ("--only grad-cam", Images::None);
        let tasks: Tasks = &[("grad_cam", "grad-cam")];
        self.add("grad-cam/frostline", true, Work::Bench { config: VGG16_TOP, options, images, tasks });
        self.tuned("grad-cam/torch-by-hand", true, torch, "--what by-hand --nhwc");
        self.peer("grad-cam/pytorch-grad-cam", true, torch, "--what pytorch-grad-cam");
        self.peer("grad-cam/captum", false, torch, "--what captum --nhwc");
        self.peer("grad-cam/keras2", false, keras, "--keras 2 --what grad-cam");
        let (options, images) = ("--only filters --layer block3_conv1", Images::CatsAndDogs);
        let tasks: Tasks = &[("filters", "filters")];
        self.add("filters/frostline", true, Work::Bench { config: VGG16, options, images, tasks });
        self.peer("filters/keras2", true, keras, "--keras 2 --what filters");
        self.tuned("filters/torch-tuned", true, torch, "--what filters --nhwc");
    }

    fn neighbour(&mut self) {
        self.group = "neighbour";
        let from = self.jobs.len();
        self.frostline_step("neighbour/frostline");
        self.peer("neighbour/keras3", true, "cats_and_dogs_keras.py", "--keras 3");
        self.tuned("neighbour/torch-tuned", true, "cats_and_dogs_torch.py", "--nhwc");
        for job in &mut self.jobs[from..] {
            job.has_neighbour = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_groups_stand_together() {
        let jobs = jobs(true);
        let names: BTreeSet<_> = jobs.iter().map(|job| &job.name).collect();
        assert_eq!(names.len(), jobs.len());
        let mut groups: Vec<_> = jobs.iter().map(|job| job.group).collect();
        groups.dedup();
        assert_eq!(groups.iter().collect::<BTreeSet<_>>().len(), groups.len());
    }

    #[test]
    fn every_script_and_configuration_is_there() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for job in jobs(true) {
            let file = match job.work {
                Work::Peer { script, .. } => format!("benches/peers/{script}"),
                Work::Bench { config, .. } | Work::Saving { config, .. } => config.to_owned(),
                Work::Burn { .. } => "benches/peers/burn/Cargo.toml".to_owned(),
                Work::Train | Work::Dashboard => CATS_AND_DOGS.to_owned(),
                Work::Recipe => RECIPE.to_owned(),
            };
            assert!(root.join(&file).is_file(), "{}: {file}", job.name);
        }
    }

    #[test]
    fn burn_is_left_out_unless_it_is_asked_for() {
        assert!(jobs(false).iter().all(|job| !job.name.ends_with("/burn")));
    }
}
