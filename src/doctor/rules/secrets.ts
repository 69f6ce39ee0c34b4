import type { DoctorContext } from '../context.ts';
import { type Problem, type Rule, sources } from '../rule.ts';
import { findSecrets, type Secret } from '../secrets.ts';

/** Every secret of the submission with the file in which it stands. */
async function allSecrets(context: DoctorContext): Promise<(Secret & { file: string })[]> {
  const found: (Secret & { file: string })[] = [];
  for (const { path } of context.files) {
    const compiled = path.endsWith('.pyc');
    const content = compiled ? await context.bytes(path) : await context.text(path);
    if (content === undefined) continue;
    for (const secret of findSecrets(content)) {
      found.push({ ...secret, file: path, line: compiled ? 1 : secret.line });
    }
  }
  return found;
}

/** One problem a line: a token that stands twice on it leaks once. */
function problemsOf(
  secrets: readonly (Secret & { file: string })[],
  message: (masked: string) => string,
): Problem[] {
  const byPlace = new Map(secrets.map((secret) => [`${secret.file}\n${secret.line}`, secret]));
  return [...byPlace.values()].map(({ file, line, masked }) => ({ file, line, message: message(masked) }));
}

const everywhere = ['merging', 'efficiency'] as const;

export const secretRules: readonly Rule[] = [
  {
    id: 'secret-hf-token',
    severity: 'error',
    title: 'A Hugging Face token lies in the submission',
    why: 'Whoever receives the submission can act in your name. The organizers pass no secret and need none.',
    source: sources.tokens,
    fix: 'Remove it, revoke it in the settings of your account, and use public models that need no token.',
    kinds: everywhere,
    check: async (context) =>
      problemsOf(
        (await allSecrets(context)).filter(({ kind }) => kind === 'hf-token'),
        (masked) => `Hugging Face token ${masked} in the submission.`,
      ),
  },
  {
    id: 'secret-wandb-key',
    severity: 'error',
    title: 'A Weights & Biases key lies in the submission',
    why: 'Whoever receives the submission can act in your name.',
    source: sources.pipeline,
    fix: 'Remove it and revoke it in the settings of your account.',
    kinds: everywhere,
    check: async (context) =>
      problemsOf(
        (await allSecrets(context)).filter(({ kind }) => kind === 'wandb-key'),
        (masked) => `Weights & Biases key ${masked} in the submission.`,
      ),
  },
  {
    id: 'secret-env-file',
    severity: 'warning',
    title: 'A .env file with a credential lies in the submission',
    why: 'A .env file is made to hold what nobody else may see.',
    source: sources.pipeline,
    fix: 'Add it to .gitignore and .dockerignore.',
    kinds: everywhere,
    async check(context) {
      const problems: Problem[] = [];
      for (const { path } of context.files) {
        if (!/(^|\/)\.env(\..+)?$/.test(path)) continue;
        const [secret] = findSecrets((await context.text(path)) ?? '');
        if (secret)
          problems.push({ file: path, line: secret.line, message: 'This .env file holds a credential.' });
      }
      return problems;
    },
  },
];
