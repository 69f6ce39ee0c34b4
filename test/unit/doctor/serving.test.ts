import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerfile, efficiency, places, serve, serverPy } from './check.ts';

const port = (command: string, files: Record<string, string> = {}, ...more: string[]) =>
  places('port-not-80', efficiency({ Dockerfile: dockerfile('COPY . .', ...more, command), ...files }));

test('port-not-80: where the number is written', async () => {
  assert.deepEqual(await port('CMD ["uvicorn", "main:app", "--port", "8080"]'), ['Dockerfile:4']);
  assert.deepEqual(await port('CMD uvicorn main:app --host 0.0.0.0 --port=8000'), ['Dockerfile:4']);
  assert.deepEqual(await port('CMD ["uvicorn", "main:app", "--host", "0.0.0.0"]'), ['Dockerfile:4']);
  assert.deepEqual(await port('CMD gunicorn main:app -k uvicorn.workers.UvicornWorker -b 0.0.0.0:8000'), [
    'Dockerfile:4',
  ]);
  assert.deepEqual(await port('CMD ["python", "-m", "uvicorn", "main:app", "--port", "5000"]'), [
    'Dockerfile:4',
  ]);
  assert.deepEqual(
    await port('CMD ["./start.sh"]', { 'start.sh': '#!/bin/bash\n\nexec uvicorn main:app --port 8080\n' }),
    ['start.sh:3'],
  );
  const own = (line: string) => `${serverPy}\nif __name__ == "__main__":\n    ${line}\n`;
  const line = serverPy.split('\n').length + 2;
  assert.deepEqual(
    await port('CMD python main.py', { 'main.py': own('uvicorn.run(app, host="0.0.0.0", port=8080)') }),
    [`main.py:${line}`],
  );
  assert.deepEqual(await port('CMD python main.py', { 'main.py': own('uvicorn.run(app)') }), [
    `main.py:${line}`,
  ]);
});

test('port-not-80: constants, arguments and the environment are followed', async () => {
  const argparse = (flag: string) => `import argparse, uvicorn
${serverPy}
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server-port", type=int, default=${flag})
    args = parser.parse_args()
    uvicorn.run(app, host="0.0.0.0", port=args.server_port)

if __name__ == "__main__":
    main()
`;
  assert.deepEqual(await port('CMD python main.py', { 'main.py': argparse('80') }), []);
  assert.equal((await port('CMD python main.py', { 'main.py': argparse('8080') })).length, 1);
  assert.deepEqual(await port('CMD python main.py --server-port 80', { 'main.py': argparse('8080') }), []);
  assert.deepEqual(
    await port('CMD ["python", "main.py", "--server-port=81"]', { 'main.py': argparse('80') }),
    ['Dockerfile:4'],
  );
  const environment = `${serverPy}\nimport os, uvicorn\nuvicorn.run(app, port=int(os.environ.get("PORT", 80)))\n`;
  assert.deepEqual(await port('CMD python main.py', { 'main.py': environment }), []);
  assert.equal((await port('CMD python main.py', { 'main.py': environment }, 'ENV PORT=8080')).length, 1);
  const constants = `${serverPy}\nfrom settings import PORT\nimport uvicorn\nuvicorn.run("main:app", port=PORT)\n`;
  assert.deepEqual(
    await port('CMD python main.py', { 'main.py': constants, 'settings.py': 'PORT = 8081\n' }),
    ['settings.py:1'],
  );
  assert.deepEqual(
    await port('CMD python main.py', { 'main.py': constants, 'settings.py': 'PORT = 80\n' }),
    [],
  );
});

test('port-not-80: what cannot be told is not reported', async () => {
  assert.deepEqual(await port('CMD uvicorn main:app --port $PORT'), []);
  assert.deepEqual(await port(`CMD uvicorn main:app --port \${PORT:-80}`), []);
  assert.deepEqual(await port('CMD uvicorn main:app --port $PORT', {}, 'ENV PORT=80'), []);
  assert.deepEqual(await port('CMD sh -c "uvicorn main:app --port 80"'), []);
  assert.deepEqual(await port('CMD ["bash", "-c", "cd /submission && exec uvicorn main:app --port 80"]'), []);
  assert.deepEqual(await port('ENTRYPOINT ["uvicorn"]\nCMD ["main:app", "--port", "80"]'), []);
  assert.deepEqual(await port('CMD conda run -n env --no-capture-output uvicorn main:app --port 80'), []);
  assert.deepEqual(await port('CMD ["/opt/missing.sh"]'), []);
  assert.deepEqual(
    await port('CMD uvicorn main:app --port 80 # --port 8080', {}, '# EXPOSE 8080', 'EXPOSE 8080'),
    [],
  );
  // A variant that nothing serves.
  assert.deepEqual(
    await port('CMD uvicorn main:app --port 80', { 'old.py': 'uvicorn.run(app, port=8080)' }),
    [],
  );
});

const entry = (lines: string[], files: Record<string, string> = {}) =>
  places('entry-not-found', efficiency({ Dockerfile: dockerfile(...lines), ...files }));

test('entry-not-found: what is started is not in the image', async () => {
  assert.deepEqual(await entry(['COPY helper.py .', serve], { 'helper.py': '' }), ['Dockerfile:4']);
  assert.deepEqual(await entry(['COPY main.py /elsewhere/', serve]), ['Dockerfile:4']);
  assert.deepEqual(await entry(['COPY . .', 'CMD ["uvicorn", "server:app", "--port", "80"]']), [
    'Dockerfile:4',
  ]);
  assert.deepEqual(await entry(['COPY . .', 'CMD python serve.py']), ['Dockerfile:4']);
});

test('entry-not-found: renames, folders, clones and installed packages are followed', async () => {
  assert.deepEqual(
    await entry(['COPY main.py server.py', 'CMD ["uvicorn", "server:app", "--port", "80"]']),
    [],
  );
  assert.deepEqual(await entry(['COPY src/ .', serve], { 'src/main.py': serverPy }), []);
  assert.deepEqual(await entry(['COPY . /app', 'WORKDIR /app/src', serve], { 'src/main.py': serverPy }), []);
  assert.deepEqual(
    await entry(['COPY . .', 'CMD cd src && uvicorn main:app --port 80'], { 'src/main.py': serverPy }),
    [],
  );
  assert.deepEqual(
    await entry(['COPY . .', 'CMD uvicorn src.main:app --port 80'], { 'src/main.py': serverPy }),
    [],
  );
  assert.deepEqual(
    await entry(['COPY . .', 'CMD uvicorn --app-dir src main:app --port 80'], { 'src/main.py': serverPy }),
    [],
  );
  assert.deepEqual(await entry(['RUN git clone https://github.com/a/b.git .', serve]), []);
  assert.deepEqual(await entry(['RUN git clone https://github.com/a/b && mv b/* .', serve]), []);
  assert.deepEqual(await entry(['RUN wget https://example.org/main.py', serve]), []);
  assert.deepEqual(await entry(['RUN echo "app = 1" > main.py', serve]), []);
  assert.deepEqual(
    await entry(['RUN pip install vllm', 'CMD python -m vllm.entrypoints.api_server --port 80']),
    [],
  );
  assert.deepEqual(
    await entry(['RUN pip install git+https://github.com/a/b@v1', 'CMD uvicorn serving:app --port 80']),
    [],
  );
  assert.deepEqual(await entry(['COPY --from=build /out /submission', serve]), []);
  const own = ['FROM me/my-image:1', 'WORKDIR /submission', serve].join('\n');
  assert.deepEqual(await places('entry-not-found', efficiency({ Dockerfile: own })), []);
  const submodule = {
    Dockerfile: dockerfile('COPY /lit-gpt/ .', 'CMD python main.py'),
    '.gitmodules': '[submodule "x"]\n path = lit-gpt\n',
    'lit-gpt/': '',
  };
  assert.deepEqual(await places('entry-not-found', submodule), []);
});

const routes = (text: string, files: Record<string, string> = {}) =>
  places(
    'route-missing',
    efficiency({ Dockerfile: dockerfile('COPY . .', serve), 'main.py': text, ...files }),
  );

test('route-missing: HELM needs POST /process and /tokenize', async () => {
  const bare = 'from fastapi import FastAPI\napp = FastAPI()\n';
  assert.deepEqual(await routes(bare), ['main.py:1', 'main.py:1']);
  assert.deepEqual(await routes(`${bare}@app.post("/process")\ndef p(): ...\n`), ['main.py:1']);
  assert.deepEqual(await routes(serverPy.replace('@app.post("/tokenize")', '@app.get("/tokenize")')), [
    'main.py:24',
  ]);
  assert.deepEqual(await routes(`# @app.post("/process")\n'''@app.post("/tokenize")'''\n${bare}`), [
    'main.py:1',
    'main.py:1',
  ]);
});

test('route-missing: routers, star imports, calls and other frameworks are read', async () => {
  assert.deepEqual(await routes(serverPy), []);
  const router =
    'from fastapi import FastAPI\nfrom api.routes import router\napp = FastAPI()\napp.include_router(router)\n';
  const declared =
    'from fastapi import APIRouter\nrouter = APIRouter()\n@router.post("/process")\ndef p(): ...\n@router.post("/tokenize/")\ndef t(): ...\n';
  assert.deepEqual(await routes(router, { 'api/routes.py': declared, 'api/__init__.py': '' }), []);
  assert.deepEqual(await routes('from server import *\n', { 'server.py': serverPy }), []);
  const calls =
    'from fastapi import FastAPI\napp = FastAPI()\napp.add_api_route("/process", p, methods=["POST"])\napp.add_api_route("/tokenize", t, methods=["POST"])\n';
  assert.deepEqual(await routes(calls), []);
  const flask =
    'from flask import Flask\napp = Flask(__name__)\n@app.route("/process", methods=["POST"])\ndef p(): ...\n@app.route("/tokenize", methods=["GET", "POST"])\ndef t(): ...\n';
  assert.deepEqual(await routes(flask), []);
  const nested = `from fastapi import FastAPI
def make():
    app = FastAPI()
    @app.post("/process")
    def p(): ...
    @app.post("/tokenize")
    def t(): ...
    return app
app = make()
`;
  assert.deepEqual(await routes(nested), []);
  assert.deepEqual(await routes('from vllm.entrypoints.api_server import app\n'), []);
});

test('route-missing: the module that is served is the one that is read', async () => {
  const served = {
    Dockerfile: dockerfile('COPY inference.py main.py', serve),
    'inference.py': serverPy,
    'main.py': 'print("training")\n',
  };
  assert.deepEqual(await places('route-missing', served), []);
  const script = efficiency({
    Dockerfile: dockerfile('COPY . .', 'CMD ["bash", "run.sh"]'),
    'run.sh': 'cd server\npython app.py\n',
    'server/app.py': serverPy,
  });
  assert.deepEqual(await places('route-missing', script), []);
});

test('dockerfile-not-serving', async () => {
  const check = (command: string, files: Record<string, string> = {}) =>
    places('dockerfile-not-serving', efficiency({ Dockerfile: dockerfile('COPY . .', command), ...files }));
  assert.deepEqual(
    await check('CMD ["python", "train.py"]', { 'train.py': 'import torch\ntorch.save(1, "x")\n' }),
    ['Dockerfile:4'],
  );
  assert.deepEqual(await check('CMD ["bash"]'), ['Dockerfile:4']);
  assert.deepEqual(await check(serve), []);
  assert.deepEqual(
    await check('CMD python train.py && uvicorn main:app --port 80', { 'train.py': 'x = 1\n' }),
    [],
  );
  assert.deepEqual(
    await check('CMD ["python", "start.py"]', {
      'start.py': 'import subprocess\nsubprocess.run(["uvicorn", "main:app"])\n',
    }),
    [],
  );
  assert.deepEqual(await check('CMD ["text-generation-launcher", "--port", "80"]'), []);
});
