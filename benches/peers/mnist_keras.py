"""Keras on the MNIST network, `fit` on arrays as in the book."""
import timing

given = timing.arguments(keras="3", batch=64)

import idx
import keras_book as book

keras = book.load(given, given.keras)
images, labels = idx.load(given.mnist)
images = images.reshape(-1, 28, 28, 1).astype("f4") / 255
labels = keras.utils.to_categorical(labels)
model = book.mnist(keras)
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
windows = timing.Windows(given, warm=30)
values, first = book.fit(keras, model, images, windows, given.batch, y=labels, batch_size=given.batch)
timing.report(f"mnist-{given.batch}", book.label(given.keras), values, first=first, version=book.versions(keras))
