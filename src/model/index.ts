export { loadModel } from './load.ts';
export { loadTokenizer, type Tokenizer } from './tokenizer.ts';
export type {
  GeneratedToken,
  GenerateRequest,
  Generation,
  LanguageModel,
  ModelOptions,
  Provider,
} from './types.ts';
