"""Choose the model to ship: `python -m training.choose runs/seed1 runs/seed2 runs/seed3`.

Every run is measured on the validation stories; the rule of `training.evaluate.choose` picks one,
and its files are copied to data/pocket_gpt2, with the measurements of all runs in seeds.json.
"""

import json
import shutil
import sys
from pathlib import Path

from illustrated_attention.data import data_path
from illustrated_attention.gpt2_files import load_gpt2
from training.evaluate import VALIDATION, choose, criteria, measure

FILES = ("model.safetensors", "config.json", "tokenizer.json", "training.json")


def main(folders):
    runs = {}
    for folder in map(Path, folders):
        training = json.loads((folder / "training.json").read_text(encoding="utf-8"))
        measured = measure(load_gpt2(folder), VALIDATION)
        runs[str(training["seed"])] = {
            "folder": folder,
            "minutes": training["minutes"],
            "sha256": training["sha256"]["model.safetensors"],
            "criteria": criteria(measured),
            "measured": measured,
        }
        print("seed", training["seed"], criteria(measured), flush=True)
    chosen = choose({seed: run["measured"] for seed, run in runs.items()})
    home = data_path("pocket_gpt2")
    home.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(runs[chosen]["folder"] / name, home / name)
    for run in runs.values():
        del run["folder"]
    record = {"chosen": chosen, "runs": runs}
    (home / "seeds.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print("chosen: seed", chosen)


if __name__ == "__main__":
    main(sys.argv[1:])
