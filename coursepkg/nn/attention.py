"""The encoder block of a transformer: attention, then a small network at each position, each added to what came in.

The one idea of attention: every position asks a question (a query), and offers a label (a key) and something to say (a
value); what a position hears is the average of all values, weighted by how well their keys fit its query. (Vaswani et
al. 2017.) The block normalizes before each part, which is easier to train (Xiong et al. 2020), or after each sum, as
the first transformers and BERT do. Shapes and parameters are PyTorch's with ``batch_first=True``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.autodiff.catalogue import softmax
from coursepkg.nn.activations import ReLU
from coursepkg.nn.layers import Embedding, Linear
from coursepkg.nn.module import Module, Parameter
from coursepkg.nn.normalization import LayerNorm

__all__ = ["MultiheadSelfAttention", "TextClassifier", "TransformerEncoderLayer"]


class MultiheadSelfAttention(Module):
    """Self-attention with several heads, each on its own share of the features.

    Parameters
    ----------
    embed_dim, num_heads : int
        Features of a position, and heads among which they are divided evenly.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    in_proj : Linear
        From a position to its query, key and value, in this order (PyTorch's ``in_proj_weight`` and
        ``in_proj_bias``). One layer for all three, so that their common input is kept once.
    out_proj : Linear
        From the heads' answers to the output.
    """

    def __init__(self, embed_dim: int, num_heads: int, *, rng: np.random.Generator, dtype: Any = np.float64) -> None:
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(f"{embed_dim} features cannot be divided evenly among {num_heads} heads")
        self.in_proj = Linear(embed_dim, 3 * embed_dim, rng=rng, dtype=dtype)
        self.out_proj = Linear(embed_dim, embed_dim, rng=rng, dtype=dtype)
        self.num_heads = num_heads

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Let all positions of each sequence attend to each other.

        Parameters
        ----------
        x : array, shape (n, T, embed_dim)
            Sequences.
        mask : array of bool, shape (n, T), optional
            True where there is a position; padding is attended to by no one.

        Returns
        -------
        array, shape (n, T, embed_dim)
        """
        n, steps, width = x.shape
        heads = np.reshape(self.in_proj(x), (n, steps, 3, self.num_heads, width // self.num_heads))
        query, key, value = (np.swapaxes(heads[:, :, k], 1, 2) for k in range(3))
        scores = np.matmul(query * (1.0 / math.sqrt(width // self.num_heads)), np.swapaxes(key, 2, 3))
        if mask is not None:
            scores = scores + self._closed(mask, (n, steps), x.dtype)
        heard = np.matmul(softmax(scores, axis=-1), value)
        return self.out_proj(np.reshape(np.swapaxes(heard, 1, 2), (n, steps, width)))

    @staticmethod
    def _closed(mask: Any, shape: tuple[int, int], dtype: Any) -> np.ndarray:
        """What to add to the scores so that padding gets weight zero."""
        mask = np.asarray(mask)
        if mask.dtype != bool or mask.shape != shape:
            raise ValueError(
                f"a mask is True where there is a position, bool of shape {shape}; got {mask.dtype} {mask.shape}"
            )
        if not mask.any(axis=1).all():
            raise ValueError("a sequence that is all padding has nothing to attend to; leave it out")
        return np.where(mask, 0.0, -np.inf).astype(dtype)[:, None, None, :]

    def describe(self) -> str:
        return f"heads={self.num_heads}"


class TransformerEncoderLayer(Module):
    """``x + attention(norm1(x))``, then ``x + linear2(relu(linear1(norm2(x))))``; or normalized after each sum.

    Parameters
    ----------
    d_model, nhead : int
        Features of a position, and attention heads.
    dim_feedforward : int
        Hidden units of the network at each position.
    norm_first : bool
        False: ``norm1(x + attention(x))``, then ``norm2(x + linear2(relu(linear1(x))))``. That is PyTorch's default.
    eps : float
        Of the normalizations.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    self_attn : MultiheadSelfAttention
    linear1, linear2 : Linear
    norm1, norm2 : LayerNorm
    activation : Module
        A ReLU; replace it before training if you like.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> block = nn.TransformerEncoderLayer(8, nhead=2, dim_feedforward=16, rng=np.random.default_rng(0))
    >>> block(np.ones((3, 5, 8))).shape
    (3, 5, 8)
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int,
        *,
        norm_first: bool = True,
        eps: float = 1e-5,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        self.self_attn = MultiheadSelfAttention(d_model, nhead, rng=rng, dtype=dtype)
        self.linear1 = Linear(d_model, dim_feedforward, rng=rng, dtype=dtype)
        self.linear2 = Linear(dim_feedforward, d_model, rng=rng, dtype=dtype)
        self.norm1, self.norm2 = LayerNorm(d_model, eps, dtype=dtype), LayerNorm(d_model, eps, dtype=dtype)
        self.activation: Module = ReLU()
        self.norm_first = norm_first

    def forward(self, x: Any, mask: Any = None) -> Any:
        """Map sequences, shape (n, T, d_model), to the same shape; ``mask`` as for :class:`MultiheadSelfAttention`."""
        if not self.norm_first:
            x = self.norm1(x + self.self_attn(x, mask))
            return self.norm2(x + self.linear2(self.activation(self.linear1(x))))
        x = x + self.self_attn(self.norm1(x), mask)
        return x + self.linear2(self.activation(self.linear1(self.norm2(x))))


class TextClassifier(Module):
    """Embed words and their places, let encoder blocks mix them, average what they hear, and score the classes.

    Parameters
    ----------
    words, classes : int
        Size of the vocabulary, in which 0 stands for padding, and number of classes.
    length : int
        The longest text, in words.
    width, heads, hidden : int
        ``d_model``, ``nhead`` and ``dim_feedforward`` of the blocks.
    blocks : int
        How many of them.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    embedding : Embedding
    positions : Tensor, shape (length, width)
    head : Linear
    """

    def __init__(
        self,
        words: int,
        classes: int,
        *,
        length: int,
        width: int,
        heads: int,
        hidden: int,
        blocks: int,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        self.embedding = Embedding(words, width, rng=rng, dtype=dtype)
        self.positions = Parameter(check_rng(rng).normal(0.0, 0.1, (length, width)).astype(dtype))
        for k in range(blocks):
            setattr(self, f"block{k}", TransformerEncoderLayer(width, heads, hidden, rng=rng, dtype=dtype))
        self.norm = LayerNorm(width, dtype=dtype)
        self.head = Linear(width, classes, rng=rng, dtype=dtype)
        self._blocks = blocks

    def forward(self, tokens: Any) -> Any:
        """Map words, integers of shape (n, T) with 0 for padding, to scores of shape (n, classes)."""
        tokens = np.asarray(tokens)
        mask = tokens != 0
        x = self.embedding(tokens) + self.positions[: tokens.shape[1]]
        for k in range(self._blocks):
            x = getattr(self, f"block{k}")(x, mask)
        weights = (mask / mask.sum(axis=1, keepdims=True)).astype(x.dtype)
        return self.head(np.sum(self.norm(x) * weights[:, :, None], axis=1))
