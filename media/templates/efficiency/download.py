"""Fetches the model of model.json into model/ when the image is built; no token is needed or read."""

import json
from pathlib import Path

from huggingface_hub import snapshot_download

if __name__ == "__main__":
    source = json.loads(Path("model.json").read_text(encoding="utf-8"))
    snapshot_download(
        source["repository"],
        revision=source["revision"],
        local_dir="model",
        allow_patterns=["*.json", "*.safetensors", "*.model", "*.txt"],
        token=False,
    )
