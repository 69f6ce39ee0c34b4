import { createServer } from 'node:net';
import { relative, resolve } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../base/index.ts';
import type { ContractReport, Endpoint } from '../../serve/index.ts';
import type { Submission } from '../../submission/index.ts';
import { type CommandTable, numberOf, textOf } from '../command-table.ts';
import { commandIds, extensionName, settingKeys } from '../ids.ts';
import { askOne } from '../questions.ts';
import type { Services } from '../services.ts';
import { settings } from '../settings.ts';
import { exists, readFolderContents } from '../submissions/folder.ts';
import { runTask } from '../tasks/client.ts';
import { contractText } from '../texts.ts';
import { targetOf } from './target.ts';

const defaultUrl = 'http://127.0.0.1:8080';

function urlProblem(text: string): string | undefined {
  if (!URL.canParse(text)) return `Write a URL, such as ${defaultUrl}.`;
  const { protocol } = new URL(text);
  return protocol === 'http:' || protocol === 'https:'
    ? undefined
    : 'The URL starts with http:// or https://.';
}

/** The checkpoint that "Start Server" serves: the last merge, else the only one there is, else the one chosen. */
export async function checkpointToServe(
  { stages }: Pick<Services, 'stages'>,
  { folder }: Submission,
): Promise<string> {
  const merged = stages.record.merge && resolve(folder, stages.record.merge.out);
  if (merged !== undefined && (await exists(merged))) return merged;
  const { checkpoints } = await readFolderContents(folder);
  const [only] = checkpoints;
  if (only === undefined) {
    throw new UserError('The submission holds no checkpoint to serve', {
      place: { file: folder },
      remedy: 'Merge first, or put a model in Hugging Face layout into it.',
    });
  }
  if (checkpoints.length === 1) return only;
  return askOne('Start Server', (ask) =>
    ask.pick({
      placeholder: 'Which checkpoint is served?',
      choices: checkpoints.map((path) => ({ label: relative(folder, path), value: path })),
    }),
  );
}

/** Asks for the URL of a server that runs somewhere. */
export function askUrl(title: string, value: string): Promise<string> {
  return askOne(title, (ask) =>
    ask.input({ prompt: 'URL of the running server', value, problem: urlProblem }),
  );
}

/** Whether something listens on a port of this machine. */
function isTaken(port: number): Promise<boolean> {
  if (port === 0) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRINUSE'));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}

async function offerFreePort(folder: string, checkpoint: string, port: number): Promise<void> {
  const free = 'Use a Free Port';
  const other = 'Open Settings';
  const chosen = await vscode.window.showErrorMessage(
    `Start Server: port ${port} is in use. Stop what listens there, or choose another port.`,
    free,
    other,
  );
  if (chosen === free) {
    await vscode.commands.executeCommand(commandIds.startServer, { folder, checkpoint, port: 0 });
  }
  if (chosen === other) {
    const key = `${extensionName}.${settingKeys.serverPort}`;
    await vscode.commands.executeCommand('workbench.action.openSettings', key);
  }
}

export function serveCommands(
  services: Pick<Services, 'submissions' | 'stages' | 'servers' | 'work' | 'documents' | 'log'>,
) {
  const { servers, work, documents, log } = services;

  async function check(url: string, folder: string): Promise<ContractReport> {
    const report = await work.run({ kind: 'check', title: `check ${url}`, folder }, async (context) => {
      const value = await runTask('checkEndpoint', { url }, context);
      const failed = value.checks.filter(({ pass }) => !pass).length;
      return { value, outcome: value.pass ? 'keeps the contract' : `${failed} checks failed` };
    });
    await documents.show('Endpoint', contractText(url, report));
    return report;
  }

  return {
    [commandIds.startServer]: {
      title: 'Start Server',
      async run(argument: unknown): Promise<{ url: string } | undefined> {
        const submission = await targetOf(services, argument);
        const checkpoint = textOf(argument, 'checkpoint') ?? (await checkpointToServe(services, submission));
        const port = numberOf(argument, 'port') ?? settings.serverPort();
        try {
          const { url } = await servers.start(submission.folder, checkpoint, port);
          return { url };
        } catch (error) {
          if (!(await isTaken(port))) throw error;
          void offerFreePort(submission.folder, checkpoint, port);
          return undefined;
        }
      },
    },

    [commandIds.stopServer]: {
      title: 'Stop Server',
      async run(argument: unknown): Promise<void> {
        const { folder } = await targetOf(services, argument);
        await servers.stop(folder);
      },
    },

    [commandIds.connectServer]: {
      title: 'Connect to Running Server',
      async run(argument: unknown): Promise<{ endpoint: Endpoint; report: ContractReport }> {
        const { connect } = await import('../../serve/index.ts');
        const { folder } = await targetOf(services, argument);
        const last = servers.lastUrl(folder) ?? defaultUrl;
        const url = textOf(argument, 'url') ?? (await askUrl('Connect to Running Server', last));
        const endpoint = await connect(url);
        await servers.connect(folder, endpoint);
        log.info(`connected to ${endpoint.url}`);
        return { endpoint, report: await check(endpoint.url, folder) };
      },
    },

    [commandIds.checkEndpoint]: {
      title: 'Check Endpoint',
      async run(argument: unknown): Promise<ContractReport> {
        const { folder } = await targetOf(services, argument);
        const url =
          textOf(argument, 'url') ??
          servers.of(folder)?.endpoint.url ??
          (await askUrl('Check Endpoint', servers.lastUrl(folder) ?? defaultUrl));
        return check(url, folder);
      },
    },
  } satisfies Partial<CommandTable>;
}
