"""Neural networks on the course's engine: modules, layers, losses and initializers under PyTorch's names.

A layer is an ordinary NumPy function with parameters attached, so a model runs on arrays, on tensors, and, through
:func:`functional_call`, on every other kind of traced value.
"""

from coursepkg.nn import init
from coursepkg.nn.activations import GELU, LeakyReLU, ReLU, Sigmoid, Softmax, Tanh
from coursepkg.nn.attention import MultiheadSelfAttention, TextClassifier, TransformerEncoderLayer
from coursepkg.nn.encoder import SentenceClassifier, TextEncoder
from coursepkg.nn.files import load, save
from coursepkg.nn.layers import Conv2d, Dropout, Embedding, Flatten, Linear, MaxPool2d
from coursepkg.nn.losses import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from coursepkg.nn.module import Module, Parameter, Sequential, functional_call
from coursepkg.nn.normalization import BatchNorm, LayerNorm
from coursepkg.nn.recurrent import (
    GRU,
    LSTM,
    RNN,
    GRUCell,
    LSTMCell,
    ManyToMany,
    ManyToOne,
    RNNCell,
    pad_sequences,
)
from coursepkg.nn.wordpiece import WordPiece

__all__ = [
    "GELU",
    "GRU",
    "LSTM",
    "RNN",
    "BatchNorm",
    "Conv2d",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "ManyToMany",
    "ManyToOne",
    "MaxPool2d",
    "Module",
    "MultiheadSelfAttention",
    "Parameter",
    "RNNCell",
    "ReLU",
    "SentenceClassifier",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "TextClassifier",
    "TextEncoder",
    "TransformerEncoderLayer",
    "WordPiece",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "functional_call",
    "init",
    "load",
    "mse_loss",
    "pad_sequences",
    "save",
]
