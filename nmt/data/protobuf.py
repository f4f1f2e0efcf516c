"""The few lines of protobuf's wire format that we need, so that its library is not required.

A message is a row of fields, each with its number and its value. SentencePiece keeps its models in
this format, and tells in it which stretch of the text a piece covers.
"""

from collections.abc import Iterator
from typing import Any

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {FIXED64: 8, FIXED32: 4}


def read_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and the value of each field; numbers as int, all else as bytes.

    Raises:
        ValueError: this is not a protobuf message.
    """
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        field, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _read_varint(message, position)
            yield field, value
            continue
        if kind == BYTES:
            size, position = _read_varint(message, position)
        elif kind in _FIXED_SIZES:
            size = _FIXED_SIZES[kind]
        else:
            raise ValueError(f"no field can have the wire type {kind}")
        if position + size > len(message):
            raise ValueError("the message is cut short")
        yield field, message[position : position + size]
        position += size


def values(message: bytes, field: int) -> list[Any]:
    """Return all values of one field, in order; of a field that may occur once, the last counts."""
    return [value for number, value in read_fields(message) if number == field]


def varint_field(field: int, value: int) -> bytes:
    """Return one field that holds a number."""
    return _varint(field << 3 | VARINT) + _varint(value)


def bytes_field(field: int, value: bytes) -> bytes:
    """Return one field that holds bytes, text or another message."""
    return _varint(field << 3 | BYTES) + _varint(len(value)) + value


def _read_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message):
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
        shift += 7
    raise ValueError("the message is cut short")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
