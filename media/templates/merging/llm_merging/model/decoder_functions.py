"""Prediction with decoder models, as the competition scores them."""

import torch


def _tokens(tokenizer, text, device, **options):
    return tokenizer(text, return_tensors="pt", **options).input_ids.to(device)


def predict_multiple_choice(model, tokenizer, batch):
    """
    The index of the choice with the highest log-probability, and the log-probability of each. The first token of a
    choice is not scored and its end is: so the competition's code counts.
    """
    prompt = _tokens(tokenizer, batch["input"][0], model.device)
    end = torch.tensor([[tokenizer.eos_token_id]], device=model.device)
    scores = []
    for choice in batch["answer_choices"][0]:
        target = torch.cat([_tokens(tokenizer, choice, model.device, add_special_tokens=False), end], dim=1)
        logits = model(torch.cat([prompt, target], dim=1)).logits[:, prompt.shape[1] : -1].float()
        scored = target[:, 1:, None]
        scores.append(logits.log_softmax(-1).gather(-1, scored).sum())
    scores = torch.stack(scores)[None]
    return scores.argmax(-1), scores


def generate(model, tokenizer, batch, max_gen_len):
    """Greedy continuation: token ids and text, both without the prompt."""
    prompt = tokenizer(batch["input"], return_tensors="pt").to(model.device)
    ids = model.generate(
        input_ids=prompt.input_ids,
        attention_mask=prompt.attention_mask,
        max_new_tokens=max_gen_len,
        do_sample=False,
        pad_token_id=tokenizer.pad_token_id,
    )[:, prompt.input_ids.shape[1] :]
    return ids, tokenizer.batch_decode(ids, skip_special_tokens=True)
