"""Lines that bring the beginning of their translation along, after a tab."""

from dataclasses import dataclass

from nmt.errors import DataError


@dataclass(frozen=True)
class Prefixed:
    """Some lines, and what the translation of each begins with; often nothing."""

    sources: list[str]
    prefixes: list[str]


def split_prefixes(lines: list[str], done: int, name: str) -> Prefixed:
    """Cut lines at their tab, if they have one.

    Args:
        lines: the lines.
        done: how many came before them.
        name: the file they are of, for messages.

    Raises:
        DataError: a line has several tabs, so that nobody knows where its prefix begins.
    """
    pairs = []
    for number, line in enumerate(lines, start=done + 1):
        source, _, prefix = line.partition("\t")
        if "\t" in prefix:
            raise DataError(
                f"{name}: line {number:,} has {line.count(chr(9))} tabs; with --prefixes a line "
                "has one at most, between the text and what its translation begins with"
            )
        pairs.append((source, prefix))
    return Prefixed([source for source, _ in pairs], [prefix for _, prefix in pairs])
