// The Porter stemmer (M. Porter, "An algorithm for suffix stripping", 1980) with the extensions that NLTK makes to it
// unless told otherwise: irregular forms, short "ies"/"ied" words, "y" after a consonant, "alli" before "bli", "fulli".

const irregular: ReadonlyMap<string, string> = new Map([
  ['skies', 'sky'],
  ['sky', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

/** `c` for each consonant, `v` for each vowel; a `y` is a vowel after a consonant. */
function shape(word: string): string {
  let result = '';
  for (const letter of word) {
    const vowel = letter === 'y' ? result.endsWith('c') : 'aeiou'.includes(letter);
    result += vowel ? 'v' : 'c';
  }
  return result;
}

/** How often vowels are followed by consonants. */
function measure(word: string): number {
  return shape(word).split('vc').length - 1;
}

function hasVowel(word: string): boolean {
  return shape(word).includes('v');
}

function endsDouble(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && shape(word).endsWith('c');
}

function endsShort(word: string): boolean {
  const form = shape(word);
  return (form.endsWith('cvc') && !/[wxy]$/.test(word)) || form === 'vc';
}

type Rule = readonly [
  suffix: string,
  replacement: string,
  condition?: (stem: string, word: string) => boolean,
];

/** Applies the first rule whose suffix fits; when its condition does not hold, the word stays. */
function apply(word: string, rules: readonly Rule[]): string {
  for (const [suffix, replacement, condition] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return condition === undefined || condition(stem, word) ? stem + replacement : word;
  }
  return word;
}

const some = (stem: string) => measure(stem) > 0;
const several = (stem: string) => measure(stem) > 1;

const plurals: readonly Rule[] = [
  ['sses', 'ss'],
  ['ies', 'i'],
  ['ss', 'ss'],
  ['s', ''],
];

// biome-ignore format: a table
const secondRules: readonly Rule[] = [
  ['ational', 'ate', some], ['tional', 'tion', some], ['enci', 'ence', some], ['anci', 'ance', some],
  ['izer', 'ize', some], ['bli', 'ble', some], ['alli', 'al', some], ['entli', 'ent', some], ['eli', 'e', some],
  ['ousli', 'ous', some], ['ization', 'ize', some], ['ation', 'ate', some], ['ator', 'ate', some],
  ['alism', 'al', some], ['iveness', 'ive', some], ['fulness', 'ful', some], ['ousness', 'ous', some],
  ['aliti', 'al', some], ['iviti', 'ive', some], ['biliti', 'ble', some], ['fulli', 'ful', some],
  ['logi', 'log', (_stem, word) => some(word.slice(0, -3))],
];

// biome-ignore format: a table
const thirdRules: readonly Rule[] = [
  ['icate', 'ic', some], ['ative', '', some], ['alize', 'al', some], ['iciti', 'ic', some], ['ical', 'ic', some],
  ['ful', '', some], ['ness', '', some],
];

// biome-ignore format: a table
const fourthRules: readonly Rule[] = [
  ['al', '', several], ['ance', '', several], ['ence', '', several], ['er', '', several], ['ic', '', several],
  ['able', '', several], ['ible', '', several], ['ant', '', several], ['ement', '', several], ['ment', '', several],
  ['ent', '', several], ['ion', '', (stem) => several(stem) && /[st]$/.test(stem)], ['ou', '', several],
  ['ism', '', several], ['ate', '', several], ['iti', '', several], ['ous', '', several], ['ive', '', several],
  ['ize', '', several],
];

function pastAndProgressive(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, -3) + (word.length === 4 ? 'ie' : 'i');
  if (word.endsWith('eed')) return some(word.slice(0, -3)) ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find((end) => word.endsWith(end) && hasVowel(word.slice(0, -end.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function derivations(word: string): string {
  if (word.endsWith('alli') && some(word.slice(0, -4))) return derivations(word.slice(0, -2));
  return apply(word, secondRules);
}

function finalE(word: string): string {
  if (!word.endsWith('e')) return word;
  const stem = word.slice(0, -1);
  const size = measure(stem);
  return size > 1 || (size === 1 && !endsShort(stem)) ? stem : word;
}

/** The stem of a word in lower case. */
export function porterStem(word: string): string {
  const known = irregular.get(word);
  if (known !== undefined) return known;
  if (word.length <= 2) return word;
  let stem = word.length === 4 && word.endsWith('ies') ? word.slice(0, -1) : apply(word, plurals);
  stem = pastAndProgressive(stem);
  stem = apply(stem, [['y', 'i', (rest) => rest.length > 1 && shape(rest).endsWith('c')]]);
  stem = apply(apply(derivations(stem), thirdRules), fourthRules);
  stem = finalE(stem);
  return stem.endsWith('ll') && several(stem.slice(0, -1)) ? stem.slice(0, -1) : stem;
}
