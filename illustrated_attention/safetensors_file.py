"""Read a safetensors file: a header that says which numbers lie where, then the numbers.

Eight bytes give the header's length. The header is JSON: for each tensor its type, its shape and
the bytes from which to which it lies. Then come the numbers themselves, tensor after tensor,
without a gap. NumPy is all that is needed to read this.
"""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from illustrated_attention.language import _

FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
_LONGEST_HEADER = 100_000_000  # bytes, as the format has it


class NotSafetensors(ValueError):
    """The file is cut off, or of another format. The message says what was found."""


@dataclass(frozen=True)
class Tensor:
    """One entry of the header: bytes `start` to `end`, counted from the end of the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def read_tensors(path: Path) -> Iterator[tuple[Tensor, np.ndarray | None]]:
    """Yield every tensor with its numbers, in the order in which they lie in the file.

    Parameters
    ----------
    path : Path

    Yields
    ------
    (Tensor, ndarray or None)
        An array of the tensor's own type and shape; None where the type is none of `FLOATS`.

    Raises
    ------
    NotSafetensors
    """
    with path.open("rb") as file:
        size = path.stat().st_size
        tensors, begin = _header(file, size)
        for tensor in tensors:
            if tensor.dtype not in FLOATS:
                yield tensor, None
                continue
            file.seek(begin + tensor.start)
            numbers = np.frombuffer(
                bytearray(file.read(tensor.end - tensor.start)), FLOATS[tensor.dtype]
            )
            yield tensor, numbers.reshape(tensor.shape)


def _header(file, size: int) -> tuple[list[Tensor], int]:
    """Return the tensors, sorted by their places, and where the first of them begins."""
    first = file.read(8)
    if len(first) < 8:
        raise NotSafetensors(_("it is shorter than eight bytes"))
    (length,) = struct.unpack("<Q", first)
    if length > min(size - 8, _LONGEST_HEADER):
        raise NotSafetensors(_("its header would be longer than the file"))
    try:
        entries = json.loads(file.read(length))
        tensors = [
            Tensor(
                name,
                entry["dtype"],
                tuple(map(int, entry["shape"])),
                *map(int, entry["data_offsets"]),
            )
            for name, entry in entries.items()
            if name != "__metadata__"
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotSafetensors(_("its header cannot be read")) from error
    tensors.sort(key=lambda tensor: (tensor.start, tensor.end))
    place = 0
    for tensor in tensors:
        if tensor.start != place or tensor.end < place or min(tensor.shape, default=0) < 0:
            text = _("{name} does not begin where the tensor before it ends")
            raise NotSafetensors(text.format(name=tensor.name))
        place = tensor.end
        if tensor.dtype in FLOATS:
            each = np.dtype(FLOATS[tensor.dtype]).itemsize
            if tensor.end - tensor.start != each * math.prod(tensor.shape):
                text = _("{name} has not as many bytes as its shape asks for")
                raise NotSafetensors(text.format(name=tensor.name))
    if 8 + length + place != size:
        text = _("it has {size} bytes, and its header speaks of {other}")
        raise NotSafetensors(text.format(size=size, other=8 + length + place))
    return tensors, 8 + length
