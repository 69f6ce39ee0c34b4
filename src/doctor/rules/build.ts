import { posix } from 'node:path';
import type { DoctorContext } from '../context.ts';
import { type DockerfileModel, shellOf } from '../parsers/dockerfile.ts';
import {
  type PipInstall,
  type Requirement,
  readPipInstall,
  readRequirement,
  readRequirements,
} from '../parsers/pip.ts';
import type { ShellCommand } from '../parsers/shell.ts';
import { type Problem, type Rule, sources } from '../rule.ts';

interface BuildCommand {
  readonly model: DockerfileModel;
  readonly command: ShellCommand;
  /** How many commands the RUN has. */
  readonly among: number;
}

/** The commands of every RUN in shell form, of every Dockerfile at the root. */
async function buildCommands(context: DoctorContext): Promise<BuildCommand[]> {
  const found: BuildCommand[] = [];
  for (const model of await context.dockerfiles()) {
    for (const instruction of model.instructions) {
      if (instruction.keyword !== 'RUN' || instruction.exec) continue;
      const { commands } = await shellOf(instruction);
      found.push(...commands.map((command) => ({ model, command, among: commands.length })));
    }
  }
  return found;
}

async function pipInstalls(
  context: DoctorContext,
): Promise<{ model: DockerfileModel; install: PipInstall }[]> {
  return (await buildCommands(context)).flatMap(({ model, command }) => {
    const install = readPipInstall(command);
    return install ? [{ model, install }] : [];
  });
}

/** Requirements files that the Dockerfiles install, by their path in the submission. */
async function installedRequirements(
  context: DoctorContext,
): Promise<{ file: string; requirements: Requirement[] }[]> {
  const image = await context.image();
  const files = new Set<string>();
  for (const { install } of await pipInstalls(context)) {
    for (const { name, value } of install.options) {
      if ((name !== '-r' && name !== '--requirement') || value === undefined) continue;
      const located = image?.locate(posix.resolve(image.workdir, value.text));
      if (located?.from === 'context') files.add(located.path);
      else if (located?.from === 'nowhere' && context.isFile(value.text)) files.add(value.text);
    }
  }
  const found: { file: string; requirements: Requirement[] }[] = [];
  for (const file of files)
    found.push({ file, requirements: readRequirements((await context.text(file)) ?? '') });
  return found;
}

/** What a `git+` requirement names after its last `@`; undefined when it names nothing. */
function gitReference(text: string): { reference?: string } | undefined {
  if (!text.includes('git+')) return undefined;
  const path = text
    .slice(text.indexOf('git+'))
    .replace(/[#?].*$/s, '')
    .replace(/^git\+\w+:\/\/([^/@]*@)?/, '');
  const at = path.lastIndexOf('@');
  return at < 0 ? {} : { reference: path.slice(at + 1) };
}

const movingReference = /^(main|master|dev|develop|HEAD|latest|trunk|nightly)$/i;

/** Every requirement with its place: those of the Dockerfiles and those of the files that they install. */
async function allRequirements(
  context: DoctorContext,
): Promise<{ file: string; line: number; text: string }[]> {
  const found: { file: string; line: number; text: string }[] = [];
  for (const { model, install } of await pipInstalls(context)) {
    for (const { text, line } of install.requirements) found.push({ file: model.file, line, text });
    for (const { name, value } of install.options) {
      if ((name === '-e' || name === '--editable') && value)
        found.push({ file: model.file, line: value.line, text: value.text });
    }
  }
  for (const { file, requirements } of await installedRequirements(context)) {
    for (const { text, line } of requirements) found.push({ file, line, text });
  }
  return found;
}

/** Packages that only conda has. */
const condaOnly = new Set([
  'pytorch-cuda',
  'pytorch-mutex',
  'cudatoolkit',
  'cudatoolkit-dev',
  'cuda-nvcc',
  'cuda-toolkit',
  'libgcc-ng',
  'libstdcxx-ng',
]);
/** Modules of Python itself that stand on PyPI as well, old or empty. */
const backports = new Set([
  'typing',
  'asyncio',
  'pathlib',
  'dataclasses',
  'argparse',
  'enum34',
  'uuid',
  'futures',
  'contextvars',
]);

async function byName(
  context: DoctorContext,
  names: ReadonlySet<string>,
  message: (name: string) => string,
): Promise<Problem[]> {
  return (await allRequirements(context)).flatMap(({ file, line, text }) => {
    const name = readRequirement(text, line)?.name;
    return name && names.has(name) ? [{ file, line, message: message(name) }] : [];
  });
}

const has = (words: readonly string[], ...options: string[]) => words.some((word) => options.includes(word));

const efficiency = ['efficiency'] as const;

export const buildRules: readonly Rule[] = [
  {
    id: 'dockerfile-pip-bad-option',
    severity: 'error',
    title: 'An option that pip does not know',
    why: 'pip stops with an error, and with it the organizers’ `docker build`.',
    source: 'https://pip.pypa.io/en/stable/cli/pip_install/',
    fix: 'Correct the option.',
    kinds: efficiency,
    check: async (context) =>
      (await pipInstalls(context)).flatMap(({ model, install }) =>
        install.unknown.map(({ text, line }) => ({
          file: model.file,
          line,
          message: `pip install has no option ${text}.`,
        })),
      ),
  },
  {
    id: 'dockerfile-pip-redirect',
    severity: 'warning',
    title: 'An unquoted > in pip install',
    why: 'The shell takes `name>=1.0` apart: any version is installed, and a file named `=1.0` is written.',
    source: sources.dockerfile,
    fix: 'Put the requirement in quotes.',
    kinds: efficiency,
    check: async (context) =>
      (await buildCommands(context)).flatMap(({ model, command }) =>
        readPipInstall(command)
          ? command.redirects
              .filter(({ operator, target }) => /^[<>]$/.test(operator) && /^=?\d|^=/.test(target.text))
              .map(({ operator, target, line }) => ({
                file: model.file,
                line,
                message: `The shell reads ${operator}${target.text} as a file.`,
              }))
          : [],
      ),
  },
  {
    id: 'dockerfile-git-ref-malformed',
    severity: 'error',
    title: 'A damaged commit id',
    why: 'git finds no commit of that name, and the organizers’ `docker build` stops.',
    source: sources.dockerfile,
    fix: 'Write the 40 digits of the commit.',
    kinds: efficiency,
    check: async (context) =>
      (await allRequirements(context)).flatMap(({ file, line, text }) => {
        const reference = gitReference(text)?.reference ?? '';
        const damaged = /^[0-9a-f]{20,}/.test(reference) && !/^[0-9a-f]{40}$/.test(reference);
        return damaged
          ? [
              {
                file,
                line,
                message: `${reference} is no commit id: it has ${reference.length} characters, or others than hexadecimal digits.`,
              },
            ]
          : [];
      }),
  },
  {
    id: 'pip-git-unpinned',
    severity: 'warning',
    title: 'A package from a moving branch',
    why: 'Submissions must be reproducible; the branch will hold something else.',
    source: sources.challenge,
    fix: 'Append @ and a commit or tag.',
    kinds: efficiency,
    check: async (context) =>
      (await allRequirements(context)).flatMap(({ file, line, text }) => {
        const git = gitReference(text);
        if (git === undefined || (git.reference !== undefined && !movingReference.test(git.reference)))
          return [];
        return [
          {
            file,
            line,
            message: git.reference
              ? `${git.reference} is a branch that moves.`
              : 'The package comes from a branch that moves.',
          },
        ];
      }),
  },
  {
    id: 'pip-prerelease',
    severity: 'warning',
    title: 'A pre-release or nightly build of a package',
    why: 'Nightly builds vanish; the image cannot be built again.',
    source: sources.challenge,
    fix: 'Install a release.',
    kinds: efficiency,
    check: async (context) =>
      (await pipInstalls(context)).flatMap(({ model, install }) => {
        const found = install.options.find(
          ({ name, value }) => name === '--pre' || /\/nightly\b/.test(value?.text ?? ''),
        );
        return found
          ? [{ file: model.file, line: found.word.line, message: 'pip installs pre-releases here.' }]
          : [];
      }),
  },
  {
    id: 'pip-nonstandard-index',
    severity: 'warning',
    title: 'A package from test.pypi.org',
    why: 'Anyone can put a package of any name there, and it is emptied from time to time.',
    source: 'https://packaging.python.org/en/latest/guides/using-testpypi/',
    fix: 'Install from PyPI.',
    kinds: efficiency,
    check: async (context) =>
      (await pipInstalls(context)).flatMap(({ model, install }) => {
        const found = install.options.find(({ value }) => value?.text.includes('test.pypi.org'));
        return found
          ? [{ file: model.file, line: found.word.line, message: 'Packages come from test.pypi.org.' }]
          : [];
      }),
  },
  {
    id: 'pip-install-unpinned',
    severity: 'info',
    title: 'Packages without versions in the Dockerfile',
    why: 'The image that is built later may hold other versions.',
    source: sources.challenge,
    fix: 'Give each package its version.',
    kinds: efficiency,
    check: async (context) =>
      (await pipInstalls(context)).flatMap(({ model, install }) => {
        const loose = install.requirements.filter(({ text, line, variables }) => {
          const requirement = readRequirement(text, line);
          return (
            requirement &&
            !requirement.pinned &&
            variables.length === 0 &&
            !/^(pip|setuptools|wheel)$/.test(requirement.name ?? '')
          );
        });
        const [first] = loose;
        if (first === undefined) return [];
        return [
          {
            file: model.file,
            line: first.line,
            message: `No version: ${loose.map(({ text }) => text).join(', ')}.`,
          },
        ];
      }),
  },
  {
    id: 'requirements-unpinned',
    severity: 'info',
    title: 'Requirements without a version',
    why: 'The image that is built later may hold other versions.',
    source: sources.challenge,
    fix: 'Give each package its version.',
    kinds: efficiency,
    check: async (context) =>
      (await installedRequirements(context)).flatMap(({ file, requirements }) => {
        const loose = requirements.filter(({ pinned }) => !pinned);
        const [first] = loose;
        return first
          ? [{ file, line: first.line, message: `No version: ${loose.map(({ text }) => text).join(', ')}.` }]
          : [];
      }),
  },
  {
    id: 'requirements-not-on-pypi',
    severity: 'error',
    title: 'A package that pip cannot find',
    why: 'It is a package of conda; pip stops with an error, and with it the organizers’ `docker build`.',
    source: 'https://pypi.org',
    fix: 'Remove it.',
    kinds: efficiency,
    check: (context) => byName(context, condaOnly, (name) => `${name} is a package of conda, not of PyPI.`),
  },
  {
    id: 'requirements-stdlib-name',
    severity: 'warning',
    title: 'A module of Python itself is installed from PyPI',
    why: 'What stands on PyPI under that name is an old backport or nothing, and can break Python.',
    source: 'https://pypi.org',
    fix: 'Remove it.',
    kinds: efficiency,
    check: (context) => byName(context, backports, (name) => `${name} is a part of Python.`),
  },
  {
    id: 'dockerfile-apt-no-yes',
    severity: 'warning',
    title: 'apt-get install without -y',
    why: 'It asks, nobody answers, and the organizers’ `docker build` stops.',
    source: sources.dockerfile,
    fix: 'Add -y.',
    kinds: efficiency,
    check: async (context) =>
      (await buildCommands(context)).flatMap(({ model, command }) => {
        const words = command.words.map(({ text }) => text).filter((text) => text !== 'sudo');
        if (!/^(apt-get|apt)$/.test(words[0] ?? '') || !words.includes('install')) return [];
        if (
          has(words, '--yes', '--assume-yes', '-qq') ||
          words.some((word) => /^-[a-z]*y/.test(word) || /^-q=\d|^-o$/.test(word))
        )
          return [];
        return [
          { file: model.file, line: command.line, message: 'apt-get install asks before it installs.' },
        ];
      }),
  },
  {
    id: 'dockerfile-run-no-effect',
    severity: 'warning',
    title: 'RUN export or RUN cd has no effect',
    why: 'Every RUN is a shell of its own: the variable or folder is forgotten when it ends.',
    source: sources.dockerfile,
    fix: 'Use ENV or WORKDIR.',
    kinds: efficiency,
    check: async (context) =>
      (await buildCommands(context)).flatMap(({ model, command, among }) => {
        const name = command.words[0]?.text;
        const alone = among === 1 && (name === 'export' || name === 'cd');
        return alone
          ? [
              {
                file: model.file,
                line: command.line,
                message: `RUN ${name} changes nothing for what follows.`,
                fix: name === 'cd' ? 'Use WORKDIR.' : 'Use ENV.',
              },
            ]
          : [];
      }),
  },
];
