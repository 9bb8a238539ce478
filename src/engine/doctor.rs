//! What `frostline doctor` asks the engine: does libtorch load, which devices does it find, and do they compute? The answer is one JSON
//! object on standard output.

use tch::{Device, Kind, Tensor};

use super::{device, error::Result, queries::print};
use frostline::{
    error,
    event::machine::{Card, Machine},
};

/// Prints what there is. What does not work is told, and is no error of this command.
pub fn report() -> error::Result<()> {
    let cuda = device::open_cuda();
    let cards = device::cards(&cuda);
    let no_cuda = match &cuda {
        Err(reason) => Some(reason.clone()),
        Ok(()) if cards == 0 => Some("the driver reports no usable card".to_owned()),
        Ok(()) => None,
    };
    let card = |index| {
        let device = Device::Cuda(index);
        Card { device: device::label(device), name: device::name(device), fault: fault(device) }
    };
    print(&Machine {
        libtorch: device::libtorch_version(),
        processor: device::name(Device::Cpu),
        threads: std::thread::available_parallelism().map_or(1, |threads| threads.get() as u32),
        fault: fault(Device::Cpu),
        no_cuda,
        cards: (0..cards).map(card).collect(),
    })
}

fn fault(device: Device) -> Option<String> {
    const SIDE: i64 = 64;
    let product = || -> Result<f64> {
        let ones = Tensor::f_ones([SIDE, SIDE], (Kind::Float, device))?;
        Ok(ones.f_matmul(&ones)?.f_sum(Kind::Float)?.f_double_value(&[])?)
    };
    match product() {
        Ok(sum) if sum == (SIDE * SIDE * SIDE) as f64 => None,
        Ok(sum) => Some(format!("a product of matrices is wrong: {sum} in place of {}", SIDE * SIDE * SIDE)),
        Err(error) => Some(error::Error::from(error).message()),
    }
}
