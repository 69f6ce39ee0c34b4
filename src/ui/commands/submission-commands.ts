import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, join, relative } from 'node:path';
import * as vscode from 'vscode';
import { cancelledError } from '../../base/index.ts';
import type { Scaffolded, Submission, Track } from '../../submission/index.ts';
import { type CommandTable, textOf } from '../command-table.ts';
import { commandIds, viewIds } from '../ids.ts';
import { askAll, askOne, type Choice } from '../questions.ts';
import type { Services } from '../services.ts';
import { settings } from '../settings.ts';
import { exists } from '../submissions/folder.ts';
import { trackTime } from '../submissions/rows.ts';

const namePattern = /^[A-Za-z0-9][\w.-]*$/;

/** Tracks to choose from, those that close last first. */
export function trackChoices(tracks: readonly Track[]): Choice<Track>[] {
  const end = ({ closes }: Track) => closes?.value ?? '9999';
  return tracks
    .toSorted((a, b) => end(b).localeCompare(end(a)))
    .map((track) => ({
      label: track.name,
      description: trackTime(track, Date.now()),
      ...(track.gpu && { detail: track.gpu.value }),
      value: track,
    }));
}

async function isEmpty(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.every((name) => name === '.git');
}

/** Where a new submission of this name may go: below or in the workspace's folders, else below the home folder. */
async function placeChoices(name: string): Promise<Choice<string | undefined>[]> {
  const choices: Choice<string | undefined>[] = [];
  for (const { uri, name: folderName } of vscode.workspace.workspaceFolders ?? []) {
    if (uri.scheme !== 'file') continue;
    const inside = join(uri.fsPath, name);
    if (await isEmpty(uri.fsPath)) {
      choices.push({ label: `In ${folderName} itself`, description: uri.fsPath, value: uri.fsPath });
    }
    choices.push({ label: `In ${folderName}/${name}`, description: inside, value: inside });
  }
  if (choices.length === 0) {
    const inside = join(homedir(), name);
    choices.push({ label: `In a new folder ${name}`, description: inside, value: inside });
  }
  return [...choices, { label: 'Choose another folder…', value: undefined }];
}

async function chooseParent(): Promise<string> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      canSelectFolders: true,
      canSelectFiles: false,
      title: 'Folder in which the submission is created',
      openLabel: 'Create Here',
    })) ?? [];
  if (uri === undefined) throw cancelledError('Creating a submission');
  return uri.fsPath;
}

/** A name that is free in every place where the submission may go by default. */
async function freeName(wanted: string): Promise<string> {
  const parents = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const places = parents.length > 0 ? parents : [homedir()];
  for (let number = 1; ; number++) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    const taken = await Promise.all(places.map((place) => exists(join(place, name))));
    if (!taken.includes(true)) return name;
  }
}

interface CreateAnswers {
  readonly track: Track;
  readonly name: string;
  readonly folder: string;
}

async function askCreate(tracks: readonly Track[], first: CreateAnswers): Promise<CreateAnswers> {
  return askAll('Create Submission', first, [
    async (ask, answers) => ({
      ...answers,
      track: await ask.pick({
        placeholder: 'Which track is it for?',
        choices: trackChoices(tracks),
        preselected: ({ id }) => id === settings.defaultTrack(),
      }),
    }),
    async (ask, answers) => ({
      ...answers,
      name: await ask.input({
        prompt: 'Name of the submission',
        value: await freeName(answers.track.kind === 'merging' ? 'my-merge' : 'my-finetune'),
        problem: (name) =>
          namePattern.test(name) ? undefined : 'Use letters, digits, hyphens, dots and underscores.',
      }),
    }),
    async (ask, answers) => {
      const place = await ask.pick({
        placeholder: 'Where is it created?',
        choices: await placeChoices(answers.name),
      });
      return { ...answers, folder: place ?? join(await chooseParent(), answers.name) };
    },
  ]);
}

export function submissionCommands({
  submissions,
  stages,
  runs,
}: Pick<Services, 'submissions' | 'stages' | 'runs'>) {
  /** Shows a submission that was just made: in its view when the workspace holds it, else by opening its folder. */
  async function present(folder: string): Promise<void> {
    const inside = (vscode.workspace.workspaceFolders ?? []).some(
      ({ uri }) => !relative(uri.fsPath, folder).startsWith('..'),
    );
    if (inside) {
      await submissions.refresh();
      await submissions.activate(folder);
      await vscode.commands.executeCommand(`${viewIds.submission}.focus`);
      return;
    }
    const uri = vscode.Uri.file(folder);
    if (vscode.workspace.workspaceFolders === undefined) {
      await vscode.commands.executeCommand('vscode.openFolder', uri);
      return;
    }
    const open = 'Open in New Window';
    void vscode.window
      .showInformationMessage(`${basename(folder)} was created outside this workspace: ${folder}`, open)
      .then((chosen) => {
        if (chosen === open) void vscode.commands.executeCommand('vscode.openFolder', uri, true);
      });
  }

  return {
    [commandIds.createSubmission]: {
      title: 'Create Submission',
      inUntrusted: true,
      async run(argument: unknown): Promise<Scaffolded & { folder: string }> {
        const { findTrack, loadTracks, scaffold } = await import('../../submission/index.ts');
        const tracks = await loadTracks();
        const [firstTrack] = tracks;
        const given = textOf(argument, 'folder');
        const track = findTrack(
          tracks,
          textOf(argument, 'track') ?? (settings.defaultTrack() || firstTrack?.id || ''),
        );
        const known = { track, name: textOf(argument, 'name') ?? '', folder: given ?? '' };
        const { name, folder, track: chosen } = given === undefined ? await askCreate(tracks, known) : known;
        const made = await scaffold({
          kind: chosen.kind,
          track: chosen.id,
          folder,
          name: name || basename(folder),
        });
        await present(folder);
        return { ...made, folder };
      },
    },

    [commandIds.openDemo]: {
      title: 'Open Demo Submission',
      inUntrusted: true,
      async run(argument: unknown): Promise<{ folder: string }> {
        const { scaffold } = await import('../../submission/index.ts');
        const parent = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? homedir();
        const folder = textOf(argument, 'folder') ?? join(parent, 'demo-submission');
        if (!(await exists(join(folder, 'submission.yaml')))) {
          await scaffold({ kind: 'merging', folder, demo: true });
        }
        await present(folder);
        return { folder };
      },
    },

    [commandIds.switchSubmission]: {
      title: 'Switch Submission',
      async run(argument: unknown): Promise<void> {
        if (!submissions.ready) await submissions.refresh();
        const folder =
          textOf(argument, 'folder') ??
          (await askOne('Switch Submission', (ask) =>
            ask.pick({
              placeholder: 'Which submission do you work on?',
              choices: submissions.list.map(choiceOf),
              preselected: (value) => value === submissions.active?.folder,
            }),
          ));
        await submissions.activate(folder);
      },
    },

    [commandIds.refresh]: {
      title: 'Refresh',
      inUntrusted: true,
      async run(): Promise<void> {
        await submissions.refresh();
        await Promise.all([stages.refresh(), runs.refresh()]);
      },
    },
  } satisfies Partial<CommandTable>;
}

function choiceOf({ name, track, folder }: Submission): Choice<string> {
  return {
    label: name,
    description: track.name,
    detail: vscode.workspace.asRelativePath(folder),
    value: folder,
  };
}
