//! What the page of layers says of one layer, or of a folded block as if it were one.

use crate::state::Layer;

/// What stands in the row of a layer, or of a folded block as of one layer.
pub struct Facts {
    pub parameters: u64,
    /// Of those with parameters: none, some or all.
    pub frozen: [bool; 2],
    pub moved: bool,
    pub intact: bool,
    pub rate: Option<[f64; 2]>,
    pub gradient: Option<f64>,
    pub update: Option<f64>,
    pub activation: Option<(f64, f64)>,
    pub dead: Option<f64>,
    /// Milliseconds there and back.
    pub time: Option<[f64; 2]>,
}

impl Facts {
    pub fn of(layers: &[Layer]) -> Self {
        let own = || layers.iter().filter(|layer| layer.info.parameters > 0);
        let probes = || layers.iter().filter_map(|layer| layer.probe.as_ref());
        let norm = |values: Vec<f64>| {
            (!values.is_empty()).then(|| values.iter().map(|value| value * value).sum::<f64>().sqrt())
        };
        let rates: Vec<f64> = own().filter_map(|layer| layer.learning_rate).collect();
        let low = rates.iter().copied().fold(f64::INFINITY, f64::min);
        let high = rates.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let most = |values: &mut dyn Iterator<Item = f64>| {
            values.fold(None, |most: Option<f64>, value| Some(most.map_or(value, |most| most.max(value))))
        };
        let times: Vec<[f64; 2]> = probes().map(|probe| [probe.forward_ms, probe.backward_ms]).collect();
        Self {
            parameters: layers.iter().map(|layer| layer.info.parameters).sum(),
            frozen: [own().any(|layer| layer.frozen), own().any(|layer| !layer.frozen)],
            moved: own().any(|layer| layer.intact == Some(false)),
            intact: own().all(|layer| !layer.frozen || layer.intact == Some(true)),
            rate: (!rates.is_empty()).then_some([low, high]),
            gradient: norm(own().filter_map(|layer| layer.gradient_norm).collect()),
            // What moves most, and what is most dead, is what a person looks for in a block.
            update: most(&mut probes().filter_map(|probe| probe.update_ratio)),
            activation: layers.last().and_then(|layer| layer.probe.as_ref()).map(|probe| (probe.mean, probe.deviation)),
            dead: most(&mut probes().filter_map(|probe| probe.dead)),
            time: (!times.is_empty())
                .then(|| times.iter().fold([0.0; 2], |sum, one| [sum[0] + one[0], sum[1] + one[1]])),
        }
    }
}
