"""What every method of merging has in common: loading, prediction, saving."""

import os

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

from llm_merging.model import decoder_functions, encoder_decoder_functions


class Merges:
    """A method sets the attributes, fills `merged_model` and `base_model` in `merge()`, and leaves the rest as it is."""

    def __init__(self, name):
        self.name = name
        # Models to merge: (name on the Hub or folder, revision or None).
        self.list_models = []
        self.base_model_name = None
        self.base_model_revision_id = None
        self.is_peft = False
        self.architecture = "decoder"
        self.max_seq_len = None
        self.max_gen_len = 64
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

        self.loaded_models = {}
        self.loaded_configs = {}
        self.merged_model = {}
        self.base_model = None
        self.input_tokenizer = None

    def get_name(self):
        return self.name

    def merge(self):
        raise NotImplementedError

    def _auto_class(self):
        return AutoModelForSeq2SeqLM if self.architecture == "encoder_decoder" else AutoModelForCausalLM

    def _source(self, name, revision):
        """What `from_pretrained` takes; the token only when there is one."""
        return {
            "pretrained_model_name_or_path": name,
            "revision": revision or "main",
            "token": os.environ.get("HF_AUTH_TOKEN") or None,
        }

    def _load_huggingface_models_and_configs(self):
        """Fills `loaded_models` (name -> state dict on the CPU) and `loaded_configs`."""
        for name, revision in self.list_models:
            if self.is_peft:
                from peft import PeftConfig, load_peft_weights

                token = os.environ.get("HF_AUTH_TOKEN") or None
                self.loaded_models[name] = load_peft_weights(name, device="cpu", revision=revision, token=token)
                self.loaded_configs[name] = PeftConfig.from_pretrained(name, revision=revision, token=token)
            else:
                model = self._auto_class().from_pretrained(**self._source(name, revision), dtype="auto")
                self.loaded_models[name] = model.state_dict()
                self.loaded_configs[name] = AutoConfig.from_pretrained(**self._source(name, revision))

    def _load_base_model(self):
        source = self._source(self.base_model_name, self.base_model_revision_id)
        self.base_model = self._auto_class().from_pretrained(**source, dtype="auto").to(self.device)

    def _load_tokenizer(self):
        options = {} if self.max_seq_len is None else {"model_max_length": self.max_seq_len}
        source = self._source(self.base_model_name, self.base_model_revision_id)
        self.input_tokenizer = AutoTokenizer.from_pretrained(**source, padding_side="left", **options)
        if self.input_tokenizer.pad_token_id is None:
            self.input_tokenizer.pad_token_id = self.input_tokenizer.eos_token_id

    def _functions(self):
        return encoder_decoder_functions if self.architecture == "encoder_decoder" else decoder_functions

    def predict_multiple_choice(self, batch):
        return self._functions().predict_multiple_choice(self.base_model, self.input_tokenizer, batch)

    def generate(self, batch):
        return self._functions().generate(self.base_model, self.input_tokenizer, batch, self.max_gen_len)

    def save_model(self, output_dir):
        """Writes the merged weights; the name is the kit's, the format is safetensors."""
        os.makedirs(output_dir, exist_ok=True)
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in self.merged_model.items()}
        save_file(tensors, os.path.join(output_dir, "safetensor.pt"), metadata={"format": "pt"})
