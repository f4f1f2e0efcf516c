"""The settings of a model's architecture. Read without torch."""

from dataclasses import dataclass

from nmt.settings import setting


@dataclass(frozen=True)
class ModelConfig:
    """What a model is made of. The vocabularies' sizes come from the corpus, not from here."""

    embedding_size: int = setting(256, "size of a word vector, and of the read-out tied to it")
    hidden_size: int = setting(512, "size of a decoder state; each encoder direction has half")
    encoder_layers: int = setting(1, "bidirectional LSTM layers that read the source")
    decoder_layers: int = setting(1, "LSTM layers that write the target")
    attention: str = setting(
        "general", "how the decoder scores source positions", ("dot", "general", "additive")
    )
    tying: str = setting(
        "two-way",
        "which embeddings are one matrix: the target's and the output layer's, or with a joint "
        "vocabulary the source's too",
        ("two-way", "three-way"),
    )

    def __post_init__(self) -> None:
        for name in ("embedding_size", "hidden_size", "encoder_layers", "decoder_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.hidden_size % 2:
            raise ValueError(
                f"hidden_size must be even, because each encoder direction has half of it, "
                f"not {self.hidden_size}"
            )
