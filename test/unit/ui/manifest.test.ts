import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { commandIds, contextKeys, extensionName, settingKeys, viewIds } from '../../../src/ui/ids.ts';

const root = new URL('../../../', import.meta.url);
const text = await readFile(new URL('package.json', root), 'utf8');
const strings = JSON.parse(await readFile(new URL('package.nls.json', root), 'utf8')) as Record<
  string,
  string
>;

interface Contribution {
  readonly command: string;
  readonly when?: string;
}

const manifest = JSON.parse(text) as {
  activationEvents: string[];
  icon: string;
  capabilities: { untrustedWorkspaces: { restrictedConfigurations: string[] } };
  contributes: {
    commands: (Contribution & { title: string; category: string })[];
    menus: Record<string, Contribution[]>;
    views: Record<string, { id: string }[]>;
    viewsWelcome: { view: string; when: string }[];
    configuration: { properties: Record<string, { scope: string; markdownDescription: string }> }[];
    walkthroughs: { steps: { completionEvents: string[]; media: { svg: string } }[] }[];
  };
};
const { contributes } = manifest;
const settings = Object.assign(
  {},
  ...contributes.configuration.map(({ properties }) => properties),
) as Record<string, { scope: string }>;

describe('the manifest and the code', () => {
  it('name the same commands', () => {
    const declared = contributes.commands.map(({ command }) => command);
    assert.deepEqual(declared.toSorted(), Object.values(commandIds).toSorted());
  });

  it('name the same views, each with a welcome', () => {
    const declared = Object.values(contributes.views).flatMap((views) => views.map(({ id }) => id));
    assert.deepEqual(declared.toSorted(), Object.values(viewIds).toSorted());
    const welcomed = new Set(contributes.viewsWelcome.map(({ view }) => view));
    assert.deepEqual([...welcomed].toSorted(), declared.toSorted());
  });

  it('name the same settings', () => {
    const known = Object.values(settingKeys).map((key) => `${extensionName}.${key}`);
    assert.deepEqual(Object.keys(settings).toSorted(), known.toSorted());
  });

  it('name the same context keys', () => {
    const known = new Set<string>(Object.values(contextKeys));
    const ours = new Set([...Object.values(commandIds), ...Object.values(viewIds)] as string[]);
    const used = [...text.matchAll(/"(?:when|onContext)[^"]*"\s*:\s*"([^"]*)"|onContext:([\w.]+)/g)]
      .flatMap(([, when, key]) => (when ?? key ?? '').match(/submissionStudio\.\w+/g) ?? [])
      .filter((name) => !ours.has(name));
    assert.deepEqual([...new Set(used)].toSorted(), [...known].toSorted());
  });
});

describe('the manifest', () => {
  it('has every string in package.nls.json, and no other there', () => {
    const used = new Set([...text.matchAll(/"%([\w.]+)%"/g)].map(([, key]) => key ?? ''));
    assert.deepEqual([...used].toSorted(), Object.keys(strings).toSorted());
  });

  it('activates for submissions only', () => {
    for (const event of manifest.activationEvents) {
      assert.match(event, /^(workspaceContains:[\w./]+|onWebviewPanel:.+)$/);
    }
  });

  it('keeps titles to verb first, three words that count, under one category', () => {
    for (const { title, category } of contributes.commands) {
      assert.equal(strings[category.slice(1, -1)], 'Submission');
      assert.match(strings[title.slice(1, -1)] ?? '', /^[A-Z][a-z]+( [\w ]+)?…?$/);
    }
  });

  it('offers creating, the demo and the log always, the rest by context', () => {
    const conditional = new Set(contributes.menus.commandPalette?.map(({ command }) => command));
    const always = Object.values(commandIds).filter((id) => !conditional.has(id));
    const expected = ['addTrackFile', 'createSubmission', 'openDemo', 'openTrackPage', 'refresh', 'showLog'];
    assert.deepEqual(
      always.toSorted(),
      expected.map((name) => `submissionStudio.${name}`),
    );
  });

  it('keeps settings that name programs to the machine, and out of untrusted folders', () => {
    const { restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
    for (const key of ['submissionStudio.python.path', 'submissionStudio.docker.host']) {
      assert.match(settings[key]?.scope ?? '', /^machine/);
      assert.ok(restrictedConfigurations.includes(key));
    }
  });

  it('has walkthrough steps that complete by themselves, with pictures of our own', () => {
    const steps = contributes.walkthroughs.flatMap((one) => one.steps);
    assert.ok(steps.length >= 5);
    for (const { completionEvents, media } of steps) {
      assert.match(completionEvents[0] ?? '', /^on(Context|Command):submissionStudio\.\w+$/);
      assert.ok(existsSync(new URL(media.svg, root)), media.svg);
    }
    assert.ok(existsSync(new URL(manifest.icon, root)));
  });
});
