"""From a folder of JPEGs to augmented batches of 32 with NVIDIA DALI on the processor."""
import timing

given = timing.arguments()

import nvidia.dali
from nvidia.dali import fn, pipeline_def, types


@pipeline_def(batch_size=32, num_threads=given.threads, device_id=None, exec_dynamic=False)
def pipeline():
    files, labels = fn.readers.file(file_root=given.data + "/train", random_shuffle=True)
    x = fn.decoders.image(files, device="cpu", output_type=types.RGB)
    x = fn.resize(x, size=(150, 150))

    def draw(most, shape=()):
        return fn.random.uniform(range=(-most, most), shape=shape)

    centre = (75.0, 75.0)
    m = fn.transforms.rotation(angle=draw(40.0), center=centre)
    m = fn.transforms.scale(m, scale=fn.random.uniform(range=(0.8, 1.2), shape=2), center=centre)
    m = fn.transforms.shear(m, angles=draw(0.2, 2), center=centre)
    m = fn.transforms.translation(m, offset=draw(30.0, 2))
    # Without a fill value the edge's pixels are repeated.
    x = fn.warp_affine(x, matrix=m, interp_type=types.INTERP_LINEAR)
    mirror = fn.random.coin_flip()
    x = fn.crop_mirror_normalize(x, mirror=mirror, dtype=types.FLOAT, output_layout="CHW", mean=[0.0] * 3, std=[255.0] * 3)
    return x, labels


pipe = pipeline()
pipe.build()
values, first = timing.windows(pipe.run, 32, given, warm=6)
timing.report("input-first", "DALI on the processor", values, first=first, version=f"dali {nvidia.dali.__version__}")
