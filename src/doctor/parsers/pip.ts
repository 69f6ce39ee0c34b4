import { posix } from 'node:path';
import type { ShellCommand, ShellWord } from './shell.ts';

/** Options of `pip install` that take a value. */
const withValue = new Set(
  '-r --requirement -c --constraint -e --editable -t --target --platform --python-version --implementation --abi --root --prefix --src --upgrade-strategy -C --config-settings --config-setting --global-option --build-option --install-option --no-binary --only-binary --progress-bar --root-user-action --report -i --index-url --pypi-url --extra-index-url -f --find-links --python --log --log-file --local-log --keyring-provider --proxy --retries --timeout --default-timeout --exists-action --trusted-host --cert --client-cert --cache-dir --use-feature --use-deprecated --group --resume-retries --build-constraint --uploaded-prior-to --hash'.split(
    ' ',
  ),
);

/** Options that take none. */
const plain = new Set(
  '--no-deps --no-dependencies --pre --dry-run --user --egg -U --upgrade --force-reinstall -I --ignore-installed --ignore-requires-python --no-build-isolation --use-pep517 --no-use-pep517 --check-build-dependencies --break-system-packages --compile --no-compile --no-warn-script-location --no-warn-conflicts --prefer-binary --require-hashes --no-clean --no-index --process-dependency-links -h --help --debug --isolated --require-virtualenv --require-venv -v --verbose -V --version -q --quiet --no-input --no-cache-dir --disable-pip-version-check --no-color --no-python-version-warning --build --download --no-download'.split(
    ' ',
  ),
);

/** One `pip install`. */
export interface PipInstall {
  readonly options: readonly {
    readonly name: string;
    readonly value?: ShellWord;
    readonly word: ShellWord;
  }[];
  /** What is named to be installed, options left aside. */
  readonly requirements: readonly ShellWord[];
  /** Options that no pip knows. */
  readonly unknown: readonly ShellWord[];
  readonly command: ShellCommand;
}

/** The words after `pip install`; undefined for any other command. */
function installWords(command: ShellCommand): readonly ShellWord[] | undefined {
  const words = [...command.words];
  while (/^(sudo|exec|env|time|\w+=.*)$/.test(words[0]?.text ?? '')) words.shift();
  const texts = words.map(({ text }) => text);
  const run =
    texts[0] === 'conda' || texts[0] === 'mamba'
      ? texts.findIndex((text) => /(^|\/)(pip3?|python3?)$/.test(text))
      : 0;
  if (run < 0) return undefined;
  const rest = words.slice(run);
  const name = posix.basename(rest[0]?.text ?? '');
  let at = 1;
  if (/^python[\d.]*$/.test(name)) {
    if (rest[1]?.text !== '-m' || rest[2]?.text !== 'pip') return undefined;
    at = 3;
  } else if (!/^pip[\d.]*$/.test(name)) return undefined;
  while (rest[at]?.text.startsWith('-')) at += withValue.has(rest[at]?.text ?? '') ? 2 : 1;
  return rest[at]?.text === 'install' ? rest.slice(at + 1) : undefined;
}

/** The known option that a long one means: pip takes a beginning that only one option has. */
function longOption(name: string): string | undefined {
  const all = [...withValue, ...plain];
  if (all.includes(name)) return name;
  const found = all.filter((one) => one.startsWith(name));
  return found.length > 0 ? found[0] : undefined;
}

/** Reads a command as `pip install`; undefined when it is none. */
export function readPipInstall(command: ShellCommand): PipInstall | undefined {
  const words = installWords(command);
  if (words === undefined) return undefined;
  const options: PipInstall['options'][number][] = [];
  const requirements: ShellWord[] = [];
  const unknown: ShellWord[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as ShellWord;
    const { text } = word;
    if (!text.startsWith('-') || text === '-') {
      if (text !== '-') requirements.push(word);
      continue;
    }
    if (text.startsWith('--')) {
      const [given = '', value] = text.split(/=(.*)/s);
      const name = longOption(given);
      if (name === undefined) {
        unknown.push(word);
        continue;
      }
      const takes = withValue.has(name);
      const own = value === undefined ? (takes ? words[++at] : undefined) : { ...word, text: value };
      options.push({ name, word, ...(own ? { value: own } : {}) });
      continue;
    }
    // Short options can stand together: -qU; one that takes a value ends the group, which may hold the value.
    for (let index = 1; index < text.length; index++) {
      const name = `-${text[index]}`;
      if (withValue.has(name)) {
        const inside = text.slice(index + 1);
        const own = inside === '' ? words[++at] : { ...word, text: inside };
        options.push({ name, word, ...(own ? { value: own } : {}) });
        break;
      }
      if (plain.has(name)) options.push({ name, word });
      else {
        unknown.push(word);
        break;
      }
    }
  }
  return { options, requirements, unknown, command };
}

/** One line of a requirements file. */
export interface Requirement {
  readonly text: string;
  readonly line: number;
  /** Lower case, `-` for `_` and `.`; undefined for a URL or path. */
  readonly name?: string;
  /** A version, URL or path fixes what is installed. */
  readonly pinned: boolean;
}

/** Reads a requirement as it stands in a file or after `pip install`. */
export function readRequirement(text: string, line: number): Requirement | undefined {
  const plainText = text.replace(/(^|\s)#.*$/, '').trim();
  if (plainText === '' || plainText.startsWith('-')) return undefined;
  if (/^(git\+|https?:|file:|\.{0,2}\/|\.$)|\.(whl|tar\.gz|zip)$|^\.\[/.test(plainText))
    return { text: plainText, line, pinned: true };
  const match = /^([A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?\s*(.*)$/s.exec(plainText);
  if (!match?.[1]) return undefined;
  const rest = (match[2] ?? '').split(';')[0]?.trim() ?? '';
  return { text: plainText, line, name: match[1].toLowerCase().replace(/[_.]+/g, '-'), pinned: rest !== '' };
}

/** The lines of a requirements file that name something to install. */
export function readRequirements(text: string): Requirement[] {
  return text
    .split(/\r?\n/)
    .map((line, index) => readRequirement(line, index + 1))
    .filter((requirement) => requirement !== undefined);
}
