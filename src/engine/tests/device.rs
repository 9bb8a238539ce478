//! Devices as this machine has them: the tests hold with and without a graphics card.

use super::*;
use crate::device;

#[test]
fn the_processor_has_a_name_and_threads() {
    assert_eq!(device::choose(plan::Device::Cpu, &Err("not asked for".into())).unwrap(), Device::Cpu);
    assert_eq!(device::label(Device::Cpu), "cpu");
    assert!(device::name(Device::Cpu).len() > 3);
    assert!(device::threads() >= 1);
    assert_eq!(device::libtorch_version(), "2.11.0");
}

#[test]
fn a_card_that_is_not_there_is_refused_with_the_reason() {
    let error = device::choose(plan::Device::Cuda(3), &Err("no NVIDIA driver is installed".into())).unwrap_err();
    assert_eq!(error.to_string(), "device cuda:3 cannot be used: no NVIDIA driver is installed");
    assert_eq!(device::choose(plan::Device::Auto, &Err("none".into())).unwrap(), Device::Cpu);
}
