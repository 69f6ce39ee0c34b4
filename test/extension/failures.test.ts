import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import { collectErrors, run, workspaceFolder } from './support.ts';

describe('failures', () => {
  const folder = join(workspaceFolder(), 'demo-submission');
  let server: Server;
  let url = '';

  before(async () => {
    await rm(folder, { recursive: true, force: true });
    await run('openDemo', { folder });
    server = createServer((_, response) => {
      response.statusCode = 500;
      response.end('<html>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.close();
    await run('stopServer', { folder });
    await rm(folder, { recursive: true, force: true });
  });

  it('of a recipe name its file, line and field, once, and offer to open it', async () => {
    const recipe = join(folder, 'broken.yml');
    await writeFile(recipe, 'models: []\nmerge_method: tiesss\n');
    const errors = await collectErrors(() => run('merge', { folder, recipe }));
    assert.equal(errors.length, 1);
    const [{ text, actions } = { text: '', actions: [] }] = errors;
    assert.match(text, /^Merge: demo-submission\/broken\.yml:2/);
    assert.match(text, /"tiesss" is no merge method/);
    assert.doesNotMatch(text, /\bat .*\.js/);
    assert.deepEqual(actions, ['Open File', 'Show Log']);
    await rm(recipe);
  });

  it('of a checkpoint without weights name the folder', async () => {
    const checkpoint = join(folder, 'empty');
    await mkdir(checkpoint);
    const [error] = await collectErrors(() => run('startServer', { folder, checkpoint, port: 0 }));
    assert.match(error?.text ?? '', /^Start Server: .*empty/);
    await rm(checkpoint, { recursive: true });
  });

  it('of a port in use name the port', async () => {
    const { port } = server.address() as AddressInfo;
    const checkpoint = join(folder, 'models/base');
    const [error] = await collectErrors(() => run('startServer', { folder, checkpoint, port }));
    assert.match(error?.text ?? '', new RegExp(`port ${port} is in use`));
    assert.deepEqual(error?.actions, ['Use a Free Port', 'Open Settings']);
  });

  it('of an endpoint that answers 500 name its URL or its broken checks', async () => {
    const errors = await collectErrors(async () => {
      const answer = await run<{ report: { pass: boolean } } | undefined>('connectServer', { folder, url });
      assert.notEqual(answer?.report.pass, true);
    });
    for (const { text } of errors) assert.ok(text.includes(url), text);
  });

  it('of an endpoint that nobody listens on name its URL', async () => {
    const nobody = 'http://127.0.0.1:9';
    const errors = await collectErrors(() => run('connectServer', { folder, url: nobody }));
    assert.equal(errors.length, 1);
    assert.ok(errors[0]?.text.includes(nobody), errors[0]?.text);
  });

  it('of a folder that is no submission say so', async () => {
    const [error] = await collectErrors(() => run('merge', { folder: join(folder, 'models') }));
    assert.match(error?.text ?? '', /is no submission/);
  });

  it('of creating in a folder with files leave it alone', async () => {
    const [error] = await collectErrors(() =>
      run('createSubmission', { folder, track: 'llm-merging-2024', name: 'x' }),
    );
    assert.match(error?.text ?? '', /not empty/);
  });

  it('of an unknown track name the tracks there are', async () => {
    const [error] = await collectErrors(() =>
      run('createSubmission', { folder: join(folder, 'x'), track: 'no-such-track' }),
    );
    assert.match(error?.text ?? '', /llm-merging-2024/);
  });
});
