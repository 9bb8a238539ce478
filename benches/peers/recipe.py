"""What both peers of the recipe need besides their framework: the chapter's figures, and the line that says what was reached.

Listing 5.17 and 5.18: the base's outputs for all pictures once, then 30 epochs of a classifier on them, validated after each.
"""
import timing

SIDE, BATCH, EPOCHS, RATE = 150, 20, 30, 2e-5


def report(system, images, version):
    """Images shown a second over the whole recipe, from the start of the process: pictures, base, training and validation."""
    seconds = timing.since_start()
    timing.report("vgg16-recipe", system, [EPOCHS * images / seconds], version=version, by="hand")
