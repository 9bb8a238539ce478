"""Keras on the cats-and-dogs network, by `fit` as in the book. --pipe resident, idg (ImageDataGenerator), tfdata, tfdata+keep."""
import timing

given = timing.arguments(keras="3", pipe="resident", tuned=False)

import keras_book as book

keras = book.load(given, given.keras)
keras.utils.set_random_seed(0)
model = book.cats_and_dogs(keras)
rate = keras.optimizers.RMSprop(learning_rate=1e-4)
model.compile(loss="binary_crossentropy", optimizer=rate, metrics=["acc"])
system, task = book.label(given.keras) + " [malloc tuned]" * given.tuned, "end-to-end"
keep = given.pipe.endswith("+keep")
options = dict(steps_per_epoch=60)
if given.pipe == "resident":
    batches, task, options = book.resident((32, 150, 150, 3)), "step", {}
elif given.pipe == "idg":
    batches, system = book.generator(keras, given.keras, given.data), f"{system}, ImageDataGenerator"
else:
    batches = book.dataset(keras, given, keep)
    system = f"{system}, tf.data" + ", decoded pictures kept" * keep
values, first = book.fit(keras, model, batches, timing.Windows(given, warm=64 if keep else 5), 32, **options)
timing.report(task, system, values, first=first, version=book.versions(keras))
