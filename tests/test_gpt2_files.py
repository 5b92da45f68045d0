"""Opening GPT-2 files: the pocket model, the true GPT-2's layout, and files that are broken."""

import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from autograder.exercises.reference_gpt2 import forward
from illustrated_attention.data import data_path
from illustrated_attention.gpt2_files import GPT2Files, load_gpt2, load_pocket, open_gpt2

POCKET = data_path("pocket_gpt2")
ROOT = Path(__file__).parent.parent
GPT2_LIKE = {"n_layer": 2, "n_head": 2, "n_embd": 128, "n_positions": 16, "vocab_size": 50}


def gpt2_tensors(config, prefix="", extras=False):
    """Random tensors in the exact layout of Hugging Face's GPT-2 files."""
    rng = np.random.default_rng(0)
    width = config["n_embd"]
    shapes = {
        "wte.weight": (config["vocab_size"], width),
        "wpe.weight": (config["n_positions"], width),
    }
    for i in range(config["n_layer"]):
        shapes |= {
            f"h.{i}.ln_1.weight": (width,),
            f"h.{i}.ln_1.bias": (width,),
            f"h.{i}.attn.c_attn.weight": (width, 3 * width),
            f"h.{i}.attn.c_attn.bias": (3 * width,),
            f"h.{i}.attn.c_proj.weight": (width, width),
            f"h.{i}.attn.c_proj.bias": (width,),
            f"h.{i}.ln_2.weight": (width,),
            f"h.{i}.ln_2.bias": (width,),
            f"h.{i}.mlp.c_fc.weight": (width, 4 * width),
            f"h.{i}.mlp.c_fc.bias": (4 * width,),
            f"h.{i}.mlp.c_proj.weight": (4 * width, width),
            f"h.{i}.mlp.c_proj.bias": (width,),
        }
    shapes |= {"ln_f.weight": (width,), "ln_f.bias": (width,)}
    tensors = {
        prefix + name: rng.normal(0, 0.02, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    if extras:
        n = config["n_positions"]
        for i in range(config["n_layer"]):
            tensors[f"{prefix}h.{i}.attn.bias"] = np.tril(np.ones((1, 1, n, n), np.float32))
            tensors[f"{prefix}h.{i}.attn.masked_bias"] = np.array(-1e4, np.float32)
        tensors["lm_head.weight"] = tensors[prefix + "wte.weight"].copy()
    return tensors


def folder_with(tmp_path, tensors, config=GPT2_LIKE):
    save_file(tensors, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", **config}))
    return tmp_path


def test_the_pocket_model_opens_as_plain_float32_arrays():
    model = load_pocket()
    assert type(model.params) is dict
    assert {a.dtype for a in model.params.values()} == {np.dtype(np.float32)}
    assert model.config["n_layer"] == 4
    assert model.config["n_head"] == 4
    width = model.config["n_embd"]
    assert model.params["h.0.attn.c_attn.weight"].shape == (width, 3 * width)
    assert len(model.params) == 4 + 12 * model.config["n_layer"]


def test_reading_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['transformers'] = None\n"
        "from illustrated_attention.gpt2_files import load_pocket\n"
        "assert load_pocket().params"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_encode_puts_the_end_of_text_token_first_and_decode_undoes_it():
    model = load_pocket()
    text = "A robot must obey the orders given it"
    ids = model.encode(text)
    assert model.tokens(ids) == ["<|endoftext|>", *text.split()]
    assert model.decode(ids) == text
    assert model.decode(ids[1:]) == text
    assert model.encode("") == ids[:1]


@pytest.mark.parametrize("text", ["Zürich, 東京!", "two  spaces\nand a line", "xyzzy 123"])
def test_any_text_survives_encode_and_decode(text):
    model = load_pocket()
    assert model.decode(model.encode(text)) == text


@pytest.mark.parametrize("prefix", ["", "transformer."])
@pytest.mark.parametrize("extras", [False, True])
def test_the_layout_of_the_true_gpt2_opens(tmp_path, prefix, extras):
    tensors = gpt2_tensors(GPT2_LIKE, prefix, extras)
    model = load_gpt2(folder_with(tmp_path, tensors))
    plain = gpt2_tensors(GPT2_LIKE)
    assert model.config == GPT2_LIKE
    assert set(model.params) == set(plain)
    for name, array in plain.items():
        np.testing.assert_array_equal(model.params[name], array)
    assert forward([1, 2, 3], model.params, model.config).shape == (3, 50)


def test_a_weights_file_alone_opens_with_heads_of_64_and_without_a_tokenizer(tmp_path):
    path = tmp_path / "gpt2.safetensors"
    save_file(gpt2_tensors(GPT2_LIKE), path)
    model = load_gpt2(str(path))
    assert model.config == GPT2_LIKE
    with pytest.raises(ValueError, match="no tokenizer: put its tokenizer"):
        model.encode("robot")


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_float_sizes_are_read_as_float32(tmp_path, dtype):
    tensors = {name: a.astype(dtype) for name, a in gpt2_tensors(GPT2_LIKE).items()}
    params = load_gpt2(folder_with(tmp_path, tensors)).params
    assert params["wte.weight"].dtype == np.float32
    np.testing.assert_allclose(params["wte.weight"], tensors["wte.weight"], atol=1e-6)


def without(name):
    def change(tensors):
        del tensors[name]

    return change


def replaced(name, array):
    def change(tensors):
        tensors[name] = array

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("h.1.mlp.c_fc.bias"), r"the tensor h\.1\.mlp\.c_fc\.bias is missing"),
        (without("wte.weight"), r"the tensor wte\.weight is missing"),
        (
            replaced("h.0.attn.c_attn.weight", np.zeros((384, 128), np.float32)),
            r"h\.0\.attn\.c_attn\.weight has the shape \(384, 128\), but \(128, 384\) was expected",
        ),
        (
            replaced("h.2.ln_1.bias", np.zeros(128, np.float32)),
            r"h\.2\.ln_1\.bias is not part of this GPT-2",
        ),
        (
            replaced("lm_head.weight", np.zeros((50, 128), np.float32)),
            r"lm_head\.weight differs from wte\.weight",
        ),
        (replaced("wte.weight", np.zeros((50, 128), np.int32)), r"wte\.weight is stored as I32"),
    ],
)
def test_a_wrong_tensor_gets_one_clear_sentence(tmp_path, change, message):
    tensors = gpt2_tensors(GPT2_LIKE)
    change(tensors)
    with pytest.raises(ValueError, match=message):
        load_gpt2(folder_with(tmp_path, tensors))


def test_a_weights_file_of_another_model_is_named_as_such(tmp_path):
    save_file({"embed.weight": np.zeros((3, 4), np.float32)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match=r"wte\.weight is missing or not a matrix"):
        load_gpt2(tmp_path / "other.safetensors")


@pytest.mark.parametrize("keep", [0, 5, 1000, -1])
def test_a_truncated_file_gets_one_clear_sentence(tmp_path, keep):
    whole = (POCKET / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:keep])
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load_gpt2(tmp_path)


def test_a_file_that_is_not_safetensors_gets_one_clear_sentence(tmp_path):
    (tmp_path / "model.safetensors").write_text("version https://example.org/pointer\n" * 9)
    with pytest.raises(ValueError, match="not a whole safetensors file"):
        load_gpt2(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"n_layer": "many"}'])
def test_a_broken_config_gets_one_clear_sentence(tmp_path, text):
    folder_with(tmp_path, gpt2_tensors(GPT2_LIKE))
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config\.json is not the config\.json of a GPT-2"):
        load_gpt2(tmp_path)


def test_heads_that_do_not_divide_the_width_are_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be cut into 3 heads"):
        load_gpt2(folder_with(tmp_path, gpt2_tensors(GPT2_LIKE), GPT2_LIKE | {"n_head": 3}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "tokenizer in .* cannot be read"),
        (None, "has no token"),
    ],
)
def test_a_broken_tokenizer_gets_one_clear_sentence(tmp_path, text, message):
    shutil.copytree(POCKET, tmp_path / "model")
    path = tmp_path / "model" / "tokenizer.json"
    path.write_text(text or path.read_text(encoding="utf-8").replace("endoftext", "stop"))
    with pytest.raises(ValueError, match=message):
        load_gpt2(tmp_path / "model")


@pytest.mark.parametrize("name", ["nowhere/at/all", "missing.safetensors", "./gpt2"])
def test_a_path_that_does_not_exist_is_never_looked_up_on_the_hub(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(FileNotFoundError, match="There is no file or folder"):
        load_gpt2(name)


def test_a_folder_without_weights_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no model\.safetensors"):
        load_gpt2(tmp_path)


def test_without_the_extra_the_hub_name_tells_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r'pip install "illustrated-attention\[hub\]"'):
        load_gpt2("openai-community/gpt2")


def fake_hub(monkeypatch, snapshot_download):
    module = types.ModuleType("huggingface_hub")
    module.snapshot_download = snapshot_download
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)


def test_a_hub_name_opens_the_folder_that_the_hub_client_fetched(tmp_path, monkeypatch):
    folder_with(tmp_path, gpt2_tensors(GPT2_LIKE, extras=True))
    asked = []

    def snapshot_download(name, allow_patterns):
        asked.append((name, allow_patterns))
        return str(tmp_path)

    fake_hub(monkeypatch, snapshot_download)
    assert isinstance(load_gpt2("openai-community/gpt2"), GPT2Files)
    assert asked == [
        ("openai-community/gpt2", ["model.safetensors", "config.json", "tokenizer.json"])
    ]


def test_a_hub_that_cannot_be_reached_gets_one_clear_sentence(monkeypatch):
    def snapshot_download(name, allow_patterns):
        raise OSError("no network")

    fake_hub(monkeypatch, snapshot_download)
    with pytest.raises(ConnectionError, match="check its name and the internet connection"):
        load_gpt2("openai-community/gpt2")


def test_the_real_hub_client_without_internet_gets_the_same_sentence(tmp_path):
    pytest.importorskip("huggingface_hub")
    code = (
        "from illustrated_attention.gpt2_files import load_gpt2\n"
        "try:\n"
        "    load_gpt2('nobody/no-such-model')\n"
        "except ConnectionError as error:\n"
        "    print(error)\n"
    )
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], env=offline, cwd=ROOT, capture_output=True, text=True
    )
    assert "check its name and the internet connection" in run.stdout, run.stderr


def test_the_stored_file_is_float16_under_three_megabytes_with_plain_names():
    tensors = load_file(POCKET / "model.safetensors")
    assert {a.dtype for a in tensors.values()} == {np.dtype(np.float16)}
    assert "h.0.attn.c_attn.weight" in tensors
    size = sum(path.stat().st_size for path in POCKET.iterdir())
    assert size < 3_000_000


def test_a_model_that_is_not_named_or_cannot_be_opened_costs_a_sentence_only(tmp_path, capsys):
    assert open_gpt2("") is None
    assert "No model is opened" in capsys.readouterr().out
    assert open_gpt2(tmp_path / "nowhere") is None
    assert "nowhere" in capsys.readouterr().out
