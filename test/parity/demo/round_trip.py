"""Reads a JSON list of texts; prints for each checkpoint what AutoTokenizer makes of them: round_trip.py CHECKPOINT…"""

import json
import sys

from transformers import AutoTokenizer

given = json.load(sys.stdin)
answers = []
for checkpoint in sys.argv[1:]:
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    ids = [tokenizer(text).input_ids for text in given]
    texts = [tokenizer.decode(each) for each in ids]
    end, longest = tokenizer.eos_token_id, tokenizer.model_max_length
    answers.append({"ids": ids, "texts": texts, "end": end, "longest": longest})
json.dump(answers, sys.stdout)
