// When two answers to a problem of competition mathematics are the same but for how they are written: the rules of the
// MATH dataset's authors (Hendrycks et al. 2021), as HELM applies them.

/** Where the rules have no answer; the texts are then compared as they are. */
class NoRule extends Error {}

/** What stands in the last `\boxed{…}` of a solution; undefined where there is none, or it is `\fbox`, or open. */
export function boxedAnswer(solution: string): string | undefined {
  const start = solution.lastIndexOf('\\boxed');
  if (start < 0) return undefined;
  let depth = 0;
  for (let i = start; i < solution.length; i++) {
    if (solution[i] === '{') depth++;
    if (solution[i] === '}' && --depth === 0) {
      const box = solution.slice(start, i + 1);
      return box.startsWith('\\boxed{') ? box.slice('\\boxed{'.length, -1) : undefined;
    }
  }
  return undefined;
}

/** Characters as Python counts them. */
function firstOf(text: string): string {
  const code = text.codePointAt(0);
  if (code === undefined) throw new NoRule();
  return String.fromCodePoint(code);
}

/** `\frac12` and its like get their braces; an unfinished fraction leaves the text as it is. */
function braceFractions(text: string): string {
  const [start = '', ...fractions] = text.split('\\frac');
  let result = start;
  for (const rest of fractions) {
    const top = firstOf(rest);
    const below = rest.slice(top.length);
    if (top === '{') result += `\\frac${rest}`;
    else if (below === '') return text;
    else {
      const bottom = firstOf(below);
      const after = below.slice(bottom.length);
      result += `\\frac{${top}}${bottom === '{' ? bottom : `{${bottom}}`}${after}`;
    }
  }
  return result;
}

/** `\sqrt3` gets its braces. */
function braceRoots(text: string): string {
  const [start = '', ...roots] = text.split('\\sqrt');
  const braced = roots.map((rest) => {
    const first = firstOf(rest);
    return `\\sqrt${first === '{' ? rest : `{${first}}${rest.slice(first.length)}`}`;
  });
  return start + braced.join('');
}

/** What stands before a unit, which only ever begins as `\text{ `. */
function withoutUnit(text: string): string {
  const [value = '', ...units] = text.split('\\text{ ');
  if (units.length > 1) throw new NoRule();
  return value;
}

/** Left out or replaced, one after the other. */
const spellings: readonly (readonly [from: string, to: string])[] = [
  ['\n', ''],
  ['\\!', ''],
  ['\\\\', '\\'],
  ['tfrac', 'frac'],
  ['dfrac', 'frac'],
  ['\\left', ''],
  ['\\right', ''],
  ['^{\\circ}', ''],
  ['^\\circ', ''],
  ['\\$', ''],
];

function canonical(answer: string): string {
  let text = answer;
  for (const [from, to] of spellings) text = text.replaceAll(from, to);
  text = withoutUnit(text).replaceAll('\\%', '').replaceAll(' .', ' 0.').replaceAll('{.', '{0.');
  if (text.startsWith('.')) text = `0${text}`;
  // Such as "k = 5".
  const sides = text.split('=');
  if (sides.length === 2 && [...(sides[0] ?? '')].length <= 2) text = sides[1] ?? '';
  text = braceFractions(braceRoots(text).replaceAll(' ', ''));
  if (text === '0.5') return '\\frac{1}{2}';
  const fraction = /^(0|-?[1-9][0-9]*)\/(0|-?[1-9][0-9]*)$/.exec(text);
  return fraction ? `\\frac{${fraction[1]}}{${fraction[2]}}` : text;
}

function same(gold: string, prediction: string): boolean {
  try {
    return canonical(gold) === canonical(prediction);
  } catch (error) {
    if (error instanceof NoRule) return gold === prediction;
    throw error;
  }
}

/** 1 where the two answers are the same, else 0. */
export function mathEquiv(gold: string, prediction: string): number {
  return same(gold, prediction) ? 1 : 0;
}

/** Compares what the two solutions box; two solutions that box nothing are the same. */
export function mathEquivChainOfThought(gold: string, prediction: string): number {
  const golds = boxedAnswer(gold);
  const predictions = boxedAnswer(prediction);
  if (golds === undefined || predictions === undefined) return golds === predictions ? 1 : 0;
  return mathEquiv(golds, predictions);
}
