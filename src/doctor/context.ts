import { isDockerfileName, type SubmissionKind, type Track } from '../submission/index.ts';
import { buildImage, type Image } from './image.ts';
import { type DockerfileModel, parseDockerfile } from './parsers/dockerfile.ts';
import { type Ignores, parseDockerignore } from './parsers/dockerignore.ts';
import { type PythonModule, parsePython } from './parsers/python.ts';
import { findServed, type Served } from './served.ts';
import type { SubmissionEntry, SubmissionSource } from './source.ts';

/** Larger files are not read: a text that people wrote is smaller. */
const textLimit = 1024 * 1024;

export interface ContextOptions {
  readonly source: SubmissionSource;
  readonly kind: SubmissionKind;
  readonly track: Track;
}

/**
 * What rules ask about a submission. Everything is read at most once and on first use; nothing of the submission is run.
 */
export class DoctorContext {
  /** Name of the submission's folder. */
  readonly name: string;
  readonly kind: SubmissionKind;
  readonly track: Track;
  readonly entries: readonly SubmissionEntry[];
  private readonly source: SubmissionSource;
  private readonly byPath: ReadonlyMap<string, SubmissionEntry>;
  private readonly bytesByPath = new Map<string, Promise<Uint8Array | undefined>>();
  private readonly modules = new Map<string, Promise<PythonModule | undefined>>();
  private readonly once = new Map<string, Promise<unknown>>();

  constructor({ source, kind, track }: ContextOptions) {
    this.name = source.name;
    this.kind = kind;
    this.track = track;
    this.source = source;
    this.entries = source.entries;
    this.byPath = new Map(source.entries.map((entry) => [entry.path, entry]));
  }

  get files(): readonly SubmissionEntry[] {
    return this.entries.filter(({ kind }) => kind === 'file' || kind === 'link');
  }

  entry(path: string): SubmissionEntry | undefined {
    return this.byPath.get(path);
  }

  isFile(path: string): boolean {
    const entry = this.byPath.get(path);
    return entry !== undefined && entry.kind !== 'folder';
  }

  isFolder(path: string): boolean {
    return path === '' || this.byPath.get(path)?.kind === 'folder';
  }

  /** Bytes of a file under 1 MiB; undefined for a larger one, and for one that cannot be read. */
  bytes(path: string): Promise<Uint8Array | undefined> {
    let bytes = this.bytesByPath.get(path);
    if (bytes === undefined) {
      const entry = this.byPath.get(path);
      const readable = entry && this.isFile(path) && entry.size < textLimit;
      bytes = readable ? this.source.read(path) : Promise.resolve(undefined);
      this.bytesByPath.set(path, bytes);
    }
    return bytes;
  }

  /** A file as text; undefined also for one that holds a zero byte early on. Wrong UTF-8 is replaced. */
  async text(path: string): Promise<string | undefined> {
    const bytes = await this.bytes(path);
    if (bytes === undefined || bytes.subarray(0, 8192).includes(0)) return undefined;
    return new TextDecoder('utf-8').decode(bytes);
  }

  python(path: string): Promise<PythonModule | undefined> {
    let module = this.modules.get(path);
    if (module === undefined) {
      module = this.text(path).then((text) => (text === undefined ? undefined : parsePython(path, text)));
      this.modules.set(path, module);
    }
    return module;
  }

  private remember<T>(key: string, make: () => Promise<T>): Promise<T> {
    let value = this.once.get(key) as Promise<T> | undefined;
    if (value === undefined) {
      value = make();
      this.once.set(key, value);
    }
    return value;
  }

  /** Names of the Dockerfiles at the root, the one that is built first. */
  get dockerfileNames(): readonly string[] {
    const names = this.files
      .map(({ path }) => path)
      .filter((path) => !path.includes('/') && isDockerfileName(path));
    return names.sort((a, b) => Number(b === 'Dockerfile') - Number(a === 'Dockerfile') || (a < b ? -1 : 1));
  }

  dockerfiles(): Promise<readonly DockerfileModel[]> {
    return this.remember('dockerfiles', async () => {
      const models: DockerfileModel[] = [];
      for (const name of this.dockerfileNames) {
        const text = await this.text(name);
        if (text !== undefined) models.push(parseDockerfile(name, text));
      }
      return models;
    });
  }

  /** The Dockerfile that is built: `Dockerfile`, else the first variant that says it serves, else the first. */
  async dockerfile(): Promise<DockerfileModel | undefined> {
    const models = await this.dockerfiles();
    const [first] = models;
    if (first?.file === 'Dockerfile') return first;
    return models.find(({ text }) => /uvicorn|gunicorn|hypercorn/.test(text)) ?? first;
  }

  /** What .dockerignore leaves out of the build context of a Dockerfile. */
  dockerignore(dockerfile = 'Dockerfile'): Promise<Ignores> {
    return this.remember(`dockerignore ${dockerfile}`, async () => {
      const text = (await this.text(`${dockerfile}.dockerignore`)) ?? (await this.text('.dockerignore'));
      return text === undefined ? () => false : parseDockerignore(text);
    });
  }

  /** The file system of the image that the Dockerfile builds, as far as it can be told. */
  image(): Promise<Image | undefined> {
    return this.remember('image', async () => {
      const model = await this.dockerfile();
      return model && buildImage(this, model);
    });
  }

  /** What the image starts. */
  served(): Promise<Served | undefined> {
    return this.remember('served', async () => {
      const image = await this.image();
      return image && findServed(this, image);
    });
  }

  async dispose(): Promise<void> {
    for (const module of this.modules.values()) (await module.catch(() => undefined))?.dispose();
    this.modules.clear();
  }
}
