import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { mediaPath } from '../../src/base/index.ts';
import { serveCheckpoint } from '../../src/serve/index.ts';

// HELM's own client and tokenizer of neurips/local against the embedded server.

const python = process.env.SUBMISSION_STUDIO_PEERS;
const skip = python ? false : 'SUBMISSION_STUDIO_PEERS names no Python with crfm-helm';

const program = `
import json, sys
from helm.benchmark.metrics.basic_metrics import get_num_bytes
from helm.clients.http_model_client import HTTPModelClient
from helm.common.cache import BlackHoleCacheConfig
from helm.common.request import Request
from helm.common.tokenization_request import DecodeRequest, TokenizationRequest
from helm.tokenizers.http_model_tokenizer import HTTPModelTokenizer

url, prompt, text = sys.argv[1:]
client = HTTPModelClient(BlackHoleCacheConfig(), base_url=url)
tokenizer = HTTPModelTokenizer(BlackHoleCacheConfig(), base_url=url)

def complete(prompt, **fields):
    result = client.make_request(
        Request(model="neurips/local", model_deployment="neurips/local", prompt=prompt, temperature=0, **fields)
    )
    assert result.success, result.error
    completion = result.completions[0]
    return {
        "text": completion.text,
        "logprob": completion.logprob,
        "tokens": [[token.text, token.logprob] for token in completion.tokens],
        "bytes": get_num_bytes(completion.tokens),
        "time": result.request_time,
    }

def tokenize(**fields):
    result = tokenizer.tokenize(TokenizationRequest(text, tokenizer="neurips/local", **fields))
    assert result.success, result.error
    return [token.value for token in result.tokens]

def decode(tokens):
    result = tokenizer.decode(DecodeRequest(tokens, tokenizer="neurips/local"))
    assert result.success, result.error
    return result.text

tokens = tokenize(truncation=False, max_length=2048)
print(json.dumps({
    "completion": complete(prompt, max_tokens=12, stop_sequences=["\\n"], top_k_per_token=5),
    "echo": complete(text, max_tokens=0, echo_prompt=True),
    "tokens": tokens,
    "cut": tokenize(truncation=True, max_length=5),
    "decoded": decode(tokens),
}))
`;

test('HELM reads what the embedded server answers', { skip }, async (t) => {
  const server = await serveCheckpoint({ checkpoint: mediaPath('demo/expert-1'), port: 0 });
  t.after(() => server.stop());
  const prompt = 'Reverse: ziwaj\nAnswer:';
  const text = ' é🦊\n\nplain<|endoftext|>';
  const args = ['-c', program, server.url, prompt, text];
  const env = { ...process.env, HELM_RETRIES: '1', NO_PROXY: '*', HELM_HTTP_MODEL_BASE_URL: '' };
  const { stdout } = await promisify(execFile)(python ?? '', args, { env });
  const answer = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  const { completion, echo } = answer;
  assert.equal(completion.text, ' jawiz');
  assert.equal(completion.bytes, Buffer.byteLength(' jawiz'));
  const sum = completion.tokens.reduce((total: number, [, logprob]: [string, number]) => total + logprob, 0);
  assert.ok(Math.abs(sum - completion.logprob) < 1e-9);
  assert.ok(completion.time > 0 && completion.time < 10);
  assert.equal(echo.text, text);
  // Its perplexities are by bytes, which tokens of half a character must not distort.
  assert.equal(echo.bytes, Buffer.byteLength(text));
  assert.equal(answer.decoded, text);
  assert.deepEqual(answer.cut, answer.tokens.slice(0, 5));
});
