import { rstrip } from '../python/text.ts';
import { type AdapterSpec, type Instance, isCorrect } from '../spec.ts';

const noAnswer = 'n/a';

/** The reference prefix for the `index`-th option: its first letter or digit counted up, wherever it occurs. */
function referencePrefix(prefix: string, index: number): string {
  const first = /[\p{L}\p{N}]/u.exec(prefix)?.[0];
  if (first === undefined) return prefix;
  return prefix.replaceAll(first, letter(first, index));
}

function letter(first: string, index: number): string {
  return String.fromCodePoint((first.codePointAt(0) as number) + index);
}

function firstLetter(adapter: AdapterSpec): string {
  return /[\p{L}\p{N}]/u.exec(adapter.reference_prefix)?.[0] ?? 'A';
}

/** Letter to option, for the options of an instance. */
export function letterMapping(instance: Instance, adapter: AdapterSpec): Record<string, string> {
  const first = firstLetter(adapter);
  return Object.fromEntries(
    instance.references.map(({ output }, index) => [letter(first, index), output.text] as const),
  );
}

function answer(instance: Instance, adapter: AdapterSpec): string {
  const first = firstLetter(adapter);
  const correct = instance.references.flatMap((reference, index) => {
    if (!isCorrect(reference)) return [];
    return [adapter.method === 'multiple_choice_joint' ? letter(first, index) : reference.output.text];
  });
  if (correct.length === 0) return noAnswer;
  return adapter.multi_label ? correct.join(', ') : (correct[0] as string);
}

/** An instance as a part of the prompt: with its answer, or as the question at the end. */
function block(instance: Instance, adapter: AdapterSpec, output: string | undefined): string {
  let text = adapter.input_prefix + instance.input.text + adapter.input_suffix;
  if (adapter.method === 'multiple_choice_joint') {
    instance.references.forEach(({ output }, index) => {
      text += referencePrefix(adapter.reference_prefix, index) + output.text + adapter.reference_suffix;
    });
  }
  if (output === undefined) return text + rstrip(adapter.output_prefix);
  return text + adapter.output_prefix + output + adapter.output_suffix;
}

/** The parts of a prompt; what does not fit the window leaves from the end of `examples`. */
export interface PromptParts {
  readonly adapter: AdapterSpec;
  readonly examples: readonly string[];
  readonly question: string;
}

/** @param output what the model is to score behind the question, where it is not to answer it */
export function promptParts(
  instance: Instance,
  examples: readonly Instance[],
  adapter: AdapterSpec,
  output?: string,
): PromptParts {
  return {
    adapter,
    examples: examples.map((example) => block(example, adapter, answer(example, adapter))),
    question: block(instance, adapter, output),
  };
}

/** The prompt with its first `count` examples. */
export function promptText({ adapter, examples, question }: PromptParts, count: number): string {
  const instructions = adapter.instructions === '' ? [] : [adapter.instructions];
  const blocks = [...instructions, ...examples.slice(0, count), question].join(adapter.instance_prefix);
  return adapter.substitutions.reduce(
    (text, { source, target }) => text.replaceAll(source, target),
    adapter.global_prefix + blocks + adapter.global_suffix,
  );
}
