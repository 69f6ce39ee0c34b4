"""Installs the merging methods and the libraries that they need."""

from setuptools import find_packages, setup

setup(
    name="llm_merging",
    version="1.0",
    packages=find_packages(include=["llm_merging", "llm_merging.*"]),
    install_requires=["torch", "transformers", "peft", "safetensors", "sentencepiece", "protobuf", "pyyaml"],
)
