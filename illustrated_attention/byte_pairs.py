"""GPT-2's tokenizer: byte-level byte pair encoding.

A text becomes token ids in three steps.

1. It is cut into pieces, `_pieces`: words with the space before them, numbers, runs of other
   signs, white space. No token reaches over the border of a piece.
2. A piece is written as UTF-8 bytes. Each byte has a printable letter of its own, so that tokens
   can be shown: a space is ``Ġ``. 256 letters are enough for any text of any language.
3. Neighbours that stand in the list of merges are joined, the pair that is highest in the list
   first, until no pair is in it. What is left are the tokens.

What stands in the list of added tokens, such as ``<|endoftext|>``, is found before all this.
"""

import heapq
import json
import re
import unicodedata
from pathlib import Path


class BytePairs:
    """A vocabulary with its merges.

    Parameters
    ----------
    vocabulary : dict of str to int
        From a token, written in the letters of bytes, to its id.
    merges : list of (str, str)
        Pairs that are joined, the most important first.
    added : dict of str to int
        Tokens that are found in a text as they stand.
    """

    def __init__(self, vocabulary, merges, added):
        self.vocabulary, self.added = vocabulary, added
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._tokens = {id: token for token, id in {**vocabulary, **added}.items()}
        longest_first = sorted(added, key=len, reverse=True)
        self._added = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text."""
        ids, done = [], 0
        for found in self._added.finditer(text):
            ids += self._encode_plain(text[done : found.start()])
            ids.append(self.added[found[0]])
            done = found.end()
        return ids + self._encode_plain(text[done:])

    def decode(self, ids) -> str:
        """Return the text of token ids; ids that no token has are left out.

        Bytes that are no UTF-8, as in half a letter, are shown as U+FFFD.
        """
        spelled = b"".join(_bytes_of(self._tokens[id]) for id in ids if id in self._tokens)
        return spelled.decode("utf-8", errors="replace")

    def id_of(self, token: str) -> int | None:
        """Return the id of a token as it stands in the vocabulary, or None."""
        return self.added.get(token, self.vocabulary.get(token))

    def _encode_plain(self, text):
        ids = []
        for piece in _pieces(text):
            letters = [_LETTERS[byte] for byte in piece.encode("utf-8")]
            # A letter without an id is left out: GPT-2's vocabulary has one for each byte.
            ids += [self.vocabulary[t] for t in self._merged(letters) if t in self.vocabulary]
        return ids

    def _merged(self, parts):
        """Join the pairs of a piece; at each step the highest in the list, the leftmost of it."""
        after = [*range(1, len(parts)), -1]
        before = [-1, *range(len(parts) - 1)]
        waiting: list[tuple[int, int, tuple[str, str]]] = []

        def consider(left):
            right = after[left] if left >= 0 else -1
            if right >= 0:
                pair = parts[left], parts[right]
                if pair in self._ranks:
                    heapq.heappush(waiting, (self._ranks[pair], left, pair))

        for left in range(len(parts)):
            consider(left)
        while waiting:
            _rank, left, pair = heapq.heappop(waiting)
            right = after[left]
            if right < 0 or (parts[left], parts[right]) != pair:
                continue  # one of the two was joined to another in the meantime
            parts[left], parts[right] = pair[0] + pair[1], ""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
            after[right] = -1
            consider(before[left])
            consider(left)
        return [part for part in parts if part]


def read_tokenizer(folder: Path) -> BytePairs | None:
    """Return the tokenizer of a folder; None if it holds none.

    Parameters
    ----------
    folder : Path
        With a tokenizer.json, or with vocab.json and merges.txt, as GPT-2 was published.

    Raises
    ------
    ValueError, KeyError, TypeError, AttributeError
        If a file is not what its name says, or asks for what GPT-2's tokenizer does not do.
    """
    whole, vocabulary, merges = (
        folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt")
    )
    if whole.exists():
        return _from_description(json.loads(whole.read_text(encoding="utf-8")))
    if vocabulary.exists() and merges.exists():
        ids = json.loads(vocabulary.read_text(encoding="utf-8"))
        lines = merges.read_text(encoding="utf-8").split("\n")
        pairs = [line for line in lines if line and not line.startswith("#version")]
        added = {token: id for token, id in ids.items() if token == "<|endoftext|>"}
        return BytePairs(ids, [_pair(line) for line in pairs], added)
    return None


def _from_description(read) -> BytePairs:
    model, cut = read["model"], read["pre_tokenizer"]
    as_gpt2_does = {
        "model": model.get("type", "BPE") == "BPE" and not model.get("ignore_merges"),
        "pre_tokenizer": cut["type"] == "ByteLevel"
        and not cut["add_prefix_space"]
        and cut.get("use_regex", True),
        "normalizer": read.get("normalizer") is None,
        "decoder": read["decoder"]["type"] == "ByteLevel",
        "added_tokens": not any(
            token[flag]
            for token in read["added_tokens"]
            for flag in ("single_word", "lstrip", "rstrip")
        ),
    }
    for part, fits in as_gpt2_does.items():
        if not fits:
            raise ValueError(f"its {part} is not GPT-2's")
    added = {token["content"]: token["id"] for token in read["added_tokens"]}
    return BytePairs(model["vocab"], [_pair(pair) for pair in model["merges"]], added)


def _pair(pair) -> tuple[str, str]:
    """A merge is a pair, in older files one string with a space in it."""
    left, right = pair.split(" ") if isinstance(pair, str) else pair
    return left, right


# -- pieces ----------------------------------------------------------------------------------

_ENDINGS = re.compile("'(?:s|t|re|ve|m|ll|d)")
# Of letters L, numbers N, other signs *, the space and other white space, which is written _.
_KINDS = re.compile(r" ?L+| ?N+| ?\*+|[ _]+(?![^ _])|[ _]+")
_WHITE = frozenset("\t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)


def _pieces(text):
    """Yield the pieces of a text: GPT-2's regular expression.

    Python's own ``re`` does not know the classes "letter" and "number" of that expression, so it
    is applied to a text of the same length that has one sign for each class.
    """
    kinds = "".join(map(_kind, text))
    place = 0
    while found := _ENDINGS.match(text, place) or _KINDS.match(kinds, place):
        yield text[place : found.end()]
        place = found.end()


def _kind(sign):
    if sign == " ":
        return sign
    if sign in _WHITE:
        return "_"
    category = unicodedata.category(sign)[0]
    return category if category in "LN" else "*"


# -- bytes -----------------------------------------------------------------------------------


def _letters_of_bytes():
    """Each byte's letter: its own where that is printable and no space, else one from U+0100 on."""
    own = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in own]
    return {byte: chr(byte) for byte in own} | {
        byte: chr(0x100 + place) for place, byte in enumerate(others)
    }


_LETTERS = _letters_of_bytes()
_BYTES = {letter: byte for byte, letter in _LETTERS.items()}


def _bytes_of(token):
    """An added token may have letters that stand for no byte; it is then spelled as it is."""
    if all(letter in _BYTES for letter in token):
        return bytes(_BYTES[letter] for letter in token)
    return token.encode("utf-8")
