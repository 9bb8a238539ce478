"""The chapter's fast feature extraction in Keras: VGG16's base over all pictures once, then the classifier on NumPy arrays."""
import timing

given = timing.arguments(keras="3")

import numpy as np

import keras_book as book
import recipe

keras = book.load(given, given.keras)
layers = keras.layers
base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(recipe.SIDE, recipe.SIDE, 3))


def features(split):
    made = keras.utils.image_dataset_from_directory(
        f"{given.data}/{split}", image_size=(recipe.SIDE, recipe.SIDE), batch_size=recipe.BATCH, label_mode="binary", shuffle=False
    )
    labels = np.concatenate([y for _, y in made])
    pictures = made.map(lambda x, _: x / 255, num_parallel_calls=given.threads).prefetch(2)
    return base.predict(pictures, verbose=0).reshape(len(labels), -1), labels


train, validation = features("train"), features("validation")
model = keras.Sequential([
    keras.Input((train[0].shape[1],)),
    layers.Dense(256, activation="relu"), layers.Dropout(0.5), layers.Dense(1, activation="sigmoid"),
])  # fmt: skip
model.compile(loss="binary_crossentropy", optimizer=keras.optimizers.RMSprop(learning_rate=recipe.RATE), metrics=["acc"])
model.fit(*train, epochs=recipe.EPOCHS, batch_size=recipe.BATCH, validation_data=validation, verbose=0)
recipe.report(f"{book.label(given.keras)}, features kept", len(train[0]) + len(validation[0]), book.versions(keras))
