import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerfile, efficiency, findingsOn, places, serve } from './check.ts';

const withLines = (...lines: string[]) => efficiency({ Dockerfile: dockerfile(...lines) });

test('a submission without faults has no findings', async () => {
  assert.deepEqual(await findingsOn(efficiency()), []);
});

test('dockerfile-name: only a file named exactly Dockerfile is built', async () => {
  const { Dockerfile: text, ...rest } = efficiency();
  assert.deepEqual(await places('dockerfile-name', rest), ['.:1']);
  assert.deepEqual(await places('dockerfile-name', { ...rest, 'Dockerfile.eval': text }), ['.:1']);
  const lower = await findingsOn({ ...rest, dockerfile: text });
  assert.deepEqual(
    lower.filter(({ rule }) => rule === 'dockerfile-name').map(({ severity }) => severity),
    ['warning'],
  );
  assert.deepEqual(
    await places('dockerfile-name', { ...rest, Dockerfile: text, 'Dockerfile.train': text }),
    [],
  );
});

test('dockerfile-multiple: information beside the one, a warning deeper down', async () => {
  const severity = async (files: Record<string, string>) =>
    (await findingsOn(efficiency(files)))
      .filter(({ rule }) => rule === 'dockerfile-multiple')
      .map((one) => one.severity);
  assert.deepEqual(await severity({}), []);
  assert.deepEqual(await severity({ 'Dockerfile.train': dockerfile(serve) }), ['info']);
  assert.deepEqual(await severity({ 'training/Dockerfile': dockerfile(serve) }), ['warning']);
  assert.deepEqual(await severity({ 'Dockerfile.md': 'about' }), []);
});

test('dockerfile-no-cmd: the final stage starts something', async () => {
  assert.deepEqual(await places('dockerfile-no-cmd', withLines('COPY main.py .')), ['Dockerfile:1']);
  assert.deepEqual(await places('dockerfile-no-cmd', withLines('COPY main.py .', serve)), []);
  assert.deepEqual(
    await places(
      'dockerfile-no-cmd',
      withLines('COPY main.py .', '# CMD ["x"]', 'ENTRYPOINT ["python", "main.py"]'),
    ),
    [],
  );
  const inherited = ['FROM python:3.11 AS base', 'WORKDIR /a', 'COPY main.py .', serve, 'FROM base'].join(
    '\n',
  );
  assert.deepEqual(await places('dockerfile-no-cmd', efficiency({ Dockerfile: inherited })), []);
  const lost = ['FROM python:3.11 AS build', serve, 'FROM python:3.11', 'COPY main.py .'].join('\n');
  assert.deepEqual(await places('dockerfile-no-cmd', efficiency({ Dockerfile: lost })), ['Dockerfile:3']);
  // One for training beside the one that serves is the kit's own layout.
  assert.deepEqual(
    await places('dockerfile-no-cmd', efficiency({ 'Dockerfile.train': dockerfile('RUN ls') })),
    [],
  );
});

test('dockerfile-unknown-instruction', async () => {
  assert.deepEqual(
    await places('dockerfile-unknown-instruction', withLines('apt-get install -y git', serve)),
    ['Dockerfile:3'],
  );
  const fine = withLines(
    'RUN apt-get update && \\',
    '    apt-get install -y git',
    'run <<EOF',
    'pip install x',
    'EOF',
    '# pip install y',
    serve,
  );
  assert.deepEqual(await places('dockerfile-unknown-instruction', fine), []);
});

test('dockerfile-exec-form-malformed: an array that is no JSON', async () => {
  const broken = [
    "CMD ['uvicorn', 'main:app']",
    'CMD ["uvicorn", "main:app",]',
    'CMD ["uvicorn" "main:app"]',
    'CMD [“uvicorn”, “main:app”]',
    'ENTRYPOINT ["python", "main.py"',
    'CMD [uvicorn, main:app]',
  ];
  for (const line of broken) {
    assert.deepEqual(
      await places('dockerfile-exec-form-malformed', withLines('COPY main.py .', line)),
      ['Dockerfile:4'],
      line,
    );
  }
  const fine = [
    'CMD [ "uvicorn", "main:app" ]',
    'CMD [ -f x ] && uvicorn main:app --port 80',
    'CMD uvicorn main:app --port 80',
    'CMD ["uvicorn", \\\n "main:app"]',
  ];
  for (const line of fine) {
    assert.deepEqual(
      await places('dockerfile-exec-form-malformed', withLines('COPY main.py .', line)),
      [],
      line,
    );
  }
});

test('dockerfile-copy-missing: a source that is not in the context', async () => {
  const missing = (lines: string[], files: Record<string, string> = {}) =>
    places('dockerfile-copy-missing', { ...withLines(...lines, serve), ...files });
  assert.deepEqual(await missing(['COPY main.py helper.py ./']), ['Dockerfile:3']);
  assert.deepEqual(await missing(['ADD ["weights.tar", "/w/"]']), ['Dockerfile:3']);
  assert.deepEqual(await missing(['COPY src/*.py ./']), ['Dockerfile:3']);
  assert.deepEqual(await missing(['COPY main.py .', 'COPY ../outside .']), ['Dockerfile:4']);
});

test('dockerfile-copy-missing: what is no file of the context is not looked for there', async () => {
  const fine = withLines(
    'ARG NAME',
    'COPY /main.py /submission/main.py',
    'COPY ./main.py ./',
    'COPY mai?.py *.py ./',
    'COPY --from=nvidia/cuda:12.1.0-base-ubuntu22.04 /usr/bin/x /usr/bin/x',
    'ADD https://example.org/x.tar /x/',
    'ADD git@github.com:a/b.git /b',
    'COPY $NAME ./',
    'COPY <<EOF /submission/config.json',
    '{}',
    'EOF',
    'COPY . .',
    'COPY --chown=1000:1000 data/ data/',
    serve,
  );
  assert.deepEqual(await places('dockerfile-copy-missing', { ...fine, 'data/x.csv': '' }), []);
  const submodule = {
    ...withLines('COPY /lit-gpt/ ./', 'COPY lit-gpt/scripts/x.py .', serve),
    '.gitmodules':
      '[submodule "lit-gpt"]\n\tpath = lit-gpt\n\turl = https://github.com/Lightning-AI/lit-gpt\n',
  };
  assert.deepEqual(await places('dockerfile-copy-missing', submodule), []);
});

test('dockerfile-copy-missing: .dockerignore takes files out of the context', async () => {
  const files = {
    ...withLines('COPY main.py .', 'COPY data data', serve),
    'data/a.csv': '',
    'data/b.csv': '',
  };
  assert.deepEqual(await places('dockerfile-copy-missing', { ...files, '.dockerignore': 'data\n' }), [
    'Dockerfile:4',
  ]);
  assert.deepEqual(
    await places('dockerfile-copy-missing', { ...files, '.dockerignore': 'data\n!data/a.csv\n' }),
    [],
  );
  assert.deepEqual(await places('dockerfile-copy-missing', { ...files, '.dockerignore': '*.csv\n' }), []);
  assert.deepEqual(
    await places('dockerfile-copy-missing', { ...files, '.dockerignore': '**/*.csv\n*.py\n' }),
    ['Dockerfile:3'],
  );
  // A file of its own for one Dockerfile counts instead.
  assert.deepEqual(
    await places('dockerfile-copy-missing', {
      ...files,
      '.dockerignore': 'data',
      'Dockerfile.dockerignore': '.git',
    }),
    [],
  );
});

test('base-image-untagged', async () => {
  const base = (...lines: string[]) =>
    places('base-image-untagged', efficiency({ Dockerfile: [...lines, 'COPY main.py .', serve].join('\n') }));
  assert.deepEqual(await base('FROM pytorch/pytorch'), ['Dockerfile:1']);
  assert.deepEqual(await base('FROM pytorch/pytorch:latest'), ['Dockerfile:1']);
  assert.deepEqual(await base('ARG TAG=latest', `FROM python:\${TAG}`), ['Dockerfile:2']);
  assert.deepEqual(await base('FROM localhost:5000/python'), ['Dockerfile:1']);
  assert.deepEqual(await base('FROM python:3.11 AS one', 'FROM one'), []);
  assert.deepEqual(await base(`FROM python@sha256:${'a'.repeat(64)}`), []);
  assert.deepEqual(await base('ARG IMAGE', 'FROM $IMAGE'), []);
  assert.deepEqual(await base('ARG IMAGE=python:3.11', `FROM --platform=linux/amd64 \${IMAGE}`), []);
});

test('a broken Dockerfile does not stop the rest', async () => {
  const findings = await findingsOn(efficiency({ Dockerfile: 'COPY [\n"\n\\\nCMD [' }));
  assert.ok(findings.length > 0);
  assert.deepEqual(await places('dockerfile-name', efficiency({ Dockerfile: '' })), []);
});
