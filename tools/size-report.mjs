// Prints what the build wrote: one line a bundle with the size of the file itself and of all that it loads at once.
import { basename } from 'node:path';

const kilobytes = (bytes) => `${(bytes / 1e3).toFixed(0)} kB`.padStart(9);

/** Bytes of an output and of everything it imports statically, each file counted once. */
function eagerBytes(outputs, name, seen = new Set()) {
  if (seen.has(name) || outputs[name] === undefined) return 0;
  seen.add(name);
  return outputs[name].imports
    .filter((imported) => imported.kind === 'import-statement')
    .reduce((sum, imported) => sum + eagerBytes(outputs, imported.path, seen), outputs[name].bytes);
}

/** The packages that weigh most in an output, for the detailed report. */
function heaviestPackages(output, count) {
  const weights = new Map();
  for (const [input, { bytesInOutput }] of Object.entries(output.inputs)) {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? 'our own';
    weights.set(name, (weights.get(name) ?? 0) + bytesInOutput);
  }
  return [...weights].sort((a, b) => b[1] - a[1]).slice(0, count);
}

/**
 * @param metafiles esbuild's own records of what it wrote
 * @param options folder: where it was written, as the metafiles name it; detailed: chunks too, and what they hold
 */
export function reportSizes(metafiles, { folder, detailed }) {
  console.log(`${'file'.padStart(9)} ${'at once'.padStart(9)}`);
  for (const { outputs } of metafiles) {
    const names = Object.keys(outputs).filter((name) => !name.endsWith('.map'));
    for (const name of names.sort((a, b) => outputs[b].bytes - outputs[a].bytes)) {
      if (!detailed && basename(name).startsWith('chunk-')) continue;
      const heavy = heaviestPackages(outputs[name], 4).map(
        ([pkg, bytes]) => `${pkg} ${kilobytes(bytes).trim()}`,
      );
      console.log(
        `${kilobytes(outputs[name].bytes)} ${kilobytes(eagerBytes(outputs, name))} ${name.slice(folder.length + 1)}${detailed ? `  (${heavy.join(', ')})` : ''}`,
      );
    }
  }
}
