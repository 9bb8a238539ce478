"""Keras explains VGG16 with random weights, each step one tf.function. --what grad-cam: of one picture at 224 px; filters: pictures of
150 px that filters of block3_conv1 like, forty steps each, one filter at a time as the book does."""
import timing

given = timing.arguments(keras="2", what="grad-cam")

import keras_book as book

keras = book.load(given, given.keras)

import numpy as np
import tensorflow as tf

CLASS, STEPS = 281, 40

if given.what == "grad-cam":
    network = keras.applications.VGG16(weights=None, classifier_activation=None)
    model = keras.Model(network.inputs, [network.get_layer("block5_conv3").output, network.output])
    x = tf.constant(np.random.rand(1, 224, 224, 3).astype("f4"))

    @tf.function
    def heat(x):
        with tf.GradientTape() as tape:
            activations, logits = model(x)
            score = logits[:, CLASS]
        weights = tf.reduce_mean(tape.gradient(score, activations), (1, 2))
        heat = tf.nn.relu(tf.einsum("nhwc,nc->nhw", activations, weights))
        return tf.image.resize((heat / (tf.reduce_max(heat) + 1e-9))[..., None], (224, 224))

    def work():
        return heat(x).numpy()

else:
    network = keras.applications.VGG16(weights=None, include_top=False, input_shape=(150, 150, 3))
    model = keras.Model(network.inputs, network.get_layer("block3_conv1").output)
    done = 0

    @tf.function
    def step(x, filter):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_mean(tf.gather(model(x), filter, axis=-1))
        gradient = tape.gradient(loss, x)
        return x + gradient / (tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-5)

    def work():
        global done
        x = tf.random.uniform((1, 150, 150, 3)) * 20 + 128
        for _ in range(STEPS):
            x = step(x, tf.constant(done % 256))
        done += 1
        return x.numpy()


filters = given.what == "filters"
values, first = timing.windows(work, 1, given, warm=1 if filters else 3)
timing.report(
    given.what,
    book.label(given.keras) + ", tf.function",
    values,
    "filters/s" if filters else "img/s",
    first,
    version=book.versions(keras),
    by="stock" if filters else "hand",
)
