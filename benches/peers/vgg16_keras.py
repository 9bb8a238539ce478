"""Keras on VGG16 at 150 px, batches of 20. --task features, frozen (base frozen, head trained) or block5 (it and the head trained)."""
import timing

given = timing.arguments(keras="3", task="features")

import keras_book as book

BATCH = 20
keras = book.load(given, given.keras)
layers = keras.layers
base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
if given.task == "features":
    import numpy as np

    x = np.random.rand(BATCH, 150, 150, 3).astype("f4")
    values, first = timing.windows(lambda: base.predict(x, verbose=0), BATCH, given)
else:
    for layer in base.layers:
        layer.trainable = given.task == "block5" and layer.name.startswith("block5")
    head = [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dense(1, activation="sigmoid")]
    model = keras.Sequential([keras.Input((150, 150, 3)), base, *head])
    rate = keras.optimizers.RMSprop(learning_rate=2e-5)
    model.compile(loss="binary_crossentropy", optimizer=rate, metrics=["acc"])
    windows = timing.Windows(given, warm=3)
    values, first = book.fit(keras, model, book.resident((BATCH, 150, 150, 3)), windows, BATCH, steps_per_epoch=100)
timing.report(f"vgg16-{given.task}", book.label(given.keras), values, first=first, version=book.versions(keras))
