"""A pretrained text encoder: BERT's (Devlin et al. 2019), with its weights under this package's names.

The one idea: it is the encoder block of :mod:`coursepkg.nn.attention` again, normalizing after each sum and not before.
What is new is that its weights were learned before, on more text than anyone reads, so that a short training on a
few thousand sentences is enough for a new task. That is fine-tuning.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coursepkg._checks import check_rng
from coursepkg.nn.activations import GELU
from coursepkg.nn.attention import TransformerEncoderLayer
from coursepkg.nn.layers import Embedding, Linear
from coursepkg.nn.module import Module, Parameter
from coursepkg.nn.normalization import LayerNorm

__all__ = ["SentenceClassifier", "TextEncoder"]


class TextEncoder(Module):
    """From the numbers of words to a vector at each position: BERT's encoder for a single text.

    Parameters
    ----------
    words : int
        Size of the vocabulary, in which 0 stands for padding.
    length : int
        The longest text, in words.
    width, heads, hidden : int
        ``d_model``, ``nhead`` and ``dim_feedforward`` of the blocks.
    blocks : int
        How many of them.
    eps : float
        Of the normalizations.
    rng : numpy.random.Generator
        Source of the starting weights.
    dtype : dtype
        Of the parameters.

    Attributes
    ----------
    embedding : Embedding
        Of the words.
    positions : Tensor, shape (length, width)
        Added to them, as is the ``segment``.
    segment : Tensor, shape (width,)
        BERT reads pairs of texts, too, and tells the two apart by what it adds; this is the vector of the first.
    norm : LayerNorm
        Of the sum.
    block0, block1, ... : TransformerEncoderLayer
        With ``norm_first=False`` and the exact GELU.

    Examples
    --------
    >>> import numpy as np
    >>> from coursepkg import nn
    >>> encoder = nn.TextEncoder(
    ...     20, length=6, width=8, heads=2, hidden=12, blocks=2, rng=np.random.default_rng(0)
    ... )
    >>> encoder(np.array([[2, 7, 3, 0], [2, 5, 9, 3]])).shape
    (2, 4, 8)
    """

    def __init__(
        self,
        words: int,
        *,
        length: int,
        width: int,
        heads: int,
        hidden: int,
        blocks: int,
        eps: float = 1e-12,
        rng: np.random.Generator,
        dtype: Any = np.float64,
    ) -> None:
        self.embedding = Embedding(words, width, rng=rng, dtype=dtype)
        self.positions = Parameter(check_rng(rng).normal(0.0, 0.02, (length, width)).astype(dtype))
        self.segment = Parameter(np.zeros(width, dtype))
        self.norm = LayerNorm(width, eps, dtype=dtype)
        for k in range(blocks):
            block = TransformerEncoderLayer(width, heads, hidden, norm_first=False, eps=eps, rng=rng, dtype=dtype)
            block.activation = GELU("none")
            setattr(self, f"block{k}", block)
        self._blocks = blocks

    @classmethod
    def from_bert(cls, weights: Mapping[str, np.ndarray], *, heads: int, eps: float = 1e-12) -> TextEncoder:
        """Make the encoder that some weights belong to.

        Parameters
        ----------
        weights : mapping of str to ndarray
            Under the names of Hugging Face's ``BertModel``, with or without ``bert.`` before them. What an encoder of
            single texts does not use (the pooler, the second segment, heads) is left out.
        heads : int
            Attention heads, which no shape tells.
        eps : float
            Of the normalizations, which no shape tells either.

        Returns
        -------
        TextEncoder
            In the dtype of the weights.

        Raises
        ------
        ValueError
            If weights are missing or their shapes do not fit each other.
        """
        weights = {name.removeprefix("bert."): array for name, array in weights.items()}
        try:
            state = _renamed(weights)
        except KeyError as error:
            raise ValueError(f"these are not the weights of a BERT encoder: {error.args[0]} is missing") from None
        words, width = state["embedding.weight"].shape
        encoder = cls(
            words,
            length=len(state["positions"]),
            width=width,
            heads=heads,
            hidden=len(state["block0.linear1.weight"]),
            blocks=sum(name.endswith("linear1.weight") for name in state),
            eps=eps,
            rng=np.random.default_rng(0),  # every number that it draws is replaced
            dtype=state["embedding.weight"].dtype,
        )
        encoder.load_state_dict(state)
        return encoder

    def forward(self, tokens: Any) -> Any:
        """Map words, integers of shape (n, T) with 0 for padding, to vectors of shape (n, T, width).

        What stands at the places of padding means nothing.
        """
        tokens = np.asarray(tokens)
        if tokens.ndim != 2 or tokens.shape[1] > len(self.positions):
            raise ValueError(
                f"texts are integers of shape (n, T), T at most {len(self.positions)}, got shape {tokens.shape}; "
                "cut longer texts (WordPiece.batch has a length)"
            )
        x = self.norm(self.embedding(tokens) + self.positions[: tokens.shape[1]] + self.segment)
        for k in range(self._blocks):
            x = getattr(self, f"block{k}")(x, tokens != 0)
        return x

    def freeze_embeddings(self) -> TextEncoder:
        """Let what comes before the blocks stay as it is, and return the encoder.

        The gradient of the table of words alone would be as large as the table, and most of its rows zero.
        """
        for parameter in (self.embedding.weight, self.positions, self.segment, *self.norm.parameters()):
            parameter.requires_grad = False
        return self


class SentenceClassifier(Module):
    """An encoder, the mean of what it says at all words, and a linear layer that scores the classes.

    Parameters
    ----------
    encoder : TextEncoder
        Shared, not copied.
    classes : int
        How many.
    rng : numpy.random.Generator
        Source of the head's starting weights.

    Attributes
    ----------
    encoder : TextEncoder
    head : Linear
        From the mean to the scores.
    """

    def __init__(self, encoder: TextEncoder, classes: int, *, rng: np.random.Generator) -> None:
        self.encoder = encoder
        table = encoder.embedding.weight
        self.head = Linear(table.shape[1], classes, rng=rng, dtype=table.dtype)

    def forward(self, tokens: Any) -> Any:
        """Map words, integers of shape (n, T) with 0 for padding, to scores of shape (n, classes)."""
        return self.head(self.embed(tokens))

    def embed(self, tokens: Any) -> Any:
        """Return one vector for each text, shape (n, width): the mean over its words."""
        tokens = np.asarray(tokens)
        x, mask = self.encoder(tokens), tokens != 0
        weights = (mask / mask.sum(axis=1, keepdims=True)).astype(x.dtype)
        return np.reshape(np.matmul(weights[:, None, :], x), (len(tokens), x.shape[-1]))


# Where BERT's names go; {k} is the number of a block.
PLAIN = {
    "embedding.weight": "embeddings.word_embeddings.weight",
    "positions": "embeddings.position_embeddings.weight",
    "norm.weight": "embeddings.LayerNorm.weight",
    "norm.bias": "embeddings.LayerNorm.bias",
}
IN_BLOCK = {
    "self_attn.out_proj": "attention.output.dense",
    "norm1": "attention.output.LayerNorm",
    "linear1": "intermediate.dense",
    "linear2": "output.dense",
    "norm2": "output.LayerNorm",
}


def _renamed(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """BERT's arrays under this package's names; query, key and value become one matrix."""
    state = {ours: weights[theirs] for ours, theirs in PLAIN.items()}
    state["segment"] = weights["embeddings.token_type_embeddings.weight"][0]
    blocks = 0
    while f"encoder.layer.{blocks}.output.dense.weight" in weights:
        before = f"encoder.layer.{blocks}"
        for kind in ("weight", "bias"):
            three = [weights[f"{before}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"block{blocks}.self_attn.in_proj.{kind}"] = np.concatenate(three)
            for ours, theirs in IN_BLOCK.items():
                state[f"block{blocks}.{ours}.{kind}"] = weights[f"{before}.{theirs}.{kind}"]
        blocks += 1
    if not blocks:
        raise KeyError("encoder.layer.0.output.dense.weight")
    return state
