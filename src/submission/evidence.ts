import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { submissionFileName } from './submission-file.ts';
import type { Evidence, KitGeneration, SubmissionKind } from './types.ts';

/** Larger files are not read to find out what a folder is. */
const readLimit = 256 * 1024;

/** `Dockerfile`, `dockerfile`, `Dockerfile.train`, `serve.Dockerfile`, `Dockerfile_eval`; no notes about one. */
export function isDockerfileName(name: string): boolean {
  const notes = /\.(md|txt|rst|html|dockerignore|bak|orig)$/i;
  return /(^|[._-])dockerfile($|[._-])/i.test(name) && !notes.test(name);
}

/** Which generation of the kit a main.py is of: July's asks for entry points, September's has a dictionary. */
export function kitGeneration(mainPy: string): KitGeneration {
  return /entry_points\(\s*group\s*=/.test(mainPy) ? 'july' : 'september';
}

/** Names of what lies directly in a folder. */
export interface FolderContent {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

/** What the files of one folder show. */
export interface FolderEvidence {
  readonly evidence: readonly Evidence[];
  readonly kind?: SubmissionKind;
  readonly kit?: KitGeneration;
  /** Enough to be a submission of its own inside the folder of another one. */
  readonly strong: boolean;
}

async function readSmall(path: string): Promise<string> {
  try {
    return (await stat(path)).size > readLimit ? '' : await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

function lineOf(text: string, pattern: RegExp): number | undefined {
  const match = pattern.exec(text);
  return match ? text.slice(0, match.index).split('\n').length : undefined;
}

// Looking for evidence must be quick and loads no parser; the doctor reads the same with one.
const processRoute =
  /^[ \t]*@?[\w.]+\.(post|route|api_route|add_api_route|add_url_rule)\(\s*(path\s*=\s*)?["']\/process["']/m;

/** The file that shows a merging kit, or its inner package in place of the whole. */
function kitEvidence(
  path: string,
  { files, folders }: FolderContent,
  inner: FolderContent | undefined,
): Evidence | undefined {
  if (inner?.files.includes('main.py'))
    return { file: 'llm_merging/main.py', shows: 'main.py of the merging kit' };
  if (inner) return { file: 'llm_merging', shows: 'package of the merging kit' };
  const innerOfKit = path !== '' && basename(path) === 'llm_merging';
  return folders.includes('merging') && files.includes('setup.py') && !innerOfKit
    ? { file: 'setup.py', shows: 'inner package of the merging kit: setup.py beside merging/' }
    : undefined;
}

async function recipeEvidence(folder: string, files: readonly string[]): Promise<Evidence | undefined> {
  // Beside weights mergekit's copy says how a checkpoint was made; that makes no submission of it.
  const merged = files.some((file) => file.endsWith('.safetensors'));
  for (const file of files) {
    if (!/^(recipe|merge|mergekit_config|config)\.ya?ml$/i.test(file)) continue;
    if (merged && file.startsWith('mergekit_config')) continue;
    const line = lineOf(await readSmall(join(folder, file)), /^merge_method\s*:/m);
    if (line !== undefined) return { file, line, shows: 'merge recipe' };
  }
  return undefined;
}

async function serverEvidence(folder: string, files: readonly string[]): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (const file of files.filter((name) => name.endsWith('.py'))) {
    const line = lineOf(await readSmall(join(folder, file)), processRoute);
    if (line !== undefined) found.push({ file, line, shows: 'server with a /process route' });
  }
  return found;
}

/**
 * What one folder shows about itself.
 * @param root the folder where the search began; `path` is the one to look at, relative to it
 * @param inner content of its folder `llm_merging`
 */
export async function lookAt(
  root: string,
  path: string,
  content: FolderContent,
  inner?: FolderContent,
): Promise<FolderEvidence> {
  const folder = join(root, path);
  const kit = kitEvidence(path, content, inner);
  const dockerfiles = content.files
    .filter(isDockerfileName)
    .map((file): Evidence => ({ file, shows: 'Dockerfile' }));
  const servers = await serverEvidence(folder, content.files);
  const recipe = await recipeEvidence(folder, content.files);
  const own = content.files.includes(submissionFileName)
    ? [{ file: submissionFileName, shows: 'our own file' }]
    : [];
  const efficiency = [...dockerfiles, ...servers];
  const merging = [...(kit ? [kit] : []), ...(recipe ? [recipe] : [])];
  // A kit says more than a Dockerfile, a Dockerfile more than a recipe.
  const kind = kit ? 'merging' : efficiency.length > 0 ? 'efficiency' : recipe ? 'merging' : undefined;
  const generation =
    kit?.file === 'llm_merging/main.py'
      ? kitGeneration(await readSmall(join(folder, 'llm_merging', 'main.py')))
      : undefined;
  return {
    evidence: [...merging, ...efficiency, ...own],
    ...(kind ? { kind } : {}),
    ...(generation ? { kit: generation } : {}),
    strong: kit !== undefined || own.length > 0 || (dockerfiles.length > 0 && servers.length > 0),
  };
}
