"""Runs recipe.yml: a weighted average, or a weighted sum of differences to a base."""

from pathlib import Path

import torch
import yaml

from llm_merging.merging.Merges import Merges

ROOT = Path(__file__).resolve().parents[2]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def parse_model(text):
    """A model of the recipe as (folder or name on the Hub, revision)."""
    name, _, revision = text.partition("@")
    folder = ROOT / name
    return (str(folder) if folder.is_dir() else name), revision or None


class RecipeMerge(Merges):
    def __init__(self, name):
        super().__init__(name)
        self.recipe = yaml.safe_load((ROOT / "recipe.yml").read_text(encoding="utf-8"))
        if self.recipe["merge_method"] not in ("linear", "task_arithmetic"):
            raise ValueError(f"recipe.yml: this method runs linear and task_arithmetic, not {self.recipe['merge_method']}")
        self.list_models = [parse_model(entry["model"]) for entry in self.recipe["models"]]
        base = self.recipe.get("base_model") or self.recipe["models"][0]["model"]
        self.base_model_name, self.base_model_revision_id = parse_model(base)

    def merge(self):
        self._load_huggingface_models_and_configs()
        self._load_base_model()
        self._load_tokenizer()
        weights = [float(entry["parameters"]["weight"]) for entry in self.recipe["models"]]
        dtype = DTYPES[self.recipe.get("out_dtype") or self.recipe.get("dtype") or "bfloat16"]
        base = self.base_model.state_dict()
        models = [self.loaded_models[name] for name, _ in self.list_models]
        for key, base_tensor in base.items():
            tensors = [model[key].float() for model in models]
            self.merged_model[key] = self._combine(base_tensor.cpu().float(), tensors, weights).to(dtype)
        self.base_model.load_state_dict(self.merged_model)
        self.base_model.eval()
        return self.base_model

    def _combine(self, base, tensors, weights):
        if self.recipe["merge_method"] == "linear":
            total = sum(weight * tensor for weight, tensor in zip(weights, tensors))
            return total / sum(weights) if self.recipe.get("parameters", {}).get("normalize", True) else total
        return base + sum(weight * (tensor - base) for weight, tensor in zip(weights, tensors))
