"""The model: completions with log-probabilities, tokens and text."""

import threading

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, StoppingCriteria, StoppingCriteriaList

from api import ProcessRequest, Token

# HELM sends a temperature of 0 as 1e-07; dividing by it overflows.
GREEDY_BELOW = 1e-3
# Negative infinity is no JSON.
LOWEST_LOGPROB = -1e4
# Tokens of prompt and completion that the organizers send.
CONTEXT = 2048


class StopAtText(StoppingCriteria):
    """Ends the generation once a stop sequence stands in the text."""

    def __init__(self, decode, prompt_length, stops):
        self.decode = decode
        self.prompt_length = prompt_length
        self.stops = stops

    def __call__(self, input_ids, scores, **kwargs):
        text = self.decode(input_ids[0, self.prompt_length :].tolist())
        return any(stop in text for stop in self.stops)


class Generator:
    def __init__(self, folder):
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(self.device).eval()
        self.context = min(CONTEXT, getattr(self.model.config, "max_position_embeddings", None) or CONTEXT)
        # The token that the model expects before every text, where it does.
        self.start = [token for token in self.tokenizer("").input_ids if token == self.tokenizer.bos_token_id][:1]
        self.lock = threading.Lock()

    def encode(self, text):
        return self.tokenizer(text, add_special_tokens=False).input_ids

    def decode(self, tokens):
        return self.tokenizer.decode(tokens, clean_up_tokenization_spaces=False)

    def _completion_text(self, tokens):
        return self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _prompt(self, request: ProcessRequest):
        """Token ids of the prompt, its end when it is too long for what is asked."""
        room = max(1, self.context - request.max_new_tokens - len(self.start))
        ids = self.start + self.encode(request.prompt)[-room:]
        return ids or [self.tokenizer.bos_token_id or self.tokenizer.eos_token_id or 0]

    def _tokens(self, ids, logits, count):
        """Each token with its log-probability and those of the `count` most likely ones in its place."""
        if len(ids) == 0:
            return []
        logprobs = logits.float().log_softmax(-1).nan_to_num(nan=LOWEST_LOGPROB).clamp(min=LOWEST_LOGPROB)
        chosen = logprobs[torch.arange(len(ids)), torch.tensor(ids, device=logprobs.device)].tolist()
        best = logprobs.topk(max(1, min(count, logprobs.shape[-1])), dim=-1)
        candidates = zip(best.indices.tolist(), best.values.tolist())
        return [
            Token(
                text=self.decode([token]),
                logprob=logprob,
                top_logprob={self.decode([index]): value for index, value in zip(indices, values)},
            )
            for token, logprob, (indices, values) in zip(ids, chosen, candidates)
        ]

    def _generate(self, prompt, request: ProcessRequest):
        """New token ids, without the end of the text, and the logits that each was chosen from."""
        if request.max_new_tokens == 0:
            return [], None
        sampling = {"do_sample": False}
        if request.temperature >= GREEDY_BELOW:
            sampling = {"do_sample": True, "temperature": request.temperature, "top_p": min(request.top_p, 1.0), "top_k": 0}
        if request.seed is not None:
            torch.manual_seed(request.seed)
        stops = [stop for stop in request.stop_sequences if stop]
        output = self.model.generate(
            torch.tensor([prompt], device=self.device),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long, device=self.device),
            max_new_tokens=min(request.max_new_tokens, max(1, self.context - len(prompt))),
            pad_token_id=self.tokenizer.pad_token_id or self.tokenizer.eos_token_id or 0,
            stopping_criteria=StoppingCriteriaList(
                [StopAtText(self._completion_text, len(prompt), stops)] if stops else []
            ),
            return_dict_in_generate=True,
            output_logits=True,
            **sampling,
        )
        ids = output.sequences[0, len(prompt) :].tolist()
        ends = self.model.generation_config.eos_token_id
        ends = set(ends if isinstance(ends, list) else [ends]) | {self.tokenizer.eos_token_id}
        if ids and ids[-1] in ends:
            ids.pop()
        return ids, torch.stack([step[0] for step in output.logits[: len(ids)]]) if ids else None

    def _cut(self, ids, stops):
        """The text before the first stop sequence, and how many tokens it takes."""
        text = self._completion_text(ids)
        found = [text.find(stop) for stop in stops if stop and stop in text]
        if not found:
            return text, len(ids)
        text = text[: min(found)]
        count = next((n for n in range(len(ids) + 1) if len(self._completion_text(ids[:n])) >= len(text)), len(ids))
        return text, count

    @torch.inference_mode()
    def complete(self, request: ProcessRequest):
        """The completion's text and tokens; with `echo_prompt` those of the prompt come first."""
        with self.lock:
            prompt = self._prompt(request)
            ids, logits = self._generate(prompt, request)
            text, count = self._cut(ids, request.stop_sequences)
            tokens = self._tokens(ids[:count], None if logits is None else logits[:count], request.top_k_per_token)
            if not request.echo_prompt:
                return text, tokens
            # Nothing precedes the first token, so it has no log-probability.
            before = self.model(torch.tensor([prompt], device=self.device)).logits[0, :-1]
            return request.prompt + text, self._tokens(prompt[1:], before, request.top_k_per_token) + tokens
