import { basename } from 'node:path';
import { stringify } from 'yaml';
import type { MergePlan } from './plan.ts';

/** The model card of a merge: what it was made of and how, with the recipe itself. */
export function modelCard(plan: MergePlan, title: string): string {
  const { method, recipe, inputs } = plan;
  const front = stringify({ base_model: [], library_name: 'transformers', tags: ['mergekit', 'merge'] });
  const name = method.paper ? `[${method.title}](${method.paper.url})` : method.title;
  const base = inputs.find((input) => input.isBase);
  const others = inputs.filter((input) => input !== base || method.inputs.base === 'ignored');
  return [
    `---\n${front}---`,
    `# ${title}`,
    `A merge of ${others.length === 1 ? 'one model' : `${others.length} models`} with the method ${name}.`,
    ...(base ? [`Base model: ${modelName(base.name)}`] : []),
    ['Models:', '', ...others.map((input) => `- ${modelName(input.name)}`)].join('\n'),
    `## Recipe\n\n\`\`\`yaml\n${recipe.text.trimEnd()}\n\`\`\``,
    '',
  ].join('\n\n');
}

/** A model's name without the folders of the machine that it was merged on. */
function modelName(name: string): string {
  return name.startsWith('/') || name.includes('\\') || name.startsWith('.') ? basename(name) : name;
}
