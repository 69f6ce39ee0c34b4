from llm_merging.merging.RecipeMerge import RecipeMerge

__all__ = ["RecipeMerge"]
