"""Makes tests/fixtures/tensorboard/records.json: single records as the tensorboard package writes them, for src/run/tensorboard/tests.rs. With a
folder as argument it reads the event files in it and prints their scalars, images and texts as JSON, for tests/suite/tensorboard.rs.

    venv/bin/python tests/reference/tensorboard_records.py [FOLDER]        (tensorboard 2.21.0, protobuf 7.36.2)
"""

import io
import json
import pathlib
import sys

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def record(event):
    event.wall_time = 1_750_000_000.25
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString(deterministic=True))
    return file.getvalue().hex()


def summary(step, value):
    return record(event_pb2.Event(step=step, summary=summary_pb2.Summary(value=[value])))


def plugin(tag, name, content, dtype, size, strings=()):
    data = summary_pb2.SummaryMetadata.PluginData(plugin_name=name, content=content)
    shape = tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=size)])
    tensor = tensor_pb2.TensorProto(dtype=dtype, tensor_shape=shape, string_val=list(strings))
    return summary_pb2.Summary.Value(tag=tag, metadata=summary_pb2.SummaryMetadata(plugin_data=data), tensor=tensor)


def make():
    start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
    image = summary_pb2.Summary.Image(height=2, width=3, colorspace=3, encoded_image_string=b"png")
    session = plugin_data_pb2.SessionStartInfo(group_name="run", start_time_secs=5.5)
    session.hparams["batch_size"].number_value = 32.0
    session.hparams["optimizer"].string_value = "adam"
    hparams = plugin_data_pb2.HParamsPluginData(session_start_info=session).SerializeToString(deterministic=True)
    records = {
        "version": record(event_pb2.Event(file_version="brain.Event:2")),
        "start": record(event_pb2.Event(session_log=start)),
        "scalar": summary(300, summary_pb2.Summary.Value(tag="epoch_loss", simple_value=0.25)),
        "image": summary(7, summary_pb2.Summary.Value(tag="a/b", image=image)),
        "text": summary(0, plugin("config", "text", b"", types_pb2.DT_STRING, 1, [b"seed = 1"])),
        "hparams": summary(
            0, plugin("_hparams_/session_start_info", "hparams", hparams, types_pb2.DT_FLOAT, 0)
        ),
    }
    path = pathlib.Path(__file__).parent.parent / "fixtures" / "tensorboard" / "records.json"
    path.write_text(json.dumps(records, indent=1) + "\n")


def read(folder):
    everything = {event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0, event_accumulator.TENSORS: 0}
    told = {}
    for part in sorted(path for path in pathlib.Path(folder).iterdir() if path.is_dir()):
        events = event_accumulator.EventAccumulator(str(part), size_guidance=everything)
        events.Reload()
        tags = events.Tags()
        told[part.name] = {
            "scalars": {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]},
            "images": {tag: [[e.step, e.width, e.height] for e in events.Images(tag)] for tag in tags["images"]},
            "texts": {
                tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
                for tag in tags["tensors"]
                if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"
            },
            "plugins": sorted({events.SummaryMetadata(tag).plugin_data.plugin_name for tag in tags["tensors"]}),
        }
    json.dump(told, sys.stdout)


if len(sys.argv) > 1:
    read(sys.argv[1])
else:
    make()
