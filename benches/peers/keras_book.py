"""Keras 2 (tf-keras, the book's) or Keras 3, both on TensorFlow: chosen before import; the book's networks and input pipelines."""
import os


def load(given, version):
    """The module `keras` of version "2" or "3"."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(given.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    if version == "2":
        import tf_keras

        return tf_keras
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

    return keras


def label(version):
    return "Keras 2 on TensorFlow" if version == "2" else "Keras 3 on TensorFlow"


def versions(keras):
    import tensorflow as tf

    return f"{keras.__name__} {keras.__version__}, tensorflow {tf.__version__}"


def cats_and_dogs(keras):
    layers, model = keras.layers, keras.Sequential([keras.Input((150, 150, 3))])
    for filters in (32, 64, 128, 128):
        model.add(layers.Conv2D(filters, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    for layer in (layers.Flatten(), layers.Dropout(0.5), layers.Dense(512, activation="relu")):
        model.add(layer)
    model.add(layers.Dense(1, activation="sigmoid"))
    return model


def mnist(keras):
    layers = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip


def generator(keras, version, data, batch=32):
    """Listing 5.14: ImageDataGenerator.flow_from_directory."""
    if version == "2":
        from tf_keras.preprocessing.image import ImageDataGenerator
    else:
        from keras.src.legacy.preprocessing.image import ImageDataGenerator
    made = ImageDataGenerator(
        rescale=1 / 255, rotation_range=40, width_shift_range=0.2, height_shift_range=0.2, shear_range=0.2,
        zoom_range=0.2, horizontal_flip=True, fill_mode="nearest",
    )  # fmt: skip
    return made.flow_from_directory(f"{data}/train", target_size=(150, 150), batch_size=batch, class_mode="binary")


def dataset(keras, given, keep, batch=32):
    """tf.data with Keras's augmentation layers, decoded pictures kept where `keep` is set."""
    import tensorflow as tf

    layers = keras.layers
    make = keras.utils.image_dataset_from_directory
    root = f"{given.data}/train"
    pictures = make(root, image_size=(150, 150), batch_size=None if keep else batch, label_mode="binary")
    if keep:
        pictures = pictures.map(lambda x, y: (tf.cast(x, tf.uint8), y)).cache()
        pictures = pictures.shuffle(2000).repeat().batch(batch, drop_remainder=True)
    else:
        pictures = pictures.repeat()
    vary = [layers.Rescaling(1 / 255), layers.RandomRotation(40 / 360, fill_mode="nearest")]
    vary.append(layers.RandomTranslation(0.2, 0.2, fill_mode="nearest"))
    if hasattr(layers, "RandomShear"):
        vary.append(layers.RandomShear(0.0035, 0.0035, fill_mode="nearest"))
    vary += [layers.RandomZoom(0.2, 0.2, fill_mode="nearest"), layers.RandomFlip("horizontal")]
    vary = keras.Sequential(vary)
    varied = pictures.map(lambda x, y: (vary(tf.cast(x, tf.float32), training=True), y), num_parallel_calls=given.threads)
    return varied.prefetch(2)


def resident(shape):
    """One batch of floats and labels, again and again."""
    import numpy as np
    import tensorflow as tf

    x, y = np.random.rand(*shape).astype("f4"), np.random.randint(0, 2, (shape[0], 1)).astype("f4")
    return tf.data.Dataset.from_tensors((x, y)).repeat(1000)


class Enough(Exception):
    pass


def fit(keras, model, batches, windows, images, **options):
    """`model.fit` until the windows are full."""

    class Clock(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if windows.tick(images):
                raise Enough

    try:
        model.fit(batches, epochs=1000, verbose=0, callbacks=[Clock()], **options)
    except Enough:
        pass
    return windows.values, windows.first
