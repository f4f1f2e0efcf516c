"""The settings of a model's architecture. Read without torch."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass

from nmt.settings import setting

MOST = 100_000  # of anything; what no memory can hold is told where memory is asked for


@dataclass(frozen=True)
class ModelConfig:
    """What a model is made of. The vocabularies' sizes come from the corpus, not from here."""

    embedding_size: int = setting(256, "size of a word vector, and of the read-out tied to it")
    hidden_size: int = setting(
        512, "size of a layer's output; each direction of a bidirectional layer has half"
    )
    cell: str = setting(
        "lstm", "what recurrent layers are made of", ("lstm", "gru", "rnn", "norm-lstm")
    )
    encoder: str = setting(
        "bidirectional",
        "which encoder layers read the source in both directions: all, none, or the first",
        ("bidirectional", "forward", "first-bidirectional"),
    )
    encoder_layers: int = setting(1, "recurrent layers that read the source")
    decoder_layers: int = setting(1, "recurrent layers that write the target")
    residual_from: int = setting(3, "first layer that adds its input to its output; 0 for none")
    layer_norm: bool = setting(
        False, "normalise what each layer after the first, and the read-out, reads"
    )
    reverse_source: bool = setting(False, "read the source from its end to its beginning")
    bridge: str = setting(
        "linear",
        "how the decoder's first state comes from the encoder's last: through a linear map and "
        "tanh, layer by layer as it is, or not at all",
        ("linear", "copy", "zero"),
    )
    attention: str = setting(
        "general",
        "how the decoder scores source positions; none: the encoder's final state is every step's "
        "context; initial: there is no context at all",
        ("general", "dot", "additive", "multi-head", "none", "initial"),
    )
    attention_heads: int = setting(4, "heads of multi-head attention")
    attend: str = setting(
        "every",
        "who asks attention: every decoder layer, for the next; the first, for all others; the "
        "last, for the read-out; the state before a step, for the first layer and the read-out",
        ("every", "first", "last", "before"),
    )
    input_feeding: bool = setting(False, "the read-out of a step is an input of the next one")
    readout: str = setting(
        "tanh",
        "what is between the decoder and the output layer: a layer of tanh or of maxout units "
        "(which reads the previous word too), or nothing",
        ("tanh", "direct", "maxout"),
    )
    tying: str = setting(
        "two-way",
        "which embeddings are one matrix: the target's and the output layer's, or with a joint "
        "vocabulary the source's too",
        ("two-way", "three-way", "none"),
    )

    def __post_init__(self) -> None:
        for name in ("embedding_size", "hidden_size", "encoder_layers", "decoder_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
            if getattr(self, name) > MOST:
                raise ValueError(f"{name} must be at most {MOST:,}, not {getattr(self, name)}")
        for refusal in REFUSALS:
            if refusal.applies(self):
                raise ValueError(refusal.sentence.format(**asdict(self)))

    def reads_both_ways(self, layer: int) -> bool:
        """Whether an encoder layer, counted from 1, reads in both directions."""
        return layer <= _LAST_BOTH_WAYS[self.encoder]

    def adds_input(self, layer: int) -> bool:
        """Whether a layer, counted from 1, adds its input to its output."""
        return 0 < self.residual_from <= layer


_LAST_BOTH_WAYS = {"bidirectional": math.inf, "forward": 0, "first-bidirectional": 1}


@dataclass(frozen=True)
class Refusal:
    """Settings that do not go together, and the sentence that says so and what to change."""

    applies: Callable[[ModelConfig], bool]
    sentence: str  # settings stand in braces


REFUSALS = (
    Refusal(
        lambda config: config.hidden_size % 2 == 1 and config.reads_both_ways(1),
        "hidden_size must be even, because each encoder direction has half of it, "
        "not {hidden_size}",
    ),
    Refusal(
        lambda config: config.residual_from < 0 or config.residual_from == 1,
        "residual_from must be 2 or more, or 0 for none, not {residual_from}: the first layer "
        "reads word vectors, which are of another size",
    ),
    Refusal(
        lambda config: config.reverse_source and config.reads_both_ways(config.encoder_layers),
        "reverse_source changes nothing where every encoder layer reads in both directions "
        "(encoder {encoder}, encoder_layers {encoder_layers}); set encoder to forward, or "
        "reverse_source to false",
    ),
    Refusal(
        lambda config: config.attention == "initial" and config.bridge == "zero",
        "attention initial and bridge zero leave the decoder without any knowledge of the source; "
        "set bridge to linear or copy, or choose another attention",
    ),
    Refusal(
        lambda config: (
            config.attention == "initial"
            and config.bridge == "copy"
            and config.encoder_layers > config.decoder_layers
        ),
        "with attention initial and bridge copy each encoder layer needs a decoder layer to hand "
        "its state to: set decoder_layers to {encoder_layers} or encoder_layers to "
        "{decoder_layers}, or bridge to linear",
    ),
    Refusal(
        lambda config: config.attention_heads < 1,
        "attention_heads must be 1 or more, not {attention_heads}",
    ),
    Refusal(
        lambda config: (
            config.attention == "multi-head" and config.hidden_size % config.attention_heads > 0
        ),
        "hidden_size must be a multiple of attention_heads, so that each head has its share, and "
        "{hidden_size} is none of {attention_heads}",
    ),
    Refusal(
        lambda config: (
            config.attention != "multi-head"
            and config.attention_heads != ModelConfig.attention_heads
        ),
        "attention_heads {attention_heads} changes nothing with attention {attention}; leave it "
        "out, or set attention to multi-head",
    ),
    Refusal(
        lambda config: config.attention == "initial" and config.attend != "every",
        "attend {attend} changes nothing with attention initial, which has no context; leave it "
        "out, or set attention to none for a fixed context",
    ),
    Refusal(
        lambda config: config.readout == "direct" and config.tying != "none",
        "readout direct gives the output layer more numbers than an embedding has, and with tying "
        "{tying} the output layer is an embedding; set tying to none, or readout to tanh",
    ),
)
