"""Scores the demo checkpoints and mergekit's merge of them: python tools/demo/evaluate.py [--json] [FOLDER]"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch
from checkpoint import load
from transformers import AutoTokenizer

DEMO = Path(__file__).parents[2] / "media" / "demo"
RESAMPLES = 2000


def merge(demo: Path, work: Path) -> Path:
    """Runs the demo's recipe with mergekit on the CPU; returns the merged checkpoint's folder."""
    (work / "models").symlink_to(demo.resolve())
    program = [sys.executable, "-m", "mergekit.scripts.run_yaml", "--quiet", "--no-cuda"]
    # The model card would look the models up on the hub.
    arguments = ["--no-write-model-card", "models/recipe.yml", "merged"]
    subprocess.run([*program, *arguments], cwd=work, check=True, stdout=sys.stderr)
    return work / "merged"


def read_task(demo: Path, adapter: dict) -> list[tuple[str, str]]:
    """Prompt and expected answer of each held-out instance, put together as HELM does it without examples."""
    instances = [json.loads(line) for line in (demo / "tasks" / f"{adapter['id']}.jsonl").read_text().splitlines()]
    before, after = adapter["input_prefix"], adapter["input_suffix"] + adapter["output_prefix"].rstrip()
    return [(before + each["input"]["text"] + after, each["references"][0]["output"]["text"]) for each in instances]


@torch.no_grad()
def exact_matches(checkpoint: Path, adapter: dict, task: list[tuple[str, str]]) -> numpy.ndarray:
    """1 where the greedy completion, cut at the stop sequence and stripped, is the expected answer, else 0."""
    model, tokenizer = load(checkpoint).eval(), AutoTokenizer.from_pretrained(checkpoint)
    prompts = [tokenizer(prompt).input_ids for prompt, _ in task]
    hits = numpy.zeros(len(task))
    # Prompts of one length at a time need no padding, so each is answered as it would be alone.
    for length in sorted(set(map(len, prompts))):
        places = [place for place, prompt in enumerate(prompts) if len(prompt) == length]
        ids = torch.tensor([prompts[place] for place in places])
        outputs = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=adapter["max_tokens"], do_sample=False
        )
        for place, output in zip(places, outputs):
            completion = tokenizer.decode(output[length:], skip_special_tokens=True)
            hits[place] = completion.split(adapter["stop"][0])[0].strip() == task[place][1]
    return hits


def interval(tasks: list[numpy.ndarray]) -> dict[str, float]:
    """Mean over the tasks of the mean over their instances, with its 95 % percentile bootstrap interval.

    Instances are drawn again within each task: the tasks are fixed, their instances are the sample.
    """
    rng = numpy.random.default_rng(0)
    resampled = [hits[rng.integers(0, len(hits), (RESAMPLES, len(hits)))].mean(axis=1) for hits in tasks]
    low, high = numpy.percentile(numpy.mean(resampled, axis=0), [2.5, 97.5])
    return {"value": float(numpy.mean([hits.mean() for hits in tasks])), "low": float(low), "high": float(high)}


def evaluate(demo: Path) -> list[dict]:
    """One row a checkpoint: its name and the interval of each task and of their mean."""
    adapters = json.loads((demo / "demo.json").read_text())["tasks"]
    tasks = [read_task(demo, adapter) for adapter in adapters]
    rows = []
    with tempfile.TemporaryDirectory() as work:
        merged = merge(demo, Path(work))
        for checkpoint in (demo / "base", demo / "expert-1", demo / "expert-2", merged):
            hits = [exact_matches(checkpoint, adapter, task) for adapter, task in zip(adapters, tasks)]
            scores = {adapter["id"]: interval([each]) for adapter, each in zip(adapters, hits)}
            rows.append({"row": checkpoint.name, **scores, "mean": interval(hits)})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Exact match of the demo checkpoints on the held-out instances.")
    parser.add_argument("folder", type=Path, nargs="?", default=DEMO)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args()
    torch.set_num_threads(2)
    rows = evaluate(options.folder)
    if options.json:
        print(json.dumps(rows))
        return
    columns = list(rows[0])[1:]
    print("| checkpoint | " + " | ".join(columns) + " |")
    print("|---|" + "---|" * len(columns))
    for row in rows:
        cells = (f"{row[name]['value']:.3f} ({row[name]['low']:.3f} to {row[name]['high']:.3f})" for name in columns)
        print(f"| {row['row']} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
