import { checkSource, type Finding } from '../../../src/doctor/index.ts';
import { defaultTrack, loadTracks, type SubmissionKind } from '../../../src/submission/index.ts';

const tracks = await loadTracks();

/** The findings on a submission that lies in memory; folders come from the paths, a name with `/` at the end is one. */
export async function findingsOn(
  files: Readonly<Record<string, string | Uint8Array>>,
  kind: SubmissionKind = 'efficiency',
  name = kind === 'merging' ? 'LLM-Merging' : 'entry',
): Promise<readonly Finding[]> {
  const folders = new Set<string>();
  for (const path of Object.keys(files)) {
    const parts = path.split('/');
    for (let end = 1; end < parts.length; end++) folders.add(parts.slice(0, end).join('/'));
  }
  const bytes = (content: string | Uint8Array) =>
    typeof content === 'string' ? Buffer.from(content) : content;
  const entries = [
    ...[...folders].map((path) => ({ path, kind: 'folder' as const, size: 0 })),
    ...Object.entries(files)
      .filter(([path]) => !path.endsWith('/'))
      .map(([path, content]) => ({ path, kind: 'file' as const, size: bytes(content).length })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const source = {
    name,
    entries,
    read: async (path: string) => {
      const content = files[path];
      return content === undefined ? undefined : bytes(content);
    },
  };
  return (await checkSource(source, defaultTrack(tracks, kind))).findings;
}

/** Findings of one rule as `file:line`, or with its severity before it when asked. */
export async function places(
  rule: string,
  files: Readonly<Record<string, string | Uint8Array>>,
  kind: SubmissionKind = 'efficiency',
  name?: string,
): Promise<string[]> {
  const findings = await findingsOn(files, kind, name);
  return findings.filter((finding) => finding.rule === rule).map(({ file, line }) => `${file}:${line}`);
}

export const serverPy = `from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class ProcessRequest(BaseModel):
    prompt: str
    max_new_tokens: int = 50
    temperature: float = 0.8
    echo_prompt: bool = False


class TokenizeRequest(BaseModel):
    text: str


@app.post("/process")
def process(request: ProcessRequest):
    tokens = [{"text": "x", "logprob": score(request), "top_logprob": {}}]
    return {"text": "x", "tokens": tokens, "logprob": score(request), "request_time": elapsed()}


@app.post("/tokenize")
def tokenize(request: TokenizeRequest):
    return {"tokens": encode(request.text), "request_time": elapsed()}
`;

export const dockerfile = (...lines: string[]) =>
  ['FROM pytorch/pytorch:2.1.0-cuda12.1-cudnn8-devel', 'WORKDIR /submission', ...lines].join('\n');

export const serve = 'CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "80"]';

/** An efficiency submission without errors; what is given replaces or adds files. */
export const efficiency = (files: Readonly<Record<string, string | Uint8Array>> = {}) => ({
  Dockerfile: dockerfile('COPY main.py main.py', serve),
  'main.py': serverPy,
  ...files,
});

export const methodPy = (name: string) => `from llm_merging.merging.Merges import Merges


class ${name}(Merges):
    def __init__(self, name):
        super().__init__(name)
        self.list_models = [("org/model", "0123456789abcdef0123456789abcdef01234567")]

    def merge(self):
        return self.base_model
`;

export const septemberMain = (...entries: string[]) => `import argparse
from llm_merging.merging import *


def all_merge_handlers():
    return {
${entries.map((entry) => `        ${entry},\n`).join('')}    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", "--merging_method", type=str, required=True)
    args = parser.parse_args()
    merge_method = all_merge_handlers()[args.merging_method](args.merging_method)
    merge_method.merge()
`;

/** A merging submission of the September kit with one method of its own. */
export const september = (files: Readonly<Record<string, string>> = {}) => ({
  'setup.py': 'from setuptools import setup\nsetup(name="llm_merging", install_requires=["torch"])\n',
  'llm_merging/main.py': septemberMain('"mine": Mine'),
  'llm_merging/merging/__init__.py': 'from llm_merging.merging.Mine import Mine\n',
  'llm_merging/merging/Merges.py':
    'class Merges(object):\n    def __init__(self, name):\n        self.name = name\n',
  'llm_merging/merging/Mine.py': methodPy('Mine'),
  ...files,
});

export const julyMain = `import argparse
from importlib.metadata import entry_points


def all_merge_handlers():
    discovered = entry_points(group="llm_merging.merging.Merges")
    return {point.name: point.load() for point in discovered}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("-m", "--merging_method", type=str, required=True)
    args = parser.parse_args()
    all_merge_handlers()[args.merging_method](args.merging_method).merge()
`;

/** A merging submission of the July kit. */
export const july = (files: Readonly<Record<string, string>> = {}) => ({
  'llm_merging/setup.py': `from setuptools import setup
setup(
    name="llm_merging",
    install_requires=["torch"],
    entry_points={"llm_merging.merging.Merges": ["mine = llm_merging.merging.Mine:Mine"]},
)
`,
  'llm_merging/main.py': julyMain,
  'llm_merging/merging/__init__.py': 'from llm_merging.merging.Mine import Mine\n',
  'llm_merging/merging/Merges.py':
    'class Merges(object):\n    def __init__(self, name):\n        self.name = name\n',
  'llm_merging/merging/Mine.py': methodPy('Mine'),
  ...files,
});
