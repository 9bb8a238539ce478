//! Tensors on memory that is kept for the next one of its size.

use tch::Tensor;

use super::*;
use crate::shards::Shards;
use crate::shim;

fn filled(count: i64, with: i64) -> Tensor {
    Tensor::full([count], with, (Kind::Int64, Device::Cpu))
}

#[test]
fn tensors_of_every_size_keep_what_is_written_into_them() {
    assert!(shim::keeps_memory());
    // Around the border between small and large, around steps between sizes, around huge pages.
    let counts = [0, 1, 7, 4087, 4088, 4089, 4096, 5000, 36_857, 36_864, 262_136, 262_144, 300_001, 2_000_003];
    for round in 0..3 {
        let tensors: Vec<Tensor> = counts.iter().map(|&count| filled(count, count + round)).collect();
        for (tensor, &count) in tensors.iter().zip(&counts) {
            assert_eq!(tensor.size(), [count]);
            assert_eq!(tensor.sum(Kind::Int64).int64_value(&[]), count * (count + round));
            assert_eq!(tensor.data_ptr() as usize % 64, 0, "vectors want aligned memory");
        }
    }
}

#[test]
fn a_block_is_used_again_and_never_twice_at_once() {
    assert!(shim::keeps_memory());
    let shards = Shards::new(3);
    let sums = shards.map((0..300_i64).collect(), |number| {
        let tensors: Vec<Tensor> = (0..5).map(|extra| filled(20_000, number + extra)).collect();
        Ok(tensors.iter().map(|tensor| tensor.sum(Kind::Int64).int64_value(&[])).sum::<i64>())
    });
    for (number, sum) in (0..).zip(sums.unwrap()) {
        assert_eq!(sum, 20_000 * (5 * number + 10));
    }
    // An odd size that no other test uses.
    let first = filled(777_777, 1).data_ptr();
    assert_eq!(filled(777_777, 2).data_ptr(), first);
}

#[test]
fn memory_that_nobody_has_is_an_error_of_memory() {
    assert!(shim::keeps_memory());
    let outcome = stepper::shielded(|| Ok(Tensor::f_empty([1 << 46], (Kind::Float, Device::Cpu))?));
    let message = outcome.unwrap_err().message();
    assert!(message.contains("out of memory"), "{message}");
}
