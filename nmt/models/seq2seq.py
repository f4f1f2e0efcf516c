"""The whole model: source ids and target ids to what the output layer needs."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nmt.models.config import ModelConfig
from nmt.models.decoder import Decoded, Decoder
from nmt.models.dropout import NO_DROPOUT, Dropout
from nmt.models.encoder import Encoder, Encoding
from nmt.models.memory import Memory
from nmt.models.state import LayerState
from nmt.models.turn import padding_mask

# Tables begin small, and what is looked up in one of E columns is scaled up by E to this power.
# Adam moves each number by about the learning rate: the larger a table begins, the more slowly its
# words move for their size. Source words had better move slowly (Multi30k, 1,200 updates:
# validation loss 1.92 instead of 1.94; more slowly still, by the power 0, 1.94 again). The target's
# table is the output layer too, and has to begin small.
SOURCE, TARGET = 0.25, 0.5


@dataclass(frozen=True)
class Encoded:
    """Sources, read: the memory and the decoder's first states, each (B, H)."""

    memory: Memory
    states: list[LayerState]


class Seq2Seq(nn.Module):
    """An encoder, a decoder, and an output layer: the target embeddings, or weights of its own."""

    def __init__(
        self, config: ModelConfig, source_pieces: int, target_pieces: int, share: bool = False
    ) -> None:
        """Build the model with random weights.

        Args:
            config: the architecture.
            source_pieces: size of the source vocabulary.
            target_pieces: size of the target vocabulary.
            share: whether both vocabularies are one (needed for three-way tying).
        """
        super().__init__()
        self.config = config
        size = config.embedding_size
        self.target_embedding = nn.Parameter(torch.empty(target_pieces, size))
        self.target_scale = size**TARGET
        nn.init.normal_(self.target_embedding, std=1 / self.target_scale)
        if share and config.tying == "three-way":
            self.source_embedding = self.target_embedding
            self.source_scale = self.target_scale
        else:
            self.source_embedding = nn.Parameter(torch.empty(source_pieces, size))
            self.source_scale = size**SOURCE
            nn.init.normal_(self.source_embedding, std=1 / self.source_scale)
        self.output_bias = nn.Parameter(torch.zeros(target_pieces))
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.output_weight = self.target_embedding
        if config.tying == "none":
            width = self.decoder.readout_size
            self.output_weight = nn.Parameter(torch.empty(target_pieces, width))
            nn.init.normal_(self.output_weight, std=width**-0.5)

    def encode(
        self,
        source: Tensor,
        lengths: Tensor | None = None,
        dropout: Dropout = NO_DROPOUT,
        dtype: torch.dtype | None = None,
    ) -> Encoded:
        """Read sources.

        Args:
            source: ids (B, S), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.
            dropout: applied to embeddings and between layers.
            dtype: the type to compute in; None is that of the weights.
        """
        x = dropout(self.embed_source(source, dtype))
        encoding: Encoding = self.encoder(x, lengths, dropout)
        padding = padding_mask(lengths, source.shape[1], source.device)
        memory = self.decoder.memory(encoding.memory, encoding.final[-1].hidden, padding)
        return Encoded(memory, self.decoder.bridge.cross(encoding.final))

    def decode(self, target: Tensor, encoded: Encoded, dropout: Dropout = NO_DROPOUT) -> Tensor:
        """Run over whole target inputs (B, T), giving read-outs (B, T, R)."""
        return self.attend(target, encoded, dropout).readouts

    def attend(self, target: Tensor, encoded: Encoded, dropout: Dropout = NO_DROPOUT) -> Decoded:
        """Run over whole target inputs (B, T), giving read-outs and attention."""
        x = self.embed_target(target, encoded.memory.values.dtype)
        decoded: Decoded = self.decoder(dropout(x), encoded.memory, encoded.states, dropout)
        return decoded

    def logits(self, readouts: Tensor) -> Tensor:
        """Map read-outs (..., R) to a score for every target piece (..., V)."""
        dtype = readouts.dtype
        return F.linear(readouts, self.output_weight.to(dtype), self.output_bias.to(dtype))

    def embed_source(self, ids: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Look source ids (...) up; embeddings (..., E) begin with unit variance."""
        return _embed(ids, self.source_embedding, self.source_scale, dtype)

    def embed_target(self, ids: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Look target ids (...) up; embeddings (..., E) begin with unit variance."""
        return _embed(ids, self.target_embedding, self.target_scale, dtype)


def _embed(ids: Tensor, table: Tensor, scale: float, dtype: torch.dtype | None) -> Tensor:
    return F.embedding(ids, table).mul(scale).to(dtype or table.dtype)
