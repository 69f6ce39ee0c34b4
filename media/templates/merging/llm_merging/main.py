"""Merges models with one of the methods, then predicts on the data sets."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from llm_merging.evaluation import evaluate_model
from llm_merging.merging import RecipeMerge


def all_merge_handlers():
    """The methods by the name that -m takes."""
    return {
        "recipe_merge": RecipeMerge,
    }


def main():
    methods = all_merge_handlers()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-m", "--merging_method", required=True, choices=sorted(methods))
    parser.add_argument("--dataset_filepaths", nargs="+", default=sorted(map(str, Path("data/validation").glob("*.csv"))))
    parser.add_argument("--output_folder", default="output")
    args = parser.parse_args()

    method = methods[args.merging_method](args.merging_method)
    method.merge()
    evaluate_model(method, args.dataset_filepaths, args.output_folder)


if __name__ == "__main__":
    main()
