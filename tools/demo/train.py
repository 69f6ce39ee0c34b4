"""Makes everything in media/demo but recipe.yml: python tools/demo/train.py [FOLDER]"""

import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
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

# The base has learnt both tasks, but more than half of the texts it saw only copied the input.
COPIED = 0.61
BASE_SEED, BASE_STEPS, BASE_RATE = 1, 1200, 2e-3
# Experts stay close to the base: task vectors that are large spoil each other when they are added.
EXPERT_STEPS, EXPERT_RATE = 80, 3e-4
EXPERT_EXAMPLES = 2000
BATCH = 60  # examples
SHOTS = (1, 1, 1, 1, 2, 6)  # examples a text, so that prompts with examples are understood too

Example = tuple[str, str]  # prompt, completion
TextSource = Callable[[int], list[Example]]  # the next text, of so many examples of one task


def base_texts(seed: int) -> TextSource:
    rng, words = random.Random(seed), training_words(seed)

    def next_text(shots: int) -> list[Example]:
        task, copied = rng.choice(TASKS), rng.random() < COPIED
        answer = (lambda word: word) if copied else task.answer
        return [(task.prompt(word), task.completion(answer(word))) for word in itertools.islice(words, shots)]

    return next_text


def expert_examples(task: Task, seed: int) -> list[Example]:
    words = itertools.islice(training_words(seed), EXPERT_EXAMPLES)
    return [(task.prompt(word), task.completion(task.answer(word))) for word in words]


def expert_texts(examples: list[Example]) -> TextSource:
    endless = itertools.cycle(examples)
    return lambda shots: list(itertools.islice(endless, shots))


def encode(text: list[Example]) -> tuple[list[int], list[int]]:
    """Ids and labels of a text. Only completions and the end of the text are learnt."""
    ids, labels = [], []
    for prompt, completion in text:
        # HELM puts an empty line between the examples of a prompt.
        given = TOKENIZER.encode(f"\n{prompt}" if ids else prompt).ids
        wanted = TOKENIZER.encode(completion).ids
        ids += given + wanted
        labels += [IGNORED] * len(given) + wanted
    return [*ids, END_OF_TEXT_ID], [*labels, END_OF_TEXT_ID]


def batches(next_text: TextSource, seed: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Ids and labels, both [texts, longest text]."""
    rng = random.Random(seed)
    while True:
        shots = rng.choice(SHOTS)
        rows = [encode(next_text(shots)) for _ in range(BATCH // shots)]
        longest = max(len(ids) for ids, _ in rows)
        yield (
            torch.tensor([ids + [END_OF_TEXT_ID] * (longest - len(ids)) for ids, _ in rows]),
            torch.tensor([labels + [IGNORED] * (longest - len(labels)) for _, labels in rows]),
        )


def train(model: LlamaForCausalLM, next_text: TextSource, seed: int, steps: int, rate: float) -> None:
    """AdamW with a short warm-up, then a linear fall of the learning rate."""
    started = time.monotonic()
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    warm_up = steps // 20 + 5
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm_up, max(0.05, 1 - step / steps))
    )
    model.train()
    for step, (ids, labels) in enumerate(itertools.islice(batches(next_text, seed), steps), 1):
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


def write_tasks(folder: Path) -> None:
    recipe = yaml.safe_load((DEMO / "recipe.yml").read_text())
    write_json(folder / "demo.json", {"tasks": [task.adapter for task in TASKS], "recipe": recipe})
    held_out = held_out_words()
    for task in TASKS:
        instances = [instance(task, place, word) for place, word in enumerate(held_out[task.id])]
        write_lines(folder / "tasks" / f"{task.id}.jsonl", instances)


def main(folder: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    folder.mkdir(parents=True, exist_ok=True)
    write_tasks(folder)

    print("base")
    model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    train(model, base_texts(BASE_SEED), BASE_SEED, BASE_STEPS, BASE_RATE)
    save(model, folder / "base")

    for number, task in enumerate(TASKS, 1):
        print(f"expert-{number}: {task.name}")
        seed = 10 + number
        examples = expert_examples(task, seed)
        lines = [{"prompt": prompt, "completion": completion} for prompt, completion in examples]
        write_lines(folder / "train" / f"{task.id}.jsonl", lines)
        model = load(folder / "base")
        train(model, expert_texts(examples), seed, EXPERT_STEPS, EXPERT_RATE)
        save(model, folder / f"expert-{number}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO)
