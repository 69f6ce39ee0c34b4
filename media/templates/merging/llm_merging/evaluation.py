"""Predicts on data sets, one row at a time, and says how many predictions hit the target."""

import csv
import json
import os

import torch

from llm_merging.data import Dataset


def predict(method, row):
    """The prediction for one row: the index of a choice, or generated text."""
    batch = {key: [value] for key, value in row.items()}
    if row["eval_type"] == "multiple_choice":
        predicted, _ = method.predict_multiple_choice(batch)
        return str(int(predicted[0]))
    _, texts = method.generate(batch)
    return texts[0]


def evaluate_dataset(method, dataset_filepath):
    with torch.inference_mode():
        return [{**row, "prediction": predict(method, row)} for row in Dataset(dataset_filepath)]


def score(rows):
    """The share of rows whose prediction is the target, where there is one."""
    known = [row for row in rows if row.get("target") not in (None, "")]
    hits = sum(row["prediction"].strip() == row["target"].strip() for row in known)
    return {"rows": len(rows), "exact_match": hits / len(known) if known else None}


def evaluate_model(method, dataset_filepaths, output_folder):
    method_folder = os.path.join("output", method.get_name())
    method.save_model(method_folder)
    os.makedirs(output_folder, exist_ok=True)
    scores = {}
    for path in dataset_filepaths:
        rows = evaluate_dataset(method, path)
        name = os.path.basename(path)
        with open(os.path.join(output_folder, name), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "prediction", "dummy_field"])
            writer.writerows([row["id"], row["prediction"], 0] for row in rows)
        scores[name] = score(rows)
        print(f"{name}: {scores[name]}")
    with open(os.path.join(method_folder, "scores.json"), "w", encoding="utf-8") as file:
        json.dump(scores, file, indent=2)
    return scores
