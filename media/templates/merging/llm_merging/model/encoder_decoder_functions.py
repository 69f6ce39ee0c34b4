"""Prediction with encoder-decoder models, as the competition scores them."""

import torch


def predict_multiple_choice(model, tokenizer, batch):
    """The index of the choice with the highest log-probability of all its tokens, its end included, and all of them."""
    prompt = tokenizer(batch["input"], return_tensors="pt").to(model.device)
    scores = []
    for choice in batch["answer_choices"][0]:
        labels = tokenizer(text_target=choice, return_tensors="pt").input_ids.to(model.device)
        logits = model(**prompt, labels=labels).logits.float()
        scores.append(logits.log_softmax(-1).gather(-1, labels[:, :, None]).sum())
    scores = torch.stack(scores)[None]
    return scores.argmax(-1), scores


def generate(model, tokenizer, batch, max_gen_len):
    """Greedy output: token ids and text."""
    prompt = tokenizer(batch["input"], return_tensors="pt").to(model.device)
    ids = model.generate(**prompt, max_new_tokens=max_gen_len, do_sample=False)
    return ids, tokenizer.batch_decode(ids, skip_special_tokens=True)
