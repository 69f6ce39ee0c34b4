import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { fromSystemError, parseWith, UserError } from '../base/index.ts';
import { readJsonObject } from './json.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import type { Checkpoint, TensorInfo } from './types.ts';

const weightsFile = 'model.safetensors';
const indexFile = 'model.safetensors.index.json';

/** Lists a folder that must exist; the error says what was expected there. */
export async function listFolder(folder: string, what: string): Promise<string[]> {
  try {
    const info = await stat(folder);
    if (!info.isDirectory()) {
      throw new UserError(`${what} is a file, not a folder`, {
        place: { file: folder },
        remedy: 'Name the folder that holds config.json and the weights.',
      });
    }
    return (await readdir(folder)).sort();
  } catch (error) {
    throw fromSystemError(error, `${what} cannot be read`, folder);
  }
}

/** Why a folder without safetensors weights cannot be used, by what is there instead. */
function withoutWeights(folder: string, names: readonly string[]): UserError {
  const pickle = names.find((name) => /\.(bin|pt|pth|ckpt)$/.test(name));
  const gguf = names.find((name) => name.endsWith('.gguf'));
  const shard = names.find((name) => name.endsWith('.safetensors'));
  const fail = (why: string, remedy: string) =>
    new UserError(`The checkpoint has no weights that can be read: ${why}`, {
      place: { file: folder },
      remedy,
    });
  if (shard !== undefined) {
    return fail(
      `there is ${shard}, but neither ${weightsFile} nor ${indexFile}`,
      `Rename a single file to ${weightsFile}, or add the index of the shards.`,
    );
  }
  if (names.includes('adapter_config.json')) {
    return fail(
      'it is an adapter without its adapter_model.safetensors',
      'Save the adapter again with safe_serialization=True.',
    );
  }
  if (pickle !== undefined) {
    return fail(
      `${pickle} is a Python pickle, which can run code when it is opened`,
      'Save the model again with save_pretrained(folder, safe_serialization=True).',
    );
  }
  if (gguf !== undefined)
    return fail(`${gguf} is a GGUF file`, 'Use the original checkpoint in safetensors.');
  return fail(`there is no ${weightsFile} in it`, 'Name a folder in Hugging Face layout.');
}

/** Reads the headers of all shards of an index and checks that index and shards agree. */
async function readShards(folder: string): Promise<{ tensors: TensorInfo[]; files: string[] }> {
  const file = join(folder, indexFile);
  const { weight_map: map } = parseWith(
    // Made here and not above, so that the merge workers, which read no index, are built without the validator.
    z.object({ weight_map: z.record(z.string(), z.string()) }),
    await readJsonObject(file, 'The index of the shards'),
    'The index of the shards',
    { file },
  );
  const shards = [...new Set(Object.values(map))];
  if (shards.length === 0)
    throw new UserError('The index of the shards lists no tensor', { place: { file } });
  const tensors: TensorInfo[] = [];
  for (const shard of shards) {
    if (shard !== basename(shard) || shard.includes('\\') || shard.startsWith('.')) {
      throw new UserError(
        `The index of the shards names ${JSON.stringify(shard)}, which is no file beside it`,
        {
          place: { file, field: 'weight_map' },
        },
      );
    }
    const header = await readSafetensorsHeader(join(folder, shard)).catch((error: unknown) => {
      if (
        error instanceof UserError &&
        (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
      ) {
        throw new UserError(`The shard ${shard} is missing, which ${indexFile} lists`, {
          place: { file: join(folder, shard) },
          remedy: 'Download the rest of the model.',
          cause: error,
        });
      }
      throw error;
    });
    const held = new Map(header.tensors.map((tensor) => [tensor.name, tensor]));
    for (const [name, where] of Object.entries(map)) {
      if (where !== shard) continue;
      const tensor = held.get(name);
      if (tensor === undefined) {
        throw new UserError(`The index says that tensor ${name} is in ${shard}, but it is not there`, {
          place: { file, field: name },
          remedy: 'Download index and shards again; they belong to different versions.',
        });
      }
      tensors.push(tensor);
    }
  }
  return { tensors, files: shards.map((shard) => join(folder, shard)) };
}

/** Reads the headers of a folder's weights: one file, or shards with their index. */
export async function readWeights(
  folder: string,
  names: readonly string[],
): Promise<{ tensors: TensorInfo[]; files: string[] }> {
  // The same order of preference as transformers.
  if (names.includes(weightsFile)) {
    const file = join(folder, weightsFile);
    return { tensors: [...(await readSafetensorsHeader(file)).tensors], files: [file] };
  }
  if (names.includes(indexFile)) return readShards(folder);
  throw withoutWeights(folder, names);
}

/**
 * Opens a folder in Hugging Face layout: reads config.json and the headers of all weight files, and checks them.
 * No weights are loaded. Throws a usage error that names the file when something is missing or damaged.
 */
export async function openCheckpoint(path: string): Promise<Checkpoint> {
  const folder = resolve(path);
  const names = await listFolder(folder, 'The checkpoint');
  if (!names.includes('config.json')) {
    if (names.includes('adapter_config.json')) {
      throw new UserError('This is an adapter, not a whole model', {
        place: { file: folder },
        remedy: 'Use a checkpoint into which the adapter was merged.',
      });
    }
    if (!names.some((name) => name.endsWith('.safetensors'))) throw withoutWeights(folder, names);
    throw new UserError('The checkpoint has no config.json', {
      place: { file: folder },
      remedy: 'Copy the config.json of the model into the folder.',
    });
  }
  const config = await readJsonObject(join(folder, 'config.json'), "The checkpoint's config.json");
  const { tensors, files } = await readWeights(folder, names);
  return { folder, config, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])), files };
}
