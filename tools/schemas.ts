// Writes the JSON schemas by which an editor checks and completes our YAML files; the build bundles and runs it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recipeJsonSchema } from '../src/merge/index.ts';
import { submissionFileJsonSchema, trackJsonSchema } from '../src/submission/index.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('schemas: no folder given');
mkdirSync(folder, { recursive: true });
const schemas = {
  recipe: recipeJsonSchema(),
  submission: submissionFileJsonSchema(),
  track: trackJsonSchema(),
};
for (const [name, schema] of Object.entries(schemas)) {
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(schema));
}
