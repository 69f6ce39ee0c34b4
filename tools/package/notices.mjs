// The licences of what is shipped besides our own code: most of them ask to be passed on with every copy.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../bootstrap/node-modules.mjs';

/** The packages whose code is in the bundles, as folders below the root. @param metafile esbuild's record */
function bundledPackages(metafile) {
  const folders = Object.values(metafile.outputs)
    .flatMap((output) => Object.keys(output.inputs))
    .map((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))];
}

async function noticeOf(folder) {
  const { name, version, license, repository } = JSON.parse(
    await readFile(join(root, folder, 'package.json'), 'utf8'),
  );
  const files = (await readdir(join(root, folder))).filter((file) =>
    /^(licen[cs]e|notice|copying)/i.test(file),
  );
  const texts = await Promise.all(files.map((file) => readFile(join(root, folder, file), 'utf8')));
  const from = repository?.url ?? repository ?? '';
  return [`${name} ${version} (${license}) ${from}`.trim(), ...texts.map((text) => text.trim())].join('\n\n');
}

/**
 * The text of THIRD-PARTY-NOTICES.txt.
 * @param metafile esbuild's record of the bundles
 * @param others folders of packages that are shipped as they are
 */
export async function thirdPartyNotices(metafile, others) {
  const folders = [...new Set([...bundledPackages(metafile), ...others])].sort();
  const notices = await Promise.all(folders.map(noticeOf));
  return `${notices.join(`\n\n${'─'.repeat(80)}\n\n`)}\n`;
}
