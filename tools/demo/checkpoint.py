"""A demo checkpoint: its architecture, and its folder in Hugging Face layout."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizer import END_OF_TEXT_ID, TOKENIZER_CONFIG, build_tokenizer
from transformers import LlamaForCausalLM

# Small, but with what larger models have: grouped-query attention, a gated MLP, an output layer of its own.
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": END_OF_TEXT_ID,
    "eos_token_id": END_OF_TEXT_ID,
    "head_dim": 32,
    "hidden_act": "silu",
    "hidden_size": 128,
    "initializer_range": 0.02,
    "intermediate_size": 192,
    "max_position_embeddings": 2048,
    "mlp_bias": False,
    "model_type": "llama",
    "num_attention_heads": 4,
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "pretraining_tp": 1,
    "rms_norm_eps": 1e-05,
    "rope_scaling": None,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "use_cache": True,
    "vocab_size": 272,
}
GENERATION_CONFIG = {"bos_token_id": END_OF_TEXT_ID, "eos_token_id": END_OF_TEXT_ID, "pad_token_id": END_OF_TEXT_ID}


def write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n")


def save(model: LlamaForCausalLM, folder: Path) -> None:
    """Writes the model, rounded to bf16, with its configuration and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", CONFIG)
    write_json(folder / "generation_config.json", GENERATION_CONFIG)
    write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG)
    build_tokenizer().save(str(folder / "tokenizer.json"), pretty=False)


def load(folder: Path) -> LlamaForCausalLM:
    """The checkpoint's bf16 weights as f32."""
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
