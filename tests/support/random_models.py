"""Model folders that nobody trained, for what does not depend on the weights."""

from pathlib import Path

import torch

from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import save_weights, write_description
from nmt.models.config import ModelConfig
from nmt.training.config import TrainConfig
from nmt.training.description import describe
from nmt.training.presets import Settings


def write_model(corpus: Path, folder: Path, attention: str) -> Path:
    """A model folder with random weights."""
    config = ModelConfig(embedding_size=4, hidden_size=8, attention=attention)
    description = describe(Corpus.open(corpus), Settings("tiny", config, TrainConfig()), seed=1)
    folder.mkdir(parents=True)
    sides = (description.source, description.target)
    write_description(folder, description, [corpus / side.vocabulary for side in sides])
    torch.manual_seed(1)
    save_weights(folder, description.build(), {"update": 1})
    return folder
