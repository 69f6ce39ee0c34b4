import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerfile, efficiency, places, serve } from './check.ts';

/** Places of a rule's findings where the Dockerfile has these lines from line 3 on. */
const on = (rule: string, lines: readonly string[], files: Record<string, string> = {}) =>
  places(rule, efficiency({ Dockerfile: dockerfile(...lines, 'COPY main.py .', serve), ...files }));

const fires = async (rule: string, line: string) =>
  assert.deepEqual(await on(rule, [line]), ['Dockerfile:3'], line);
const silent = async (rule: string, line: string) => assert.deepEqual(await on(rule, [line]), [], line);

test('dockerfile-pip-bad-option', async () => {
  const rule = 'dockerfile-pip-bad-option';
  await fires(rule, 'RUN pip install --no-cache-dirs torch');
  await fires(rule, 'RUN python -m pip install --upgrad3 torch');
  await fires(rule, 'RUN apt-get update && pip3 install --no-cach-dir -U x');
  for (const fine of [
    'RUN pip install --no-cache-dir -U --extra-index-url https://x.org torch',
    'RUN pip install --no-cache torch',
    'RUN pip install -qU -rrequirements.txt --progress-bar=off',
    'RUN pip --no-cache-dir install -e .',
    'RUN conda install --override-channels x && pip download --anything y',
    'RUN pip install $OPTIONS torch==2.1',
  ])
    await silent(rule, fine);
});

test('dockerfile-pip-redirect', async () => {
  const rule = 'dockerfile-pip-redirect';
  await fires(rule, 'RUN pip install torch>=2.0');
  await fires(rule, 'RUN pip install transformers<4.30 peft');
  for (const fine of [
    'RUN pip install "torch>=2.0"',
    "RUN pip install 'torch>=2.0' > install.log 2>&1",
    'RUN ["pip", "install", "torch>=2.0"]',
    'RUN echo x>=y',
  ])
    await silent(rule, fine);
  assert.deepEqual(await on(rule, ['RUN pip install a \\', '  # why', '  b>=2 \\', '  c']), ['Dockerfile:5']);
});

test('dockerfile-git-ref-malformed and pip-git-unpinned', async () => {
  const malformed = 'dockerfile-git-ref-malformed';
  const unpinned = 'pip-git-unpinned';
  const commit = 'eafea7b366bde9dc3f0b66a4cb0a8788f560c793';
  const url = 'git+https://github.com/a/b.git';
  await fires(malformed, `RUN pip install ${url}@${commit}f`);
  await fires(malformed, `RUN pip install ${url}@${commit.slice(0, 38)}`);
  await fires(unpinned, `RUN pip install ${url}`);
  await fires(unpinned, `RUN pip install -e ${url}@main#egg=b`);
  await fires(unpinned, 'RUN pip install git+https://user@github.com/a/b');
  for (const fine of [
    `${url}@${commit}`,
    `${url}@v1.2`,
    `"b @ ${url}@${commit}#subdirectory=x"`,
    `${url}@eafea7b`,
  ]) {
    await silent(malformed, `RUN pip install ${fine}`);
    await silent(unpinned, `RUN pip install ${fine}`);
  }
  const files = { 'requirements.txt': `torch==2.1\n# ${url}\n${url}\n` };
  assert.deepEqual(
    await on(unpinned, ['COPY requirements.txt .', 'RUN pip install -r requirements.txt'], files),
    ['requirements.txt:3'],
  );
  // Nobody installs it.
  assert.deepEqual(await on(unpinned, ['COPY requirements.txt .'], files), []);
});

test('pip-prerelease and pip-nonstandard-index', async () => {
  await fires('pip-prerelease', 'RUN pip install --pre torch');
  await fires(
    'pip-prerelease',
    'RUN pip install torch --index-url https://download.pytorch.org/whl/nightly/cu121',
  );
  await silent('pip-prerelease', 'RUN pip install --prefer-binary torch');
  await silent('pip-prerelease', 'RUN pip install torch --index-url https://download.pytorch.org/whl/cu121');
  await fires('pip-nonstandard-index', 'RUN pip install -i https://test.pypi.org/simple/ bitsandbytes');
  await silent('pip-nonstandard-index', 'RUN pip install -i https://pypi.org/simple bitsandbytes');
  await silent('pip-nonstandard-index', 'RUN echo https://test.pypi.org');
});

test('pip-install-unpinned and requirements-unpinned', async () => {
  await fires('pip-install-unpinned', 'RUN pip install torch==2.1 transformers');
  for (const fine of [
    'RUN pip install torch==2.1 "peft>=0.5"',
    'RUN pip install -r requirements.txt',
    'RUN pip install --upgrade pip',
    'RUN pip install .',
    'RUN pip install ./pkg $EXTRA',
  ]) {
    await silent('pip-install-unpinned', fine);
  }
  const install = ['COPY requirements.txt .', 'RUN pip install -r requirements.txt'];
  const loose = {
    'requirements.txt':
      '--extra-index-url https://x.org\nfastapi==0.68\nuvicorn\npydantic[email]>=1 ; python_version > "3"\n',
  };
  assert.deepEqual(await on('requirements-unpinned', install, loose), ['requirements.txt:3']);
  assert.deepEqual(
    await on('requirements-unpinned', install, { 'requirements.txt': 'uvicorn==1\n', 'dev.txt': 'black\n' }),
    [],
  );
  const renamed = ['COPY fast_api_requirements.txt /tmp/r.txt', 'RUN pip install -r /tmp/r.txt'];
  assert.deepEqual(await on('requirements-unpinned', renamed, { 'fast_api_requirements.txt': 'uvicorn\n' }), [
    'fast_api_requirements.txt:1',
  ]);
});

test('requirements-not-on-pypi and requirements-stdlib-name', async () => {
  const install = ['COPY requirements.txt .', 'RUN pip install -r requirements.txt'];
  const files = { 'requirements.txt': 'torch==2.1\npytorch-cuda==11.8\nTyping\npathlib2\n' };
  assert.deepEqual(await on('requirements-not-on-pypi', install, files), ['requirements.txt:2']);
  assert.deepEqual(await on('requirements-stdlib-name', install, files), ['requirements.txt:3']);
  await fires('requirements-stdlib-name', 'RUN pip install asyncio');
  await silent('requirements-not-on-pypi', 'RUN conda install -y pytorch-cuda=11.8 -c nvidia');
  await silent('requirements-stdlib-name', 'RUN pip install typing-extensions');
});

test('dockerfile-apt-no-yes and dockerfile-run-no-effect', async () => {
  await fires('dockerfile-apt-no-yes', 'RUN apt-get update && apt-get install git');
  await fires('dockerfile-apt-no-yes', 'RUN sudo apt install git');
  for (const fine of [
    'RUN apt-get install -y git',
    'RUN apt-get -y install git',
    'RUN apt-get install git -yq',
    'RUN apt-get install --yes git',
    'RUN apt-get -qq install git',
    'RUN apt-get update',
    'RUN yes | apt-get install -qy git',
  ]) {
    await silent('dockerfile-apt-no-yes', fine);
  }
  await fires('dockerfile-run-no-effect', 'RUN export TOKEN=x');
  await fires('dockerfile-run-no-effect', 'RUN cd /app');
  await silent('dockerfile-run-no-effect', 'RUN cd /app && ls');
  await silent('dockerfile-run-no-effect', 'RUN export A=1 && python x.py');
});

test('dockerfile-multiple-cmd, -crlf, -copy-credentials, base-image-nightly, dockerignore-missing', async () => {
  assert.deepEqual(await on('dockerfile-multiple-cmd', ['CMD ["bash"]']), ['Dockerfile:3']);
  assert.deepEqual(await on('dockerfile-multiple-cmd', []), []);
  assert.deepEqual(
    await places(
      'dockerfile-multiple-cmd',
      efficiency({ Dockerfile: ['FROM a:1 AS x', serve, 'FROM x', serve].join('\n') }),
    ),
    [],
  );
  assert.deepEqual(
    await places(
      'dockerfile-crlf',
      efficiency({ Dockerfile: dockerfile('COPY main.py .', serve).replaceAll('\n', '\r\n') }),
    ),
    ['Dockerfile:1'],
  );
  assert.deepEqual(await on('dockerfile-crlf', []), []);
  const secretFiles = { '.netrc': '', 'key.pem': '', 'keys/service-account.json': '' };
  assert.deepEqual(
    await on(
      'dockerfile-copy-credentials',
      ['COPY .netrc /root/', 'ADD keys/service-account.json key.pem /k/'],
      secretFiles,
    ),
    ['Dockerfile:3', 'Dockerfile:4', 'Dockerfile:4'],
  );
  assert.deepEqual(
    await on('dockerfile-copy-credentials', ['COPY config.json .env.example ./'], {
      'config.json': '',
      '.env.example': '',
    }),
    [],
  );
  const nightly = efficiency({
    Dockerfile: ['FROM ghcr.io/pytorch/pytorch-nightly:x', 'COPY main.py .', serve].join('\n'),
  });
  assert.deepEqual(await places('base-image-nightly', nightly), ['Dockerfile:1']);
  assert.deepEqual(await on('base-image-nightly', []), []);
  assert.deepEqual(await on('dockerignore-missing', ['COPY . .']), ['Dockerfile:3']);
  assert.deepEqual(await on('dockerignore-missing', ['COPY ./ /app'], { '.dockerignore': '.git' }), []);
  assert.deepEqual(await on('dockerignore-missing', ['COPY --from=0 . .', 'COPY main.py .']), []);
});
