import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerfile, efficiency, findingsOn, places, serve, serverPy } from './check.ts';

const served = (text: string, files: Record<string, string> = {}) =>
  efficiency({ Dockerfile: dockerfile('COPY . .', serve), '.dockerignore': '', 'main.py': text, ...files });

const model = (...fields: string[]) =>
  serverPy.replace(
    '    prompt: str\n',
    `    prompt: str\n${fields.map((field) => `    ${field}\n`).join('')}`,
  );
const fieldLine = serverPy.split('\n').indexOf('    prompt: str') + 2;

test('request-optional-required-v2', async () => {
  const rule = 'request-optional-required-v2';
  const optional = model('seed: Optional[int]');
  assert.deepEqual(await places(rule, served(optional)), [`main.py:${fieldLine}`]);
  assert.deepEqual(await places(rule, served(model('seed: int | None'))), [`main.py:${fieldLine}`]);
  assert.deepEqual(
    await places(rule, served(model('seed: Optional[int] = None', 'x: int | None = Field(default=None)'))),
    [],
  );
  for (const pin of [
    'pydantic==1.10.2',
    'pydantic<2',
    'pydantic<2.0',
    'fastapi==0.68.2',
    'fastapi>=0.68,<0.69.0\npydantic>=1.8.0,<2.0.0',
  ]) {
    assert.deepEqual(await places(rule, served(optional, { 'fast_api_requirements.txt': pin })), [], pin);
  }
  for (const pin of ['pydantic==2.4', 'fastapi==0.104.1', 'pydantic<2.5', 'fastapi']) {
    assert.equal((await places(rule, served(optional, { 'requirements.txt': pin }))).length, 1, pin);
  }
});

test('request-required-field and request-no-echo-prompt', async () => {
  const rule = 'request-required-field';
  assert.deepEqual(await places(rule, served(model('task: str'))), [`main.py:${fieldLine}`]);
  assert.deepEqual(await places(rule, served(model('task: str = Field(...)'))), [`main.py:${fieldLine}`]);
  // What the kit and HELM have.
  const kit = model(
    'num_samples: int = 1',
    'top_k: int = 200',
    'task: str = "x"',
    'top_p: float',
    'kind: str = Field("x")',
    'names: list = Field(default_factory=list)',
  );
  assert.deepEqual(await places(rule, served(kit)), []);
  const elsewhere = {
    'api.py': `from pydantic import BaseModel\nclass Base(BaseModel):\n    prompt: str\n    who: str\nclass ProcessRequest(Base):\n    echo_prompt: bool = False\n`,
  };
  const imported =
    'from fastapi import FastAPI\nfrom api import *\napp = FastAPI()\n@app.post("/process")\ndef p(r: ProcessRequest): ...\n';
  assert.deepEqual(await places(rule, served(imported, elsewhere)), ['api.py:4']);
  assert.deepEqual(
    await places('request-no-echo-prompt', served(serverPy.replace('    echo_prompt: bool = False\n', ''))),
    ['main.py:7'],
  );
  assert.deepEqual(await places('request-no-echo-prompt', served(serverPy)), []);
});

test('request-not-json-model', async () => {
  const rule = 'request-not-json-model';
  const query = serverPy.replace(
    'def process(request: ProcessRequest):',
    'def process(prompt: str, max_new_tokens: int = 50):',
  );
  assert.equal((await places(rule, served(query))).length, 1);
  assert.deepEqual(await places(rule, served(serverPy)), []);
  const body = serverPy.replace(
    'def process(request: ProcessRequest):',
    'def process(prompt: str = Body(...)):',
  );
  assert.deepEqual(await places(rule, served(body)), []);
  const raw = serverPy.replace(
    'def process(request: ProcessRequest):',
    'async def process(request: Request):',
  );
  assert.deepEqual(await places(rule, served(raw)), []);
});

test('route-not-registered', async () => {
  const rule = 'route-not-registered';
  const nested = (call: string) =>
    `from fastapi import FastAPI\napp = FastAPI()\n\ndef main():\n    @app.post("/process")\n    def p(): ...\n    @app.post("/tokenize")\n    def t(): ...\n\n${call}\n`;
  assert.deepEqual(await places(rule, served(nested(''))), ['main.py:5', 'main.py:7']);
  assert.deepEqual(await places(rule, served(nested('main()'))), []);
  assert.deepEqual(await places(rule, served(nested('if __name__ == "__main__":\n    main()'))), []);
  assert.deepEqual(await places(rule, served(nested('register(main)'))), []);
  const factory = served(nested('').replace('def main', 'def create_app'));
  assert.deepEqual(
    await places(rule, {
      ...factory,
      Dockerfile: dockerfile('COPY . .', 'CMD uvicorn main:create_app --factory --port 80'),
    }),
    [],
  );
});

test('py-syntax-error: the rest is still checked', async () => {
  const broken = served('from fastapi import FastAPI\napp = FastAPI()\ndef f(:\n    pass\n');
  assert.deepEqual(await places('py-syntax-error', broken), ['main.py:3']);
  const modern = served(
    `${serverPy}\nmatch x:\n    case {"a": [1, *rest]} if rest:\n        print(f"{x!r:>{10}} {y["k"]}")\n    case _:\n        pass\nasync def g[T](a: T, /, *, b: int = 1) -> T:\n    async with a as b, c as d:\n        return (y := await b)\n`,
  );
  assert.deepEqual(await places('py-syntax-error', modern), []);
  // What nothing serves may be anything.
  assert.deepEqual(await places('py-syntax-error', served(serverPy, { 'notes.py': 'def f(:' })), []);
});

test('entry-app-missing', async () => {
  const rule = 'entry-app-missing';
  const renamed = serverPy.replaceAll('app', 'server');
  assert.deepEqual(await places(rule, served(renamed)), ['Dockerfile:4']);
  assert.deepEqual(await places(rule, served(serverPy)), []);
  assert.deepEqual(await places(rule, served('from server import app\n')), []);
  assert.deepEqual(await places(rule, served('from server import *\n')), []);
  assert.deepEqual(await places(rule, served('try:\n    app = a()\nexcept Exception:\n    app = b()\n')), []);
  assert.deepEqual(await places(rule, served('if x:\n    app = a()\n')), []);
});

test('py-local-module-not-copied', async () => {
  const rule = 'py-local-module-not-copied';
  const lines = (...copies: string[]) => ({
    ...efficiency(),
    Dockerfile: dockerfile(...copies, serve),
    'main.py': `import helper\n${serverPy}`,
    'helper.py': '',
  });
  assert.deepEqual(await places(rule, lines('COPY main.py .')), ['main.py:1']);
  assert.deepEqual(await places(rule, lines('COPY main.py helper.py ./')), []);
  assert.deepEqual(await places(rule, lines('COPY . .')), []);
  assert.deepEqual(
    await places(rule, lines('COPY main.py .', 'RUN git clone https://github.com/a/helper')),
    [],
  );
  assert.deepEqual(
    await places(rule, {
      ...lines('COPY main.py .'),
      'main.py': `try:\n    import helper\nexcept ImportError:\n    helper = None\n${serverPy}`,
    }),
    [],
  );
  const inFunction = `${serverPy}\ndef late():\n    from helper import x\n`;
  assert.equal((await places(rule, { ...lines('COPY main.py .'), 'main.py': inFunction })).length, 1);
  assert.deepEqual(
    await places(rule, { ...lines('COPY main.py .'), 'main.py': `import os, torch\n${serverPy}` }),
    [],
  );
});

test('a module that imports itself in a circle ends', async () => {
  const files = served(`from other import x\n${serverPy}`, { 'other.py': 'from main import app\n' });
  assert.deepEqual(
    (await findingsOn(files)).filter(({ severity }) => severity === 'error'),
    [],
  );
});
