"""Fine-tuning: a run that begins with the weights of a finished model instead of chance."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from nmt.data.corpus import Corpus
from nmt.data.vocabulary import Vocabulary
from nmt.decoding.model_folder import WEIGHTS, Description, load_weights, read_description
from nmt.errors import SettingError
from nmt.files import checksum
from nmt.models.seq2seq import Seq2Seq
from nmt.training.presets import Settings


class Origin:
    """The model that a run begins with."""

    def __init__(self, folder: Path) -> None:
        """Open a model folder.

        Raises:
            FolderError: it is none, or a damaged one.
        """
        self.folder = folder
        self.description: Description = read_description(folder)

    def settings(self, settings: Settings, changes: list[str]) -> Settings:
        """Return a run's settings with this model's architecture.

        Raises:
            SettingError: the user asks for another one.
        """
        if any(change.strip().startswith("model.") for change in changes):
            raise SettingError(
                f"--init-from keeps the architecture of {self.folder}; leave out --set model...."
            )
        return replace(settings, model=self.description.model)

    def check(self, corpus: Corpus) -> None:
        """Refuse a corpus that was not made with this model's vocabularies.

        Raises:
            SettingError: says how to make the corpus.
        """
        pairs = (
            (self.description.source, corpus.source_vocabulary),
            (self.description.target, corpus.target_vocabulary),
        )
        if all(self._same(side.vocabulary, vocabulary) for side, vocabulary in pairs):
            return
        source, target = (self.folder / side.vocabulary for side, _ in pairs)
        raise SettingError(
            f"{corpus.folder}: its vocabulary is not that of {self.folder}; make the corpus with "
            f"--source-vocab {source} --target-vocab {target}"
        )

    def _same(self, name: str, vocabulary: Vocabulary) -> bool:
        return (self.folder / name).read_bytes() == vocabulary.path.read_bytes()

    def fill(self, model: Seq2Seq) -> None:
        """Give a model these weights."""
        load_weights(self.folder, model)

    def facts(self) -> dict[str, Any]:
        """Return what is kept of it in the new model's description."""
        return {"model": self.folder.resolve().name, "weights": checksum(self.folder / WEIGHTS)}
