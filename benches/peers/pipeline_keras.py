"""From a folder of JPEGs to augmented batches of 32 with Keras: --pipe idg (ImageDataGenerator), tfdata, tfdata+keep."""
import timing

given = timing.arguments(keras="3", pipe="idg")

import keras_book as book

keras = book.load(given, given.keras)
keep = given.pipe.endswith("+keep")
if given.pipe == "idg":
    source, system = book.generator(keras, given.keras, given.data), f"ImageDataGenerator of {book.label(given.keras)}"
else:
    source = iter(book.dataset(keras, given, keep))
    system = f"tf.data with {book.label(given.keras)}" + ", decoded pictures kept" * keep
values, first = timing.windows(lambda: next(source), 32, given, warm=64 if keep else 6)
task = "input-later" if keep else "input-first"
timing.report(task, system, values, first=first, version=book.versions(keras))
