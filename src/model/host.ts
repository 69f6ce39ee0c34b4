// The process of one model: loads it, generates what it is asked for, and ends when its parent does.
import { join } from 'node:path';
import { errorDetails, type Progress } from '../base/index.ts';
import { readJsonObject } from '../checkpoint/index.ts';
import { Decoder, type DecoderOptions } from './decoder.ts';
import { type Generator, generate } from './generate.ts';
import { type FromHost, type ToHost, toFailure } from './protocol.ts';
import { loadTokenizer } from './tokenizer.ts';

function send(message: FromHost): void {
  process.send?.(message);
}

/** The ids that begin and end a text, by config.json and generation_config.json. */
async function readSpecialIds(folder: string): Promise<Pick<Generator, 'beginId' | 'endIds'>> {
  const generation = readJsonObject(join(folder, 'generation_config.json'), 'generation_config.json');
  const configs = await Promise.all([
    readJsonObject(join(folder, 'config.json'), 'config.json'),
    generation.catch(() => ({}) as Record<string, unknown>),
  ]);
  const isId = (id: unknown) => typeof id === 'number';
  const beginId = configs.map((config) => config.bos_token_id).find(isId);
  const endIds = new Set(configs.flatMap((config) => config.eos_token_id).filter(isId));
  return { endIds, ...(beginId === undefined ? {} : { beginId }) };
}

async function load(folder: string, options: DecoderOptions): Promise<Generator> {
  const [decoder, tokenizer, ids] = await Promise.all([
    Decoder.open(folder, options),
    loadTokenizer(folder),
    readSpecialIds(folder),
  ]);
  return { decoder, tokenizer, ...ids };
}

let generator: Promise<Generator> | undefined;
let queue: Promise<void> = Promise.resolve();
const running = new Map<number, AbortController>();

async function answer(message: ToHost & { kind: 'generate' }, signal: AbortSignal): Promise<void> {
  const { id, request, wantsProgress } = message;
  try {
    if (!generator) throw new Error('no model was loaded');
    const options = {
      signal,
      ...(wantsProgress
        ? { onProgress: (progress: Progress) => send({ kind: 'progress', id, progress }) }
        : {}),
    };
    send({ kind: 'generated', id, generation: await generate(await generator, request, options) });
  } catch (error) {
    send({ kind: 'failed', id, failure: toFailure(error, errorDetails(error)) });
  } finally {
    running.delete(id);
  }
}

process.on('message', (message: ToHost) => {
  switch (message.kind) {
    case 'load':
      generator = load(message.folder, message);
      generator.then(
        ({ decoder: { config } }) =>
          send({ kind: 'loaded', architecture: config.architecture, contextTokens: config.contextTokens }),
        (error) => send({ kind: 'unloadable', failure: toFailure(error, errorDetails(error)) }),
      );
      break;
    case 'generate': {
      const controller = new AbortController();
      running.set(message.id, controller);
      queue = queue.then(() => answer(message, controller.signal));
      break;
    }
    case 'cancel':
      running.get(message.id)?.abort();
      break;
  }
});

// Ctrl-C reaches every process of the terminal; the parent decides what it means.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
