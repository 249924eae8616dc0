"""Recurrent networks: cells, layers, and the routes to their gradients.

The cells are ordinary NumPy functions (:mod:`~coursepkg.nn.recurrent.cells`); hand-written sweeps through time are
entries of the table of primitives (:mod:`~coursepkg.nn.recurrent.sweeps`); layers and cells have PyTorch's names and
gate order (:mod:`~coursepkg.nn.recurrent.layers`, :mod:`~coursepkg.nn.recurrent.cell_modules`); full, truncated and
real-time gradients have one call (:mod:`~coursepkg.nn.recurrent.routes`).
"""

from coursepkg.nn.recurrent.cell_modules import GRUCell, LSTMCell, RNNCell
from coursepkg.nn.recurrent.cells import gru_step, lstm_step, rnn_step, unroll
from coursepkg.nn.recurrent.layers import GRU, LSTM, RNN, Recurrence
from coursepkg.nn.recurrent.predictions import ManyToMany, ManyToOne, pad_sequences
from coursepkg.nn.recurrent.routes import bptt, chunked_bptt, detach, randomised_bptt, rtrl, truncated_bptt
from coursepkg.nn.recurrent.sweeps import gru_sweep, lstm_sweep, rnn_sweep

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "ManyToMany",
    "ManyToOne",
    "RNNCell",
    "Recurrence",
    "bptt",
    "chunked_bptt",
    "detach",
    "gru_step",
    "gru_sweep",
    "lstm_step",
    "lstm_sweep",
    "pad_sequences",
    "randomised_bptt",
    "rnn_step",
    "rnn_sweep",
    "rtrl",
    "truncated_bptt",
    "unroll",
]
