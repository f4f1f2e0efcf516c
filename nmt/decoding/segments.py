"""Lines that are too long for a model: cut at sentence marks, and put together again."""

from collections.abc import Callable
from dataclasses import dataclass

import regex

# Where a line may be cut, the best places first. Each pattern matches what lies between segments: a
# sentence keeps all its marks and the quotes and brackets that end with it, up to eight; to look
# further back from each of a long row of them would take hours.
CUTS = (
    regex.compile(
        r"(?<=[.!?…؟۔][\"'”’“‘»«)\]]{0,8})\s+|"
        r"(?<=[。！？।][”’」』）]{0,8})(?![。！？।”’」』）])\s*"
    ),
    regex.compile(r"(?<=[,;:])\s+|(?<=[，；：、،؛])\s*"),
    regex.compile(r"\s+"),
)


@dataclass(frozen=True)
class Segment:
    """A stretch of a line, and whether a space stood between it and the one before."""

    text: str
    spaced: bool


def split_line(line: str, limit: int, count: Callable[[list[str]], list[int]]) -> list[Segment]:
    """Cut a line into segments of at most `limit` pieces, as few and as long as can be.

    Args:
        line: the line.
        limit: the most pieces a segment may have.
        count: tells how many pieces each of some texts has.
    """
    return _split(Segment(line, False), limit, count, 0)


def _split(
    segment: Segment, limit: int, count: Callable[[list[str]], list[int]], level: int
) -> list[Segment]:
    text = segment.text
    if count([text])[0] <= limit or len(text) == 1:
        return [segment]
    if level == len(CUTS):
        # No mark and no space: most characters are a piece or two, a few are many.
        size = min(limit, len(text)) // 2 or 1
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        segments = [Segment(part, segment.spaced and at == 0) for at, part in enumerate(parts)]
        return [part for each in segments for part in _split(each, limit, count, level)]
    small = [
        piece
        for part in _cut(segment, CUTS[level])
        for piece in (_split(part, limit, count, level + 1) if part.text else [])
    ]
    return _pack(small, limit, count)


def _cut(segment: Segment, pattern: regex.Pattern[str]) -> list[Segment]:
    parts, start, spaced = [], 0, segment.spaced
    for match in pattern.finditer(segment.text):
        parts.append(Segment(segment.text[start : match.start()], spaced))
        start, spaced = match.end(), match.end() > match.start()
    parts.append(Segment(segment.text[start:], spaced))
    return parts


def _pack(
    parts: list[Segment], limit: int, count: Callable[[list[str]], list[int]]
) -> list[Segment]:
    """Join neighbours again as long as they fit together."""
    packed: list[Segment] = []
    used = 0
    for part, size in zip(parts, count([part.text for part in parts]), strict=True):
        if packed:
            text = packed[-1].text + (" " if part.spaced else "") + part.text
            # Pieces end at spaces; where there is none, those of the whole may be others.
            whole = used + size if part.spaced else count([text])[0]
            if whole <= limit:
                packed[-1], used = Segment(text, packed[-1].spaced), whole
                continue
        packed.append(part)
        used = size
    return packed
