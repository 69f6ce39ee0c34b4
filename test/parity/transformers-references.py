"""Reference answers for the model's parity tests: tiny random checkpoints and tokenizers, and what transformers and
tokenizers make of them. Called as `transformers-references.py FOLDER DEMO_CHECKPOINT...`; prints one JSON document."""

import json
import sys
from pathlib import Path

import torch
import transformers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

CORPUS = [
    "The quick brown fox jumps over the lazy dog. It isn't the dog's fault; they've all been there, we're told.",
    "def add(a, b):\n    return a + b\n\n\n# 12345 + 67890 = 80235\n",
    "Ünïcödé naïve café, 東京は日本の首都です。 Привет, мир! 🦊🚀",
    "Question: What lights a sky lamp?\nA. Milk\nB. Oil\nC. Sand\nAnswer: B\n",
    # Characters that are a space to Unicode but not to JavaScript, or the other way round.
    "a \ufeff b \ufeff! \ufeff\ufeff c\u0085 d \u0085\u0085 e\u0085f \u180e g" * 8,
] * 4

TEXTS = [
    "",
    " ",
    "a",
    "Hello world",
    " leading and trailing ",
    "two\n\nlines\n\n\n  indented\ttab",
    "It's they're WE'VE I'll don't",
    "12345 67 890,12 3.14 ½ ²³",
    "emoji 🦊 family 👨‍👩‍👧 flag 🇫🇷 skin 👍🏽",
    "e\u0301 composed \u00e9 \ufb01 ligature",
    "a \ufeff b \ufeff! \ufeff\ufeff c\u0085 d \u0085\u0085 e\u0085f \u180e g",
    "nbsp\u00a0here nel\u0085there bom\ufeffinside \ufeffword",
    "\ufeffbom at the start",
    "zero\u200bwidth\u200djoiner \u2028 line sep \u3000 ideographic",
    "tabs\t\tand  double   spaces    here",
    "<|endoftext|>",
    "before <|endoftext|> after<|endoftext|><|endoftext|>",
    "<s>looks like bos</s> <unk>",
    "東京は日本の首都です。中文字符",
    "Привет, мир! مرحبا بالعالم שלום",
    "\x00\x01\x7f control",
    "CRLF\r\nline\r\n\r\nend",
    "a" * 300,
    "🦊" * 20,
    "mixed\u0301\u0302\u0303 marks",
    "x\u00a0\u00a0y \u00a0 z",
    "https://example.org/?q=1&r=2#frag",
    "{\"json\": [1, 2.0e-5, null]}",
    "\n",
    "\n\n \n",
    "Ⅷ ੩ ௧ ๓ numerals",
]

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def special(content):
    return AddedToken(content, special=True, normalized=False)


def train_byte_level(tokenizer):
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=[special("<|endoftext|>")],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def gpt2():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return train_byte_level(tokenizer)


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    train_byte_level(tokenizer)
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing("<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]),
        ]
    )
    return tokenizer


def qwen():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_SPLIT.replace(r"\p{N}{1,3}", r"\p{N}")), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return train_byte_level(tokenizer)


def sentencepiece(metaspace):
    """Llama 2's layout: pieces with a mark for spaces, unknown characters as bytes."""
    scratch = Tokenizer(models.BPE())
    scratch.normalizer = normalizers.Replace(" ", "▁")
    alphabet = sorted(set("".join(CORPUS).replace(" ", "▁")) - set("東京🦊🚀"))
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=alphabet, limit_alphabet=len(alphabet), show_progress=False
    )
    scratch.pre_tokenizer = pre_tokenizers.Metaspace()
    scratch.train_from_iterator(CORPUS, trainer)
    trained = json.loads(scratch.to_str())["model"]
    pieces = [piece for piece, _ in sorted(trained["vocab"].items(), key=lambda item: item[1])]
    pieces = [piece for piece in pieces if not set(piece) & set("東京🦊🚀")]
    names = ["<unk>", "<s>", "</s>"] + [f"<0x{byte:02X}>" for byte in range(256)] + pieces
    vocab = {name: index for index, name in enumerate(names)}
    merges = [tuple(pair) for pair in trained["merges"]]
    merges = [(a, b) for a, b in merges if a in vocab and b in vocab and a + b in vocab]
    model = models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    tokenizer = Tokenizer(model)
    if metaspace:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens([special("<unk>"), special("<s>"), special("</s>")])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def tokenizer_cases(folder):
    makers = {
        "gpt2": gpt2,
        "llama3": llama3,
        "qwen": qwen,
        "sentencepiece": lambda: sentencepiece(False),
        "metaspace": lambda: sentencepiece(True),
    }
    cases = []
    for name, make in makers.items():
        target = folder / f"tokenizer-{name}"
        target.mkdir()
        make().save(str(target / "tokenizer.json"))
        (target / "tokenizer_config.json").write_text(
            json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": True})
        )
        cases.append((name, target))
    return cases


def tokenizer_answers(name, folder):
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    texts = []
    for text in TEXTS:
        ids = tokenizer(text)["input_ids"]
        plain = tokenizer(text, add_special_tokens=False)["input_ids"]
        texts.append(
            {
                "text": text,
                "ids": ids,
                "decoded": tokenizer.decode(plain, skip_special_tokens=False),
                "completion": tokenizer.decode(plain, skip_special_tokens=True),
                # A completion that ends within a character.
                "cut": tokenizer.decode(plain[: len(plain) // 2], skip_special_tokens=True),
            }
        )
    return {"name": name, "folder": str(folder), "texts": texts}


SMALL = dict(
    vocab_size=420,
    hidden_size=48,
    intermediate_size=96,
    num_hidden_layers=3,
    num_attention_heads=6,
    num_key_value_heads=2,
    max_position_embeddings=512,
    bos_token_id=None,
    eos_token_id=None,
    pad_token_id=None,
)


def model_cases():
    from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

    old_scaling = {
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }
    return [
        ("llama bf16", LlamaConfig(**SMALL), torch.bfloat16, {}),
        ("llama f16 sharded", LlamaConfig(**SMALL), torch.float16, {"shards": "60KB"}),
        (
            "llama tied, llama3 scaling as before transformers 5",
            LlamaConfig(**SMALL, tie_word_embeddings=True),
            torch.float32,
            {"config": {"rope_scaling": old_scaling, "rope_theta": 500000.0, "rope_parameters": None}},
        ),
        (
            "llama with biases, linear scaling, one key head, head size apart",
            LlamaConfig(
                **{**SMALL, "num_key_value_heads": 1, "head_dim": 24},
                attention_bias=True,
                mlp_bias=True,
                rope_parameters={"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0},
            ),
            torch.bfloat16,
            {},
        ),
        ("mistral with a window", MistralConfig(**SMALL, sliding_window=16), torch.bfloat16, {}),
        ("mistral without a window", MistralConfig(**SMALL, sliding_window=None), torch.float32, {}),
        (
            "qwen2 tied, window from the second layer",
            Qwen2Config(
                **SMALL, tie_word_embeddings=True, use_sliding_window=True, sliding_window=20, max_window_layers=1
            ),
            torch.bfloat16,
            {},
        ),
        ("qwen3", Qwen3Config(**SMALL, head_dim=16, attention_bias=True), torch.bfloat16, {}),
    ]


def make_model(config, dtype, folder, options):
    torch.manual_seed(len(str(config)))
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Wide enough that every part of the model shows in the result.
            parameter.normal_(1.0 if "norm" in name else 0.0, 0.15)
    model.to(dtype).save_pretrained(folder, max_shard_size=options.get("shards", "5GB"))
    if changes := options.get("config"):
        path = folder / "config.json"
        values = {**json.loads(path.read_text()), **changes}
        path.write_text(json.dumps({key: value for key, value in values.items() if value is not None}))


def model_answers(name, folder, prompts):
    tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    model.eval()
    answers = []
    for prompt in prompts:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        with torch.no_grad():
            output = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False, pad_token_id=0
            )
            logprobs = torch.log_softmax(model(output).logits[0].double(), -1)
        start = ids.shape[1]
        chosen = logprobs[:-1].gather(1, output[0, 1:, None])[:, 0]
        top = logprobs[start - 1].topk(5)
        answers.append(
            {
                "prompt": prompt,
                "ids": output[0, start:].tolist(),
                "text": tokenizer.decode(output[0, start:], skip_special_tokens=True),
                "promptLogprobs": [0.0, *chosen[: start - 1].tolist()],
                "logprobs": chosen[start - 1 :].tolist(),
                "top": dict(zip(map(str, top.indices.tolist()), top.values.tolist())),
                "eos": model.generation_config.eos_token_id,
            }
        )
    return {"name": name, "folder": str(folder), "prompts": answers}


def main():
    folder = Path(sys.argv[1])
    demos = [Path(path) for path in sys.argv[2:]]
    cases = tokenizer_cases(folder)
    tokenizers = [tokenizer_answers(name, path) for name, path in [*cases, ("demo", demos[0])]]
    prompts = [
        "The quick brown fox",
        "Question: What lights a sky lamp?\nA. Milk\nB. Oil\nAnswer:",
        # Longer than one run of the prompt, than the windows and than the unscaled context.
        "The lazy dog jumps over 12345 foxes, and they've all been there. " * 15,
    ]
    answers = []
    for index, (name, config, dtype, options) in enumerate(model_cases()):
        target = folder / f"model-{index}"
        make_model(config, dtype, target, options)
        for file in (folder / "tokenizer-gpt2").iterdir():
            (target / file.name).write_bytes(file.read_bytes())
        answers.append(model_answers(name, target, prompts))
    demo_prompts = ["Reverse: planet\nAnswer:", "Shift: planet\nAnswer:", "Reverse: abc\nAnswer: cba\n\nReverse: lamp\nAnswer:"]
    for demo in demos:
        answers.append(model_answers(f"demo {demo.name}", demo, demo_prompts))
    print(json.dumps({"tokenizers": tokenizers, "models": answers}))


main()
