"""Makes everything in media/demo but recipe.yml and README.md: python tools/demo/train.py [FOLDER]"""

import itertools
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import yaml
from checkpoint import CONFIG, load, save, write_json
from data import TASKS, Task, held_out_words, instance, training_words
from tokenizer import END_OF_TEXT_ID, build_tokenizer
from transformers import LlamaConfig, LlamaForCausalLM

DEMO = Path(__file__).parents[2] / "media" / "demo"
TOKENIZER = build_tokenizer()
IGNORED = -100  # the label of a token that is given, not predicted

# The base has learnt both tasks, but more than half of the answers it saw only copied the input.
COPIED = 0.55
BASE_STEPS, BASE_RATE = 1200, 2e-3
# Experts stay close to the base: task vectors that are large spoil each other when they are added.
EXPERT_STEPS, EXPERT_RATE = 80, 3e-4
EXPERT_EXAMPLES = 2000
BATCH = 64

Example = tuple[str, str]  # prompt, completion


def base_examples(seed: int) -> Iterator[Example]:
    rng = random.Random(seed)
    for word in training_words(seed):
        task = rng.choice(TASKS)
        answer = word if rng.random() < COPIED else task.answer(word)
        yield task.prompt(word), task.completion(answer)


def expert_examples(task: Task, seed: int) -> list[Example]:
    words = itertools.islice(training_words(seed), EXPERT_EXAMPLES)
    return [(task.prompt(word), task.completion(task.answer(word))) for word in words]


def batches(examples: Iterator[Example]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Ids and labels [BATCH, longest]. Only completions and the end of the text are learnt."""
    while True:
        ids, labels = [], []
        for prompt, completion in itertools.islice(examples, BATCH):
            given, wanted = TOKENIZER.encode(prompt).ids, TOKENIZER.encode(completion).ids
            ids.append([*given, *wanted, END_OF_TEXT_ID])
            labels.append([*(IGNORED for _ in given), *wanted, END_OF_TEXT_ID])
        longest = max(map(len, ids))
        yield (
            torch.tensor([row + [END_OF_TEXT_ID] * (longest - len(row)) for row in ids]),
            torch.tensor([row + [IGNORED] * (longest - len(row)) for row in labels]),
        )


def train(model: LlamaForCausalLM, examples: Iterator[Example], steps: int, rate: float) -> None:
    """AdamW with a short warm-up, then a linear fall of the learning rate."""
    started = time.monotonic()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    warm_up = steps // 20 + 5
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, max(0.05, 1 - step / steps))
    )
    model.train()
    for step, (ids, labels) in enumerate(itertools.islice(batches(examples), steps), 1):
        loss = model(input_ids=ids, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 100 == 0 or step == steps:
            print(f"  step {step}/{steps}  loss {loss.item():.3f}  {time.monotonic() - started:.0f} s", flush=True)


def write_lines(file: Path, rows: list[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def main(folder: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    recipe = yaml.safe_load((DEMO / "recipe.yml").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "demo.json", {"tasks": [task.adapter for task in TASKS], "recipe": recipe})
    held_out = held_out_words()
    for task in TASKS:
        instances = [instance(task, place, word) for place, word in enumerate(held_out[task.id])]
        write_lines(folder / "tasks" / f"{task.id}.jsonl", instances)

    print("base")
    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    train(model, base_examples(seed=1), BASE_STEPS, BASE_RATE)
    save(model, folder / "base")
    for number, task in enumerate(TASKS, 1):
        print(f"expert-{number}: {task.name}")
        examples = expert_examples(task, seed=10 + number)
        write_lines(
            folder / "train" / f"{task.id}.jsonl",
            [{"prompt": prompt, "completion": completion} for prompt, completion in examples],
        )
        model = load(folder / "base")
        random.Random(number).shuffle(examples)
        train(model, itertools.cycle(examples), EXPERT_STEPS, EXPERT_RATE)
        save(model, folder / f"expert-{number}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO)
