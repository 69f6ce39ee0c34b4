import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'mocha';
import * as vscode from 'vscode';

const id = 'submission-studio.submission-studio';

describe('activation', () => {
  it('the extension activates', async () => {
    const extension = vscode.extensions.getExtension(id);
    assert.ok(extension, `${id} is not there`);
    await extension.activate();
    assert.equal(extension.isActive, true);
  });

  it('every command of the manifest is registered', async () => {
    const extension = vscode.extensions.getExtension(id);
    await extension?.activate();
    const manifest = JSON.parse(
      await readFile(join(extension?.extensionPath ?? '', 'package.json'), 'utf8'),
    ) as { contributes?: { commands?: { command: string }[] } };
    const declared = manifest.contributes?.commands?.map(({ command }) => command) ?? [];
    assert.ok(declared.length > 0, 'the manifest declares no command');
    const registered = new Set(await vscode.commands.getCommands(true));
    assert.deepEqual(
      declared.filter((command) => !registered.has(command)),
      [],
    );
  });
});
