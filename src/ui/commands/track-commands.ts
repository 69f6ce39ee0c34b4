import * as vscode from 'vscode';
import { cancelledError } from '../../base/index.ts';
import type { Track } from '../../submission/index.ts';
import { type CommandTable, textOf } from '../command-table.ts';
import { commandIds } from '../ids.ts';
import { askAll, askOne } from '../questions.ts';
import type { Services } from '../services.ts';
import { trackChoices } from './submission-commands.ts';
import { targetOf } from './target.ts';

async function chooseTrackFile(): Promise<string> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: 'Track file to add',
      openLabel: 'Add',
      filters: { 'Track files': ['yaml', 'yml'] },
    })) ?? [];
  if (uri === undefined) throw cancelledError('Adding a track file');
  return uri.fsPath;
}

function linkChoices(track: Track) {
  return Object.values(track.links).map(({ title, url }) => ({ label: title, description: url, value: url }));
}

export function trackCommands(services: Pick<Services, 'submissions'>) {
  const { submissions } = services;
  return {
    [commandIds.chooseTrack]: {
      title: 'Choose Track',
      async run(argument: unknown): Promise<{ track: string }> {
        const { findTrack, loadTracks, updateSubmissionFile } = await import('../../submission/index.ts');
        const { folder, kind, track: current } = await targetOf(services, argument);
        const tracks = await loadTracks({ folder });
        const given = textOf(argument, 'track');
        const track =
          given === undefined
            ? await askOne('Choose Track', (ask) =>
                ask.pick({
                  placeholder: 'Whose limits, dates and package form apply?',
                  choices: trackChoices(tracks.filter((one) => one.kind === kind)),
                  preselected: ({ id }) => id === current.id,
                }),
              )
            : findTrack(tracks, given);
        await updateSubmissionFile(folder, { track: track.id });
        await submissions.refresh();
        return { track: track.id };
      },
    },

    [commandIds.openTrackPage]: {
      title: 'Open Track Page',
      inUntrusted: true,
      async run(argument: unknown): Promise<void> {
        const { loadTracks } = await import('../../submission/index.ts');
        const active = submissions.active;
        const tracks = await loadTracks(active === undefined ? {} : { folder: active.folder });
        const given = textOf(argument, 'url');
        const { url } = await askAll<{ track: Track | undefined; url: string | undefined }>(
          'Open Track Page',
          { track: active?.track, url: given },
          given !== undefined
            ? []
            : [
                async (ask, answers) =>
                  active !== undefined
                    ? answers
                    : {
                        ...answers,
                        track: await ask.pick({
                          placeholder: 'Of which track?',
                          choices: trackChoices(tracks),
                        }),
                      },
                async (ask, answers) => ({
                  ...answers,
                  url: await ask.pick({
                    placeholder: `${answers.track?.name}: which page?`,
                    choices: answers.track === undefined ? [] : linkChoices(answers.track),
                  }),
                }),
              ],
        );
        if (url !== undefined) await vscode.env.openExternal(vscode.Uri.parse(url, true));
      },
    },

    [commandIds.addTrackFile]: {
      title: 'Add Track File',
      inUntrusted: true,
      async run(argument: unknown): Promise<{ track: string }> {
        const { addTrackFile } = await import('../../submission/index.ts');
        const file = textOf(argument, 'file') ?? (await chooseTrackFile());
        const track = await addTrackFile(file);
        await submissions.refresh();
        void vscode.window.showInformationMessage(
          `The track ${track.name} can be chosen from now on, in every workspace.`,
        );
        return { track: track.id };
      },
    },
  } satisfies Partial<CommandTable>;
}
