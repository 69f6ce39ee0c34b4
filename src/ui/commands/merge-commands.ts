import { join, relative, sep } from 'node:path';
import * as vscode from 'vscode';
import { cancelledError, formatBytes, plural, UserError, writeFileAtomic } from '../../base/index.ts';
import type { MergeMethod, MergeResult } from '../../merge/index.ts';
import { type CommandTable, textOf, textsOf } from '../command-table.ts';
import { openAt } from '../failures.ts';
import { commandIds } from '../ids.ts';
import { askAll, askOne } from '../questions.ts';
import type { Services } from '../services.ts';
import { settings } from '../settings.ts';
import { exists, mergeOutput, readFolderContents } from '../submissions/folder.ts';
import { runTask } from '../tasks/client.ts';
import { inspectionText } from '../texts.ts';
import { targetOf } from './target.ts';

/** The text of a new recipe; paths are relative to the folder that it goes to. */
export function recipeText(
  method: Pick<MergeMethod, 'name' | 'title' | 'formula' | 'inputs'>,
  models: readonly string[],
  base: string | undefined,
): string {
  const weight = Number((1 / models.length).toFixed(2));
  return [
    `# ${method.title}: ${method.formula}`,
    `merge_method: ${method.name}`,
    ...(base === undefined ? [] : [`base_model: ${JSON.stringify(base)}`]),
    'models:',
    ...models.flatMap((model) => [
      `  - model: ${JSON.stringify(model)}`,
      '    parameters:',
      `      weight: ${weight}`,
    ]),
    'dtype: float32',
    'out_dtype: bfloat16',
    '',
  ].join('\n');
}

async function freeFile(folder: string, method: string): Promise<string> {
  const names = [
    'recipe.yml',
    ...Array.from({ length: 99 }, (_, i) => `${method}${i === 0 ? '' : `-${i + 1}`}.yml`),
  ];
  for (const name of names) if (!(await exists(join(folder, name)))) return join(folder, name);
  throw new UserError(`${folder} holds a hundred recipes of this method`, { remedy: 'Remove some.' });
}

async function chooseFolder(title: string): Promise<string> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      title,
      openLabel: 'Choose',
    })) ?? [];
  if (uri === undefined) throw cancelledError(title);
  return uri.fsPath;
}

interface RecipeAnswers {
  readonly method: MergeMethod;
  readonly base: string | undefined;
  readonly models: readonly string[];
}

export function mergeCommands(
  services: Pick<Services, 'submissions' | 'stages' | 'work' | 'documents' | 'log'>,
) {
  const { stages, work, documents, log, submissions } = services;

  async function askRecipe(
    title: string,
    methods: readonly MergeMethod[],
    first: RecipeAnswers,
    checkpoints: readonly string[],
    nameOf: (path: string) => string,
  ): Promise<RecipeAnswers> {
    const choices = checkpoints.map((path) => ({ label: nameOf(path), value: path }));
    return askAll(title, first, [
      async (ask, answers) => ({
        ...answers,
        method: await ask.pick({
          placeholder: 'How are the models merged?',
          choices: methods.map((method) => ({
            label: method.title,
            description: method.name,
            detail: method.description,
            value: method,
          })),
          preselected: ({ name }) => name === 'task_arithmetic',
        }),
      }),
      async (ask, answers) => {
        if (answers.method.inputs.base === 'ignored') return { ...answers, base: undefined };
        const base = await ask.pick({
          placeholder: 'Which model were the others made from?',
          choices,
          preselected: (path) => /(^|[\\/_-])base$/i.test(path),
        });
        return { ...answers, base };
      },
      async (ask, answers) => ({
        ...answers,
        models: await ask.pickMany({
          placeholder: 'Which models are merged?',
          choices: choices.filter(({ value }) => value !== answers.base),
          preselected: (path) => !nameOf(path).startsWith('out/') && !/(^|[\\/_-])base$/i.test(path),
          problem: (models) => (models.length === 0 ? 'Choose at least one model.' : undefined),
        }),
      }),
    ]);
  }

  return {
    [commandIds.newRecipe]: {
      title: 'New Merge Recipe',
      async run(argument: unknown): Promise<{ file: string }> {
        const { methods, methodsByName } = await import('../../merge/index.ts');
        const { folder } = await targetOf(services, argument);
        const { checkpoints } = await readFolderContents(folder);
        const given = textsOf(argument, 'models');
        if (given === undefined && checkpoints.length < 2) {
          throw new UserError('The submission holds fewer than two checkpoints to merge', {
            place: { file: folder },
            remedy: 'Put models in Hugging Face layout into a folder of it, such as models/.',
          });
        }
        const nameOf = (path: string) => relative(folder, path).split(sep).join('/');
        const method = methodsByName.get(textOf(argument, 'method') ?? '') ?? methods[0];
        if (method === undefined) throw new Error('there are no merge methods');
        const known = { method, base: textOf(argument, 'base'), models: given ?? [] };
        const answers =
          given === undefined
            ? await askRecipe('New Merge Recipe', methods, known, checkpoints, nameOf)
            : known;
        const file = textOf(argument, 'file') ?? (await freeFile(folder, answers.method.name));
        const base = answers.base === undefined ? undefined : nameOf(answers.base);
        await writeFileAtomic(file, recipeText(answers.method, answers.models.map(nameOf), base));
        await stages.refresh();
        await openAt(file);
        return { file };
      },
    },

    [commandIds.merge]: {
      title: 'Merge',
      async run(argument: unknown): Promise<MergeResult & { out: string }> {
        const { folder } = await targetOf(services, argument);
        const recipe = textOf(argument, 'recipe') ?? (await chooseRecipe(folder, argument));
        const out = textOf(argument, 'out') ?? mergeOutput(folder, recipe);
        const [{ describeMerge, readRecipe }, { updateRecord }] = await Promise.all([
          import('../../merge/index.ts'),
          import('../../submission/index.ts'),
        ]);
        const made = describeMerge(await readRecipe(recipe), out);
        const workers = settings.mergeWorkers();
        const title = `merge ${relative(folder, recipe)}`;
        const result = await work.run(
          { kind: 'merge', title, folder, next: { title: 'Start Server', command: commandIds.startServer } },
          async (context) => {
            const input = { recipe, out, ...(workers === undefined ? {} : { workers }) };
            const value = await runTask('merge', input, context);
            return {
              value,
              outcome: `${plural(value.tensors, 'tensor')}, ${formatBytes(value.bytesWritten)}`,
            };
          },
        );
        for (const warning of result.warnings) log.warn(`${title}: ${warning}`);
        // The merge stands, whether it could be noted or not.
        await updateRecord(folder, { merge: { ...made, at: new Date().toISOString() } }).catch((error) =>
          log.error(`${title} could not be noted in the submission's record`, error),
        );
        await stages.refresh();
        return { ...result, out };
      },
    },

    [commandIds.inspectCheckpoint]: {
      title: 'Inspect Checkpoint',
      async run(argument: unknown) {
        if (!submissions.ready) await submissions.refresh();
        const active = submissions.active;
        const checkpoint = textOf(argument, 'checkpoint') ?? (await chooseCheckpoint(active?.folder));
        const input = active === undefined ? { checkpoint } : { checkpoint, folder: active.folder };
        const result = await runTask('inspect', input);
        const name = vscode.workspace.asRelativePath(checkpoint);
        await documents.show(`Checkpoint ${name.split(/[\\/]/).at(-1)}`, inspectionText(name, result));
        return result;
      },
    },
  } satisfies Partial<CommandTable>;

  async function chooseRecipe(folder: string, argument: unknown): Promise<string> {
    // From the explorer's or the editor's menu the argument is the file itself.
    if (argument instanceof vscode.Uri) return argument.fsPath;
    const { recipes } = await readFolderContents(folder);
    const [only] = recipes;
    if (only === undefined) {
      throw new UserError('The submission has no recipe', {
        place: { file: folder },
        remedy: 'Make one with "New Merge Recipe…".',
      });
    }
    if (recipes.length === 1) return only;
    return askOne('Merge', (ask) =>
      ask.pick({
        placeholder: 'Which recipe is merged?',
        choices: recipes.map((path) => ({ label: relative(folder, path), value: path })),
        preselected: (path) => path === stages.record.merge?.recipe,
      }),
    );
  }

  async function chooseCheckpoint(folder: string | undefined): Promise<string> {
    const { checkpoints } = folder === undefined ? { checkpoints: [] } : await readFolderContents(folder);
    const other = 'Choose another folder…';
    const chosen =
      checkpoints.length === 0
        ? undefined
        : await askOne('Inspect Checkpoint', (ask) =>
            ask.pick<string | undefined>({
              placeholder: 'Which checkpoint?',
              choices: [
                ...checkpoints.map((path) => ({ label: relative(folder ?? '', path), value: path })),
                { label: other, value: undefined },
              ],
            }),
          );
    return chosen ?? chooseFolder('Checkpoint to inspect');
  }
}
