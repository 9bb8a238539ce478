//! How much arithmetic a training step takes, frozen layers taken into account: what a measured speed is compared with.

use super::{Arch, Source};

impl Arch {
    /// Floating-point operations of one training step for one image, counted as [`Layer::flops`](super::Layer::flops) are. Besides
    /// the forward pass a layer costs as much again for its weights' gradient, unless it is frozen, and as much again for its
    /// input's gradient, where something below it is trained. (As autograd runs it: nothing below the lowest trainable layer.)
    pub fn step_flops(&self, frozen: &[String]) -> u64 {
        let mut trained_up_to = vec![false; self.layers().len()];
        let mut total = 0;
        for (index, layer) in self.layers().iter().enumerate() {
            let below = layer.inputs.iter().any(|source| match *source {
                Source::Input => false,
                Source::Layer(read) => trained_up_to[read],
            });
            let trained = layer.parameters.iter().any(|each| each.learned) && !frozen.contains(&layer.name);
            trained_up_to[index] = below || trained;
            total += layer.flops * (1 + u64::from(trained) + u64::from(below));
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::plan::Plan;

    /// The figures are PyTorch 2.11's `torch.utils.flop_counter` on the same networks, forward and backward, an image.
    fn check(config: &str, freeze: &[&str], gigaflops: f64) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(config);
        let plan = Plan::load(&path, &[]).unwrap();
        let layers = plan.arch.layers();
        let frozen: Vec<String> = layers
            .iter()
            .map(|layer| layer.name.clone())
            .filter(|name| freeze.iter().any(|start| name.starts_with(start)))
            .collect();
        let counted = plan.arch.step_flops(&frozen) as f64 / 1e9;
        assert!((counted / gigaflops - 1.0).abs() < 1e-3, "{config} {freeze:?}: {counted} and not {gigaflops}");
    }

    #[test]
    fn the_chapters_convnets_cost_three_forward_passes_less_the_images_gradient() {
        check("config/augmented.toml", &[], 1.378_722_816);
        check("config/mnist.toml", &[], 0.016_376_064);
    }

    #[test]
    fn nothing_is_computed_below_the_lowest_trainable_layer() {
        let vgg16 = "benches/configs/vgg16.toml";
        check(vgg16, &[], 39.627_772_416);
        check(vgg16, &["block1", "block2", "block3", "block4"], 15.154_596_864);
        check(vgg16, &["block"], 13.239_372_8);
    }
}
