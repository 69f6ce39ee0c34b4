"""The demo's tokenizer: byte-level BPE in which any text round-trips."""

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

END_OF_TEXT = "<|endoftext|>"
END_OF_TEXT_ID = 0
# The merges spell only the prompts' own words. Those start with a capital, so the words of the tasks stay letters.
KEYWORDS = ("Answer", "Reverse", "Shift")


def build_tokenizer() -> Tokenizer:
    """All 256 bytes are tokens and nothing normalizes, strips or adds; 272 tokens."""
    vocabulary = {END_OF_TEXT: END_OF_TEXT_ID}
    for symbol in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[symbol] = len(vocabulary)
    merges = []
    for keyword in KEYWORDS:
        for end in range(1, len(keyword)):
            merges.append((keyword[:end], keyword[end]))
            vocabulary[keyword[: end + 1]] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(END_OF_TEXT, special=True, normalized=False)])
    return tokenizer


# clean_up_tokenization_spaces would turn " ," into "," when decoding.
TOKENIZER_CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "model_max_length": 2048,
    "clean_up_tokenization_spaces": False,
    "add_bos_token": False,
    "bos_token": END_OF_TEXT,
    "eos_token": END_OF_TEXT,
    "pad_token": END_OF_TEXT,
    "added_tokens_decoder": {
        str(END_OF_TEXT_ID): {
            "content": END_OF_TEXT,
            "lstrip": False,
            "normalized": False,
            "rstrip": False,
            "single_word": False,
            "special": True,
        }
    },
}
