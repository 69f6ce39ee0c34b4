// The packaging itself, under the Node that the packager needs.

import { stat } from 'node:fs/promises';
import { root } from '../bootstrap/node-modules.mjs';
import { commandArguments } from '../bootstrap/shell.mjs';
import { makeVsix, targets } from './vsix.mjs';
import { readZip } from './zip.ts';

const { values } = commandArguments({
  options: {
    target: { type: 'string', default: `${process.platform}-${process.arch}` },
    out: { type: 'string', default: root },
  },
});
const known = await targets();
if (!known.includes(values.target)) {
  console.error(
    `--target ${values.target}: the native runtime has no binaries for it; known: ${known.join(', ')}`,
  );
  process.exit(2);
}
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2).padStart(7)} MB`;
try {
  const file = await makeVsix({ target: values.target, folder: values.out });
  const entries = await readZip(file);
  const biggest = entries.toSorted((a, b) => b.packed - a.packed).slice(0, 12);
  console.error('\n  packed     unpacked');
  for (const { name, packed, bytes } of biggest) {
    console.error(`${megabytes(packed)} ${megabytes(bytes.length)} ${name}`);
  }
  console.error(`${megabytes((await stat(file)).size)} in ${entries.length} files`);
  console.log(file);
} catch (error) {
  console.error(error.message);
  process.exitCode = 3;
}
