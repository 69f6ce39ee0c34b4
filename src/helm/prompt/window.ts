import { codePointLength, dropLastCodePoint } from '../python/text.ts';
import { type PromptParts, promptText } from './layout.ts';

/** HELM's window of `neurips/local`: prompt and completion together, in the server's own tokens. */
export const windowTokens = 2048;

/** The server's tokenizer, as HELM asks it. */
export interface WindowTokenizer {
  /** Tokens of the whole text. */
  countTokens(text: string): Promise<number>;
  /** The text cut to `maxTokens` by the server: tokenized with truncation, then decoded. */
  cut(text: string, maxTokens: number): Promise<string>;
}

export interface FittedPrompt {
  readonly text: string;
  /** Tokens of `text`, where fitting has counted just this text. */
  readonly tokens?: number;
  readonly examples: number;
  readonly truncated: boolean;
}

/**
 * Fits a prompt into the window as HELM does: examples leave from the end one by one, and a prompt without examples
 * always goes through the server's truncation and back, where a lossy /decode can change it. A result without any
 * text counts as truncated, but the full prompt is sent.
 */
export async function fitPrompt(parts: PromptParts, tokenizer: WindowTokenizer): Promise<FittedPrompt> {
  const limit = windowTokens - parts.adapter.max_tokens;
  for (let examples = parts.examples.length; examples > 0; examples--) {
    const text = promptText(parts, examples);
    const tokens = await tokenizer.countTokens(text);
    if (tokens <= limit) return { text, tokens, examples, truncated: false };
  }
  const text = promptText(parts, 0);
  let cut = await tokenizer.cut(text, limit);
  let tokens = await tokenizer.countTokens(cut);
  while (tokens > limit && cut !== '') {
    cut = dropLastCodePoint(cut);
    tokens = await tokenizer.countTokens(cut);
  }
  const truncated = codePointLength(cut) < codePointLength(text);
  const sent = truncated && cut !== '' ? cut : text;
  return { text: sent, ...(sent === cut ? { tokens } : {}), examples: 0, truncated };
}

/** For prompts without an endpoint: every prompt fits. */
export const unlimitedWindow: WindowTokenizer = {
  countTokens: () => Promise.resolve(0),
  cut: (text) => Promise.resolve(text),
};
