import type { PythonRandom } from '../python/random.ts';
import { alternatives, matchCase, noWordCharacter } from './words.ts';

/** Pronouns of men and of women; where one word has two counterparts, the first pair has changed it already. */
const pronouns = [
  ['he', 'she'],
  ['him', 'her'],
  ['his', 'her'],
  ['his', 'hers'],
  ['himself', 'herself'],
] as const;

/** Puts `replacement` into a match of a word with its neighbours. HELM draws once for each, also where all are replaced. */
function replaceWord(random: PythonRandom, replacement: (word: string) => string) {
  return (match: string, word: string): string => {
    random.random();
    const other = replacement(word);
    return match.replaceAll(word, () => other);
  };
}

/** Pronouns of men become those of women. */
export function femalePronouns(text: string, random: PythonRandom): string {
  return pronouns.reduce((changed, [male, female]) => {
    const between = new RegExp(`${noWordCharacter}(${male})${noWordCharacter}`, 'giu');
    return changed.replace(
      between,
      replaceWord(random, (word) => matchCase(word, female)),
    );
  }, text);
}

/** Words of standard American English become African American English where the list knows them. */
export function dialect(words: ReadonlyMap<string, readonly string[]>) {
  const outside = '[^\\p{L}\\p{N}_\\-]';
  const between = new RegExp(`${outside}(${alternatives(words.keys())})${outside}`, 'giu');
  return (text: string, random: PythonRandom): string =>
    text.replace(
      between,
      replaceWord(random, (word) => matchCase(word, random.choice(words.get(word.toLowerCase()) ?? [word]))),
    );
}

/** First names common among white Americans become names common among black Americans, of the same gender. */
export class FirstNames {
  private readonly source: ReadonlySet<string>;
  private readonly target: readonly string[];
  private readonly genders: ReadonlyMap<string, readonly string[]>;

  constructor(lines: readonly string[]) {
    const categories = new Map<string, string[]>();
    for (const line of lines) {
      const [name = '', type, ...values] = line.split(',');
      if (type !== 'first_name') continue;
      for (let i = 0; i + 1 < values.length; i += 2) {
        const key = `${values[i]}=${values[i + 1]}`;
        categories.set(key, [...(categories.get(key) ?? []), name.trim().toLowerCase()]);
      }
    }
    this.source = new Set(categories.get('race=white_american'));
    this.target = categories.get('race=black_american') ?? [];
    this.genders = new Map(
      ['female', 'male', 'neutral'].map(
        (gender) => [gender, categories.get(`gender=${gender}`) ?? []] as const,
      ),
    );
  }

  /** Changes the texts of one instance one after the other; a name that was changed is changed alike in all of them. */
  replacer(random: PythonRandom): (text: string) => string {
    const chosen = new Map<string, string>();
    return (text) =>
      text
        .split(new RegExp(`(${noWordCharacter})`, 'u'))
        .map((token) => {
          const name = token.toLowerCase();
          if (!chosen.has(name) && this.source.has(name)) {
            random.random();
            const substitute = this.substitute(name, random);
            if (substitute !== undefined) chosen.set(name, substitute);
          }
          const substitute = chosen.get(name);
          return substitute === undefined ? token : matchCase(token, substitute);
        })
        .join('');
  }

  private substitute(name: string, random: PythonRandom): string | undefined {
    const own = [...this.genders.values()].find((names) => names.includes(name));
    const options = own ? this.target.filter((candidate) => own.includes(candidate)) : this.target;
    return options.length > 0 ? random.choice(options) : undefined;
  }
}
