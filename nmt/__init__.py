"""nmt: recurrent neural machine translation from the command line and from Python.

Sizes in docstrings and comments throughout the package: B batch, S source length, T target
length, E embedding, H hidden, V vocabulary, K beam.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Limits",
    "PreprocessOptions",
    "Recipe",
    "SearchOptions",
    "TrainOptions",
    "Translator",
    "__version__",
    "evaluate",
    "preprocess",
    "train",
    "translate_file",
]

if TYPE_CHECKING:
    from nmt.api import (
        Limits,
        PreprocessOptions,
        Recipe,
        SearchOptions,
        TrainOptions,
        Translator,
        evaluate,
        preprocess,
        train,
        translate_file,
    )


def __getattr__(name: str) -> Any:
    # Loaded on first use, because torch takes seconds to import and `nmt --help` must not.
    if name in __all__:
        from nmt import api

        return getattr(api, name)
    raise AttributeError(f"module 'nmt' has no attribute {name!r}")
