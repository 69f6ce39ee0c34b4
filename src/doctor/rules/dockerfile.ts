import type { DoctorContext } from '../context.ts';
import { copySources } from '../image.ts';
import {
  type DockerfileModel,
  type DockerInstruction,
  isDockerKeyword,
  wordsOf,
} from '../parsers/dockerfile.ts';
import { cleanPath } from '../parsers/dockerignore.ts';
import { type Problem, type Rule, sources } from '../rule.ts';

/** Checks every Dockerfile at the root. */
function eachDockerfile(
  check: (
    model: DockerfileModel,
    context: DoctorContext,
  ) => Iterable<Omit<Problem, 'file'>> | Promise<Iterable<Omit<Problem, 'file'>>>,
): Rule['check'] {
  return async (context) => {
    const problems: Problem[] = [];
    for (const model of await context.dockerfiles()) {
      for (const problem of await check(model, context)) problems.push({ ...problem, file: model.file });
    }
    return problems;
  };
}

const all = (model: DockerfileModel, ...keywords: string[]): DockerInstruction[] =>
  model.instructions.filter(({ keyword }) => keywords.includes(keyword));

/** Files that hold credentials by their name. */
const credentialFile =
  /(^|\/)(\.boto|\.netrc|\.aws|\.env|id_rsa|id_ed25519|\.git-credentials|credentials|[^/]*service[_-]?account[^/]*\.json|[^/]+\.pem)\/?$/i;

/** Paths of the submodules that .gitmodules names. */
async function submodules(context: DoctorContext): Promise<string[]> {
  const text = (await context.text('.gitmodules')) ?? '';
  return [...text.matchAll(/^\s*path\s*=\s*(.+?)\s*$/gm)].map(([, path]) => path ?? '');
}

async function copyMissing(model: DockerfileModel, context: DoctorContext) {
  const ignored = await context.dockerignore(model.file);
  const problems: Omit<Problem, 'file'>[] = [];
  for (const instruction of all(model, 'COPY', 'ADD')) {
    for (const { text, paths, elsewhere, line } of copySources(context, instruction, ignored).sources) {
      if (elsewhere || paths.length > 0) continue;
      const path = cleanPath(text);
      if (path === '' || (await isSubmodule(context, path))) continue;
      const left = context.entry(path) !== undefined;
      problems.push({
        line,
        message: left
          ? `${text} is left out of the build context by .dockerignore.`
          : `${text} is not in the build context.`,
        fix: left ? `Take ${text} out of .dockerignore.` : `Create ${text} or correct the path.`,
      });
    }
  }
  return problems;
}

/** Inside a submodule, which may not be initialised here. */
async function isSubmodule(context: DoctorContext, path: string): Promise<boolean> {
  return (await submodules(context)).some((folder) => path === folder || path.startsWith(`${folder}/`));
}

function noCommand(model: DockerfileModel): Omit<Problem, 'file'>[] {
  const stage = model.stages.at(-1);
  if (stage === undefined) return [];
  const chain = [stage];
  for (;;) {
    const parent = model.stages.find(({ name }) => name !== undefined && name === chain.at(-1)?.base);
    if (parent === undefined || chain.includes(parent)) break;
    chain.push(parent);
  }
  const starts = chain.some(({ instructions }) =>
    instructions.some(({ keyword }) => keyword === 'CMD' || keyword === 'ENTRYPOINT'),
  );
  if (starts) return [];
  return [
    {
      line: stage.line,
      message: `No CMD or ENTRYPOINT: unless ${chain.at(-1)?.base ?? 'the base image'} brings one that serves, the container starts no server.`,
    },
  ];
}

const digestOrTag = (image: string) => {
  const name = image.split('/').at(-1) ?? '';
  if (image.includes('@')) return 'digest';
  return name.includes(':') ? name.slice(name.indexOf(':') + 1) : '';
};

function* untagged(model: DockerfileModel) {
  for (const { base, line } of model.stages) {
    if (base === 'scratch' || base.includes('$') || model.stages.some(({ name }) => name === base)) continue;
    const tag = digestOrTag(base);
    if (tag === '' || tag === 'latest') {
      yield {
        line,
        message: `The base image ${base} has ${tag === '' ? 'no tag' : 'the tag latest'}: tomorrow it may be another one.`,
      };
    }
  }
}

export const dockerfileRules: readonly Rule[] = [
  {
    id: 'dockerfile-unknown-instruction',
    severity: 'error',
    title: 'A line starts with no instruction of Docker',
    why: 'The organizers run `docker build`, which stops there.',
    source: sources.dockerfile,
    fix: 'Begin the line with RUN, or join it to the one before.',
    kinds: ['efficiency'],
    check: eachDockerfile((model) =>
      model.instructions
        .filter(({ keyword }) => !isDockerKeyword(keyword))
        .map(({ keyword, line }) => ({ line, message: `${keyword} is no instruction of a Dockerfile.` })),
    ),
  },
  {
    id: 'dockerfile-exec-form-malformed',
    severity: 'error',
    title: 'CMD or ENTRYPOINT looks like a JSON array and is none',
    why: 'Docker hands it to a shell as it stands, and the container ends at once.',
    source: sources.dockerfile,
    fix: 'Write it as a JSON array: double quotes, commas between, none at the end.',
    kinds: ['efficiency'],
    check: eachDockerfile((model) =>
      all(model, 'CMD', 'ENTRYPOINT')
        .filter(({ brokenExec }) => brokenExec)
        .map(({ keyword, line }) => ({ line, message: `The array of ${keyword} is not valid JSON.` })),
    ),
  },
  {
    id: 'dockerfile-no-cmd',
    severity: 'error',
    title: 'The image starts nothing',
    why: 'The organizers run the image without a command of their own; it must start the server.',
    source: sources.pipeline,
    fix: 'End the Dockerfile with CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "80"].',
    kinds: ['efficiency'],
    async check(context) {
      const main = await context.dockerfile();
      return main ? noCommand(main).map((problem) => ({ ...problem, file: main.file })) : [];
    },
  },
  {
    id: 'dockerfile-copy-missing',
    severity: 'error',
    title: 'COPY or ADD of a file that is not in the build context',
    why: 'The organizers run `docker build` in the folder; it stops at a source that is missing there.',
    source: sources.dockerfile,
    fix: 'Create the file or correct its path.',
    kinds: ['efficiency'],
    check: eachDockerfile(copyMissing),
  },
  {
    id: 'base-image-untagged',
    severity: 'warning',
    title: 'The base image has no fixed version',
    why: 'Submissions must be reproducible; the image that is built later may have another base.',
    source: sources.challenge,
    fix: 'Name a tag or digest.',
    kinds: ['efficiency'],
    check: eachDockerfile(untagged),
  },
  {
    id: 'dockerfile-multiple-cmd',
    severity: 'warning',
    title: 'Several CMD in one stage',
    why: 'Only the last one counts.',
    source: sources.dockerfile,
    fix: 'Delete the others, or chain them.',
    kinds: ['efficiency'],
    check: eachDockerfile((model) =>
      model.stages.flatMap(({ instructions }) => {
        const commands = instructions.filter(({ keyword }) => keyword === 'CMD');
        return commands
          .slice(0, -1)
          .map(({ line }) => ({ line, message: 'A later CMD takes the place of this one.' }));
      }),
    ),
  },
  {
    id: 'dockerfile-copy-credentials',
    severity: 'warning',
    title: 'A file of credentials is copied into a layer',
    why: 'It stays in the image, also when a later instruction deletes it.',
    source: 'https://docs.docker.com/build/building/secrets/',
    fix: 'Use RUN --mount=type=secret, or do without: the organizers pass no secret.',
    kinds: ['efficiency'],
    check: eachDockerfile((model) =>
      all(model, 'COPY', 'ADD').flatMap((instruction) => {
        const named = wordsOf(instruction).slice(0, -1);
        const found = named.filter((word) => credentialFile.test(word));
        return found.map((word) => ({
          line: instruction.line,
          message: `${word} is a file of credentials.`,
        }));
      }),
    ),
  },
  {
    id: 'dockerfile-crlf',
    severity: 'info',
    title: 'Line ends of Windows in the Dockerfile',
    why: 'They can end up in arguments and file names of shell commands.',
    source: sources.dockerfile,
    fix: 'Save the file with LF.',
    kinds: ['efficiency'],
    check: eachDockerfile(({ text }) => {
      const line = text.split('\n').findIndex((one) => one.endsWith('\r'));
      return line < 0 ? [] : [{ line: line + 1, message: 'The lines end in CRLF.' }];
    }),
  },
  {
    id: 'base-image-nightly',
    severity: 'info',
    title: 'A nightly base image',
    why: 'Nightly images vanish; the submission cannot be built again.',
    source: sources.challenge,
    fix: 'Use the image of a release.',
    kinds: ['efficiency'],
    check: eachDockerfile((model) =>
      model.stages
        .filter(({ base }) => /nightly/i.test(base))
        .map(({ base, line }) => ({ line, message: `${base} is a nightly image.` })),
    ),
  },
  {
    id: 'dockerignore-missing',
    severity: 'info',
    title: 'COPY . without a .dockerignore',
    why: 'Everything in the folder gets into the image: version control, caches, weights, credentials.',
    source: 'https://docs.docker.com/build/concepts/context/#dockerignore-files',
    fix: 'Add a .dockerignore.',
    kinds: ['efficiency'],
    check: eachDockerfile((model, context) => {
      if (context.isFile('.dockerignore') || context.isFile(`${model.file}.dockerignore`)) return [];
      const whole = all(model, 'COPY', 'ADD').find(
        (instruction) =>
          !instruction.flags.some(({ name }) => name === 'from') &&
          wordsOf(instruction)
            .slice(0, -1)
            .some((word) => /^(\.\/?|\/)$/.test(word)),
      );
      return whole
        ? [{ line: whole.line, message: 'The whole folder is copied, and there is no .dockerignore.' }]
        : [];
    }),
  },
];
