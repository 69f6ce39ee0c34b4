import * as vscode from 'vscode';
import { cancelledError } from '../base/index.ts';

export interface Choice<T> extends vscode.QuickPickItem {
  readonly value: T;
}

/** A choice from a list. */
export interface PickQuestion<T> {
  readonly placeholder: string;
  readonly choices: readonly Choice<T>[];
  /** What Enter takes at once; the first choice unless told. */
  readonly preselected?: (value: T) => boolean;
}

/** Several choices from a list; those that `preselected` names are checked at first. */
export interface PickManyQuestion<T> extends PickQuestion<T> {
  /** What is wrong with a selection; undefined when it is fine. */
  readonly problem?: (values: readonly T[]) => string | undefined;
}

/** A line of text with a default. */
export interface InputQuestion {
  readonly prompt: string;
  readonly value: string;
  readonly problem?: (value: string) => string | undefined;
}

/** Asks the question of one step. Its methods reject when the person goes back or dismisses the question. */
export interface Asker {
  pick<T>(question: PickQuestion<T>): Promise<T>;
  pickMany<T>(question: PickManyQuestion<T>): Promise<readonly T[]>;
  input(question: InputQuestion): Promise<string>;
}

/** One step: asks and returns the answers so far with its own added. */
export type Step<A> = (ask: Asker, answers: A) => Promise<A>;

/** Thrown by a question that was left by its back button. */
class WentBack extends Error {}

/**
 * Asks one question after the other, each with its number, a way back and a default. Later steps may build on earlier
 * answers, and a step may find that it has nothing to ask. Dismissing a question cancels all.
 * @param first the answers before any question
 */
export async function askAll<A>(title: string, first: A, steps: readonly Step<A>[]): Promise<A> {
  let answers = first;
  /** The steps that asked, each with the answers before it. */
  const asked: { at: number; before: A }[] = [];
  for (let at = 0; at < steps.length; at++) {
    const position = { title, step: at + 1, total: steps.length, canGoBack: asked.length > 0 };
    const before = answers;
    let hasAsked = false;
    const asker = askerFor(position, () => {
      hasAsked = true;
    });
    try {
      answers = (await steps[at]?.(asker, before)) ?? before;
      if (hasAsked) asked.push({ at, before });
    } catch (error) {
      const previous = error instanceof WentBack ? asked.pop() : undefined;
      if (previous === undefined) throw error;
      answers = previous.before;
      at = previous.at - 1;
    }
  }
  return answers;
}

type AnyInput = vscode.QuickInput & Pick<vscode.InputBox, 'buttons' | 'onDidAccept' | 'onDidTriggerButton'>;

/** Where a question stands in a row of questions; both count from 1. */
interface Position {
  readonly title: string;
  readonly step: number;
  readonly total: number;
  readonly canGoBack: boolean;
}

/** Shows an input until `answer` has a value when it is accepted, or the person goes back or dismisses it. */
async function show<V>(
  input: AnyInput,
  { title, step, total, canGoBack }: Position,
  answer: () => { readonly value: V } | undefined,
): Promise<V> {
  const listeners: vscode.Disposable[] = [input];
  input.title = title;
  input.ignoreFocusOut = true;
  if (total > 1) {
    input.step = step;
    input.totalSteps = total;
  }
  if (canGoBack) input.buttons = [vscode.QuickInputButtons.Back];
  try {
    return await new Promise((resolve, reject) => {
      listeners.push(
        input.onDidAccept(() => {
          const given = answer();
          if (given !== undefined) resolve(given.value);
        }),
        input.onDidTriggerButton(() => reject(new WentBack())),
        input.onDidHide(() => reject(cancelledError(title))),
      );
      input.show();
    });
  } finally {
    for (const listener of listeners) listener.dispose();
  }
}

function quickPick<T>({ placeholder, choices }: PickQuestion<T>): vscode.QuickPick<Choice<T>> {
  const input = vscode.window.createQuickPick<Choice<T>>();
  input.items = choices;
  input.placeholder = placeholder;
  input.matchOnDescription = true;
  return input;
}

function askerFor(position: Position, onAsk: () => void = () => {}): Asker {
  return {
    pick(question) {
      onAsk();
      const input = quickPick(question);
      const active = question.choices.find(({ value }) => question.preselected?.(value));
      if (active !== undefined) input.activeItems = [active];
      return show(input, position, () => input.activeItems[0]);
    },

    pickMany(question) {
      onAsk();
      const input = quickPick(question);
      input.canSelectMany = true;
      input.selectedItems = question.choices.filter(({ value }) => question.preselected?.(value));
      return show(input, position, () => {
        const values = input.selectedItems.map(({ value }) => value);
        const problem = question.problem?.(values);
        if (problem === undefined) return { value: values };
        input.placeholder = problem;
        return undefined;
      });
    },

    input({ prompt, value, problem }) {
      onAsk();
      const input = vscode.window.createInputBox();
      input.prompt = prompt;
      input.value = value;
      const check = () => {
        input.validationMessage = problem?.(input.value);
        return problem?.(input.value) === undefined;
      };
      const listener = input.onDidChangeValue(check);
      return show(input, position, () => (check() ? { value: input.value } : undefined)).finally(() =>
        listener.dispose(),
      );
    },
  };
}

/** One question without a row of others. */
export function askOne<T>(title: string, question: (ask: Asker) => Promise<T>): Promise<T> {
  return question(askerFor({ title, step: 1, total: 1, canGoBack: false }));
}
