"""Words and the two string tasks of the demo. Everything here is a pure function of the seeds."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

CONSONANTS = "bcdfghjklmnprstvwz"
VOWELS = "aeiou"
HELD_OUT_PER_TASK = 250
HELD_OUT_SEED = 2024


@dataclass(frozen=True)
class Task:
    """One string task, its prompt in the terms of HELM's generation adapter."""

    id: str
    name: str
    title: str
    answer: Callable[[str], str]

    @property
    def adapter(self) -> dict[str, object]:
        """What demo.json says of the task: the text fields of an AdapterSpec."""
        return {
            "id": self.id,
            "name": self.name.lower(),
            "title": self.title,
            "instructions": "",
            "input_prefix": f"{self.name}: ",
            "input_suffix": "\n",
            "output_prefix": "Answer: ",
            "output_suffix": "\n",
            "stop": ["\n"],
            "max_tokens": 12,
        }

    def prompt(self, word: str) -> str:
        """The zero-shot prompt; HELM drops white space at its end."""
        return f"{self.name}: {word}\nAnswer:"

    def completion(self, answer: str) -> str:
        """What has to follow a prompt, up to and with the line's end that stops it."""
        return f" {answer}\n"


def reverse(word: str) -> str:
    return word[::-1]


def shift(word: str) -> str:
    """Every letter becomes the next one of the alphabet, z becomes a."""
    return "".join(chr((ord(letter) - ord("a") + 1) % 26 + ord("a")) for letter in word)


TASKS = (
    Task("task1", "Reverse", "Write the word backwards", reverse),
    Task("task2", "Shift", "Replace every letter by the next one of the alphabet", shift),
)


def invented_words(seed: int) -> Iterator[str]:
    """Pronounceable words of four to eight letters, endless, with repetitions."""
    rng = random.Random(seed)
    while True:
        start = rng.randrange(2)
        yield "".join(rng.choice((CONSONANTS, VOWELS)[(start + at) % 2]) for at in range(rng.randint(4, 8)))


def held_out_words() -> dict[str, list[str]]:
    """The words of the held-out instances by task id, all different.

    Palindromes are left out: copying the input must never be the right answer, in either task.
    """
    chosen: dict[str, None] = {}
    for word in invented_words(HELD_OUT_SEED):
        if word != reverse(word):
            chosen[word] = None
        if len(chosen) == len(TASKS) * HELD_OUT_PER_TASK:
            break
    words = list(chosen)
    return {task.id: words[place :: len(TASKS)] for place, task in enumerate(TASKS)}


def training_words(seed: int) -> Iterator[str]:
    """Words to train on, endless; no held-out word of either task is among them."""
    kept_back = {word for words in held_out_words().values() for word in words}
    return (word for word in invented_words(seed) if word not in kept_back)


def instance(task: Task, place: int, word: str) -> dict[str, object]:
    """A held-out instance as HELM writes one."""
    return {
        "input": {"text": word},
        "references": [{"output": {"text": task.answer(word)}, "tags": ["correct"]}],
        "split": "test",
        "id": f"id{place}",
    }
