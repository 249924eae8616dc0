"""The stored runs on MNIST, as chapter 06 shows them."""

from coursepkg.stored import mnist


def test_the_sentence_has_the_range_over_all_seeds():
    assert mnist.outcome() == "8,000 training images, 12 epochs, 5 seeds: accuracy 0.964 to 0.969"
