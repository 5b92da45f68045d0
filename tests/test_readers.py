"""The course's own readers of safetensors files and of GPT-2's tokenizer agree with the libraries.

The libraries are for these tests only: learners need NumPy and no more.
"""

import json
import random
import unicodedata

import numpy as np
import pytest
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from illustrated_attention.byte_pairs import read_tokenizer
from illustrated_attention.data import data_path
from illustrated_attention.safetensors_file import NotSafetensors, read_tensors

POCKET = data_path("pocket_gpt2")


def read(path):
    return {tensor.name: numbers for tensor, numbers in read_tensors(path)}


def assert_same(path):
    ours, theirs = read(path), load_file(path)
    assert set(ours) == set(theirs)
    for name, expected in theirs.items():
        assert ours[name].dtype == expected.dtype, name
        assert ours[name].shape == expected.shape, name
        assert ours[name].tobytes() == expected.tobytes(), name


def test_every_tensor_of_the_pocket_model_is_the_same():
    assert_same(POCKET / "model.safetensors")


def test_every_shape_and_kind_of_float_is_the_same(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(30):
        tensors = {
            f"tensor {i}": rng.normal(size=rng.integers(0, 5, rng.integers(0, 4))).astype(kind)
            for i, kind in enumerate(rng.choice(["f2", "f4", "f8"], 6))
        }
        tensors["special"] = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-40], "f4")
        path = tmp_path / f"{number}.safetensors"
        save_file(tensors, path, metadata={"format": "np"})
        assert_same(path)


def with_header(path, text, numbers=b""):
    header = text.encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + numbers)
    return path


def entry(shape, start, end, kind="F32"):
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("header", "numbers"),
    [
        ("", b""),
        ("[]", b""),
        ("{", b""),
        (json.dumps({"a": {"dtype": "F32"}}), b""),
        (json.dumps({"a": entry([2], 0, 4)}), bytes(4)),  # half of what the shape asks for
        (json.dumps({"a": entry([2], 0, 8)}), bytes(4)),  # cut off
        (json.dumps({"a": entry([1], 0, 4)}), bytes(8)),  # bytes that belong to nobody
        (json.dumps({"a": entry([1], 4, 8)}), bytes(8)),  # a gap before it
        (json.dumps({"a": entry([1], 0, 4), "b": entry([1], 0, 4)}), bytes(4)),  # one over another
        (json.dumps({"a": entry([-1], 0, -4)}), b""),
        (json.dumps({"a": entry("x", 0, 4)}), bytes(4)),
    ],
)
def test_what_the_library_refuses_is_refused(tmp_path, header, numbers):
    path = with_header(tmp_path / "a.safetensors", header, numbers)
    with pytest.raises(SafetensorError):
        load_file(path)
    with pytest.raises(NotSafetensors):
        read(path)


# -- the tokenizer ---------------------------------------------------------------------------


ASSIGNED = [
    chr(code)
    for code in range(0x30000)
    if unicodedata.category(chr(code))[0] != "C" or code in (0, 9, 10, 13, 0x1C, 0x200D, 0xAD)
]


def some_texts(count, seed=0):
    """Texts of all scripts, with odd spaces, numbers, signs, endings and the added token."""
    rng = random.Random(seed)
    common = [
        *"abcdefghijklmnopqrstuvwxyzABCXYZ0123456789 .,;:!?-'\"\n\t_äßé",
        *(
            "'s",
            "'t",
            "'re",
            "'ve",
            "'m",
            "'ll",
            "'d",
            "'S",
            " ",
            "  ",
            "\n\n",
            "²",
            "½",
            "Ⅷ",
            "一",
        ),
        *("A robot", " must obey", " the orders", " given", " it", "<|endoftext|>", "<|endof"),
        *("\x85", "\xa0", "\u2028", "\u3000", "\u200b", "\x1c", "e\u0301", "👩\u200d👩", "नि"),
    ]
    kinds = [common, common, ASSIGNED, common + ASSIGNED[:3000]]
    for _text in range(count):
        signs = rng.choice(kinds)
        yield "".join(rng.choices(signs, k=rng.randrange(40)))


def assert_same_tokens(folder, texts):
    ours, theirs = read_tokenizer(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    rng, count = random.Random(1), theirs.get_vocab_size()
    for text in texts:
        ids = theirs.encode(text).ids
        assert ours.encode(text) == ids, text
        assert ours.decode(ids) == text
        any_ids = rng.choices(range(count + 3), k=rng.randrange(9))
        assert ours.decode(any_ids) == theirs.decode(any_ids, skip_special_tokens=False)


def test_the_pocket_models_tokens_are_the_same():
    assert_same_tokens(POCKET, some_texts(2_000))


@pytest.fixture(scope="module")
def like_gpt2(tmp_path_factory):
    """A folder with a tokenizer made like GPT-2's, learned on many scripts, in all its files."""
    folder = tmp_path_factory.mktemp("like_gpt2")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2_000,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(some_texts(1_500, seed=2), trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    tokenizer.model.save(str(folder))  # vocab.json and merges.txt
    return folder


def test_a_larger_vocabularys_tokens_are_the_same(like_gpt2):
    assert_same_tokens(like_gpt2, some_texts(2_000, seed=3))


def test_a_long_piece_without_a_space_is_the_same_and_takes_no_time(like_gpt2):
    rng = random.Random(4)
    long = "".join(rng.choices("abcdefgh", k=20_000))
    assert_same_tokens(like_gpt2, [long, "a" * 20_000])


def test_gpt2s_own_two_files_do_as_well(like_gpt2, tmp_path):
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((like_gpt2 / name).read_bytes())
    assert (tmp_path / "merges.txt").read_text(encoding="utf-8").startswith("#version")
    whole, parts = read_tokenizer(like_gpt2), read_tokenizer(tmp_path)
    for text in some_texts(300, seed=5):
        assert parts.encode(text) == whole.encode(text)


def test_merges_written_as_one_string_do_as_well(tmp_path):
    """So are those of the tokenizer.json that GPT-2 has on the hub."""
    description = json.loads((POCKET / "tokenizer.json").read_text(encoding="utf-8"))
    description["model"]["merges"] = [" ".join(pair) for pair in description["model"]["merges"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(description), encoding="utf-8")
    assert_same_tokens(tmp_path, some_texts(200))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("normalizer", {"type": "NFC"}),
        ("pre_tokenizer", {"type": "Whitespace"}),
        ("decoder", {"type": "WordPiece"}),
        ("model", {"type": "WordPiece", "vocab": {}}),
    ],
)
def test_another_kind_of_tokenizer_is_refused_and_not_misread(tmp_path, part, value):
    description = json.loads((POCKET / "tokenizer.json").read_text(encoding="utf-8"))
    description[part] = value
    (tmp_path / "tokenizer.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(ValueError, match=f"its {part} is not GPT-2's"):
        read_tokenizer(tmp_path)
