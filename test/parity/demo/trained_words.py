"""Prints the words of all examples that the base was trained on. PYTHONPATH has tools/demo."""

import json

from train import BASE_SEED, BASE_STEPS, BATCH, base_texts

# The words come in one order, whatever the number of examples a text.
next_text = base_texts(BASE_SEED)
prompts = {next_text(1)[0][0] for _ in range(BASE_STEPS * BATCH)}
print(json.dumps(sorted({prompt.split()[1] for prompt in prompts})))
