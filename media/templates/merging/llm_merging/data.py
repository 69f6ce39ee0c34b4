"""Data sets as CSV: id, input, target, answer_choices, eval_type, in any order of columns."""

import ast
import csv
import sys

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))


class Dataset:
    """The rows of a CSV file as dictionaries. `answer_choices` is a list, or missing where there are none."""

    def __init__(self, dataset_filepath):
        with open(dataset_filepath, newline="", encoding="utf-8") as file:
            self.rows = [self._row(row) for row in csv.DictReader(file)]

    @staticmethod
    def _row(row):
        choices = row.pop("answer_choices", None)
        if choices and choices != "None":
            row["answer_choices"] = ast.literal_eval(choices)
        return row

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]
