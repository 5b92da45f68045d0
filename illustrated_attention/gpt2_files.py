"""Open GPT-2 models: the pocket model of the course, or the true GPT-2 in the same file format.

A model is a safetensors file with Hugging Face's names, a config.json and a tokenizer.json (or the
vocab.json and merges.txt that GPT-2 was published with). Only NumPy is needed to read it: a browser
has nothing else.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from illustrated_attention.data import data_path
from illustrated_attention.language import _

if TYPE_CHECKING:
    from illustrated_attention.byte_pairs import BytePairs

END_OF_TEXT = "<|endoftext|>"
_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
_HUB_FILES = ["model.safetensors", "config.json", "tokenizer.json"]


@dataclass
class GPT2Files:
    """A GPT-2 as read from its files.

    Attributes
    ----------
    params : dict of str to float32 array
        Under Hugging Face's names without the prefix ``transformer.``: ``wte.weight`` [V, D],
        ``wpe.weight`` [N, D], ``h.0.attn.c_attn.weight`` [D, 3D], ..., ``ln_f.bias`` [D].
    config : dict of str to int
        ``n_layer``, ``n_head``, ``n_embd``, ``n_positions``, ``vocab_size``.
    tokenizer : BytePairs or None
        None where a weights file has no tokenizer.json beside it.
    """

    params: dict
    config: dict
    tokenizer: "BytePairs | None" = None

    def encode(self, text: str) -> list[int]:
        """Token ids of a text. The first is always the end-of-text token.

        In training that token stands before every text, so it marks where one begins: the slot
        in front of the first word.
        """
        return [self._end_of_text, *self._need_tokenizer().encode(text)]

    def decode(self, ids) -> str:
        """The text of token ids, without the end-of-text token in front: undoes `encode`."""
        ids = [int(i) for i in ids]
        if ids[:1] == [self._end_of_text]:
            ids = ids[1:]
        return self._need_tokenizer().decode(ids)

    def tokens(self, ids) -> list[str]:
        """Each token's own text, without the space before it, as a label for an axis."""
        texts = [self._need_tokenizer().decode([int(i)]) for i in ids]
        return [text.strip() or repr(text)[1:-1] for text in texts]

    @property
    def _end_of_text(self):
        return self._need_tokenizer().id_of(END_OF_TEXT)

    def _need_tokenizer(self):
        if self.tokenizer is None:
            raise ValueError(
                _("This model has no tokenizer: put its tokenizer.json beside the weights file.")
            )
        return self.tokenizer


def load_pocket() -> GPT2Files:
    """Open the pocket model, the small GPT-2 that comes with the course."""
    return load_gpt2(data_path("pocket_gpt2"))


def pocket_heads() -> dict:
    """Which heads of the pocket model do what.

    Returns
    -------
    dict
        For ``pronoun`` (from "it" to its noun), ``they``, ``she``, ``he``, ``previous_token``,
        ``first_token``, ``previous_note`` and ``copy`` (in a repeated tune): ``layer`` and
        ``head``, counted from 0, and ``weight``, the head's mean weight; or None where no head
        gives a mean weight of 0.5 or more.
    """
    return json.loads(data_path("pocket_gpt2", "heads.json").read_text(encoding="utf-8"))


@dataclass
class RobotSentence:
    """What the pocket model computes for "A robot must obey the orders given it".

    T = 9 tokens, the end-of-text token first; D = 128; d = 32; 4 layers of 4 heads.

    Attributes
    ----------
    text : str
    ids, tokens : list of int, list of str
    x : float32 array [T, D]
        What enters the first layer: wte[ids] + wpe[0:T].
    layer, head : int
        The pronoun head, counted from 0.
    normed : float32 array [T, D]
        What enters that layer's projection to q, k and v: the output of its ln_1.
    q, k, v : float32 array [T, d]
        Of the pronoun head, biases included.
    weights : float32 array [T, T]
        Of the pronoun head, with the causal mask. The last row (the query "it") is the same
        without the mask, since no token comes after it; the rows above are not.
    all_weights : float32 array [4, 4, T, T]
        Of every layer and head, with the causal mask.
    """

    text: str
    ids: list
    tokens: list
    layer: int
    head: int
    x: np.ndarray
    normed: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    weights: np.ndarray
    all_weights: np.ndarray


def robot_sentence() -> RobotSentence:
    """Recorded numbers of the pocket model for the robot sentence."""
    path = data_path("activations", "robot_sentence.json")
    description = json.loads(path.read_text(encoding="utf-8"))
    del description["mask"]
    with np.load(path.with_suffix(".npz")) as arrays:
        return RobotSentence(**description, **arrays)


def held_out_story() -> dict:
    """A story that the pocket model never saw, and how well it predicts it.

    Returns
    -------
    dict
        ``text``, ``ids``, ``predictions`` (how many: all tokens but the first),
        ``loss_nats_a_token`` and ``perplexity``, its exponential.
    """
    return json.loads(data_path("activations", "held_out_story.json").read_text(encoding="utf-8"))


def load_gpt2(path_or_hub_name) -> GPT2Files:
    """Open a GPT-2 from this computer or from the Hugging Face hub.

    Parameters
    ----------
    path_or_hub_name : str or Path
        A folder with model.safetensors, config.json and tokenizer.json (or vocab.json and
        merges.txt); or a .safetensors file (the others are read where they lie beside it); or a
        name on the hub,
        such as ``openai-community/gpt2``, which needs the extra ``[hub]`` and, the first time,
        the internet.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError, ConnectionError
        With one sentence that says what is wrong and what to do.
    """
    path = Path(path_or_hub_name)
    if not path.exists():
        path = _from_hub(str(path_or_hub_name))
    if path.is_dir():
        folder, weights = path, path / "model.safetensors"
        if not weights.exists():
            raise FileNotFoundError(
                _("The folder {folder} holds no model.safetensors.").format(folder=folder)
            )
    else:
        folder, weights = path.parent, path
    params = _read_params(weights)
    config = _read_config(folder / "config.json", weights, params)
    _check_shapes(weights, params, config)
    return GPT2Files(params, config, _read_tokenizer(folder))


def open_gpt2(path_or_hub_name) -> GPT2Files | None:
    """Open a GPT-2 if one is named, and say in a sentence what is in the way.

    Parameters
    ----------
    path_or_hub_name : str or Path
        As `load_gpt2` takes it; empty to open none.

    Returns
    -------
    GPT2Files or None
        None where none is named or it cannot be opened.
    """
    if not path_or_hub_name:
        print(_("No model is opened: nothing stands between the quotes."))
        return None
    try:
        return load_gpt2(path_or_hub_name)
    except (FileNotFoundError, ValueError, ImportError, ConnectionError) as reason:
        print(reason)
        return None


def _from_hub(name):
    if name.endswith(".safetensors") or not _HUB_NAME.fullmatch(name):
        raise FileNotFoundError(_("There is no file or folder {path}.").format(path=name))
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ImportError(
            _(
                "There is no file or folder {name}; to open a model of that name from the "
                'Hugging Face hub, first install the extra: pip install "{package}"'
            ).format(name=name, package="illustrated-attention[hub]")
        ) from None
    try:
        return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except (OSError, ValueError) as error:
        raise ConnectionError(
            _(
                "The model {name} could not be fetched from the Hugging Face hub: check its name "
                "and the internet connection."
            ).format(name=name)
        ) from error


def _read_params(path):
    """All weights as float32; mask buffers and the tied output matrix are left out."""
    # The first cell of every lesson imports this module, and few lessons read a model.
    from illustrated_attention.safetensors_file import FLOATS, NotSafetensors, read_tensors

    params, output = {}, None
    try:
        for tensor, numbers in read_tensors(path):
            name = tensor.name.removeprefix("transformer.")
            if name.endswith((".attn.bias", ".attn.masked_bias")):
                continue  # the causal mask, which some files store
            if numbers is None:
                raise ValueError(
                    _("{path}: {name} is stored as {dtype}; only {known} can be read.").format(
                        path=path, name=tensor.name, dtype=tensor.dtype, known=", ".join(FLOATS)
                    )
                )
            array = np.ascontiguousarray(numbers, dtype=np.float32)
            if name == "lm_head.weight":
                output = array
            else:
                params[name] = array
    except NotSafetensors as error:
        raise ValueError(
            _(
                "{path} is not a whole safetensors file ({reason}): it may be cut off or of "
                "another format; fetch it again."
            ).format(path=path, reason=error)
        ) from None
    tied = params.get("wte.weight")
    if output is not None and (tied is None or not np.array_equal(output, tied)):
        raise ValueError(
            _(
                "{path}: lm_head.weight differs from wte.weight, but GPT-2 uses the same matrix "
                "for its input and its output."
            ).format(path=path)
        )
    return params


def parameter_shapes(config):
    """Every parameter of a GPT-2 and its shape."""
    width = config["n_embd"]
    shapes = {
        "wte.weight": (config["vocab_size"], width),
        "wpe.weight": (config["n_positions"], width),
        "ln_f.weight": (width,),
        "ln_f.bias": (width,),
    }
    for layer in range(config["n_layer"]):
        for part in ("ln_1", "ln_2"):
            shapes[f"h.{layer}.{part}.weight"] = shapes[f"h.{layer}.{part}.bias"] = (width,)
        for part, n_in, n_out in (
            ("attn.c_attn", width, 3 * width),
            ("attn.c_proj", width, width),
            ("mlp.c_fc", width, 4 * width),
            ("mlp.c_proj", 4 * width, width),
        ):
            shapes[f"h.{layer}.{part}.weight"] = (n_in, n_out)
            shapes[f"h.{layer}.{part}.bias"] = (n_out,)
    return shapes


def _read_config(path, weights, params):
    if path.exists():
        try:
            read = json.loads(path.read_text(encoding="utf-8"))
            config = {
                name: int(read[name])
                for name in ("n_layer", "n_head", "n_embd", "n_positions", "vocab_size")
            }
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                _("{path} is not the config.json of a GPT-2: {reason}.").format(
                    path=path, reason=error
                )
            ) from None
    else:  # what the shapes tell; in every GPT-2 of OpenAI's a head has 64 numbers
        for name in ("wte.weight", "wpe.weight"):
            if name not in params or params[name].ndim != 2:
                raise ValueError(_missing(weights, name))
        layers = {int(m[1]) for m in (re.match(r"h\.(\d+)\.", name) for name in params) if m}
        config = {
            "n_layer": len(layers),
            "n_head": params["wte.weight"].shape[1] // 64,
            "n_embd": params["wte.weight"].shape[1],
            "n_positions": params["wpe.weight"].shape[0],
            "vocab_size": params["wte.weight"].shape[0],
        }
    if config["n_head"] < 1 or config["n_embd"] % config["n_head"]:
        raise ValueError(
            _(
                "{path}: a width of {width} cannot be cut into {heads} heads of equal size; "
                "put the right config.json beside the weights file."
            ).format(path=weights, width=config["n_embd"], heads=config["n_head"])
        )
    return config


def _missing(path, name):
    return _(
        "{path}: {name} is missing or not a matrix, so this is not a GPT-2 with Hugging Face's "
        "names."
    ).format(path=path, name=name)


def _check_shapes(path, params, config):
    shapes = parameter_shapes(config)
    for name, shape in shapes.items():
        if name not in params:
            raise ValueError(
                _("{path}: the tensor {name} is missing.").format(path=path, name=name)
            )
        if params[name].shape != shape:
            raise ValueError(
                _("{path}: {name} has the shape {found}, but {expected} was expected.").format(
                    path=path, name=name, found=params[name].shape, expected=shape
                )
            )
    unknown = [name for name in params if name not in shapes]
    if unknown:
        raise ValueError(
            _("{path}: the tensor {name} is not part of this GPT-2.").format(
                path=path, name=unknown[0]
            )
        )


def _read_tokenizer(folder):
    from illustrated_attention.byte_pairs import read_tokenizer

    try:
        tokenizer = read_tokenizer(folder)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            _("The tokenizer in {folder} cannot be read: {reason}.").format(
                folder=folder, reason=error
            )
        ) from None
    if tokenizer is not None and tokenizer.id_of(END_OF_TEXT) is None:
        raise ValueError(
            _("The tokenizer in {folder} has no token {token}, so it is not GPT-2's.").format(
                folder=folder, token=END_OF_TEXT
            )
        )
    return tokenizer
