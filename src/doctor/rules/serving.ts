import type { DoctorContext } from '../context.ts';
import { servedModules } from '../modules.ts';
import { portOf } from '../port.ts';
import { hasPrefixes, makesOwnApplication, routesOf } from '../routes.ts';
import { type Problem, type Rule, sources } from '../rule.ts';
import { type Served, servesHttp } from '../served.ts';

/** True when the first part of a module's name is a file or folder of the submission. */
function isLocalName(context: DoctorContext, target: string): boolean {
  const [first = ''] = target.split('.');
  return context.entries.some(
    ({ path }) =>
      path === `${first}.py` || path === first || path.endsWith(`/${first}.py`) || path.endsWith(`/${first}`),
  );
}

/** A build that installs a package of its own can bring any module. */
async function installsOwnPackage(context: DoctorContext): Promise<boolean> {
  const model = await context.dockerfile();
  return (model?.instructions ?? []).some(
    ({ keyword, body }) =>
      keyword === 'RUN' &&
      /pip3?\s+install[^&;|]*(\s-e\b|\s\.(\s|$|\/|\[)|git\+|\.whl|\s\/)|setup\.py\s+(install|develop)|poetry install/.test(
        body,
      ),
  );
}

async function entryProblems(context: DoctorContext): Promise<Problem[]> {
  const served = await context.served();
  if (!served?.missing || served.unknown || served.command === undefined || served.target === undefined)
    return [];
  const isModule = !served.target.endsWith('.py');
  if (
    isModule &&
    ((await installsOwnPackage(context)) ||
      (served.target.includes('.') && !isLocalName(context, served.target)))
  )
    return [];
  if (isModule && served.server === 'python' && !isLocalName(context, served.target)) return [];
  const what = isModule ? `module ${served.target}` : `file ${served.target}`;
  return [
    {
      file: served.command.file,
      line: served.command.line,
      message: `The ${what} is not in the image, in ${served.command.cwd}.`,
    },
  ];
}

/** Routes that HELM calls with POST and that no module of the server declares. */
async function missingRoutes(context: DoctorContext): Promise<Problem[]> {
  const served = await context.served();
  if (served === undefined) return [];
  if (served.module === undefined) return [];
  const modules = await servedModules(context, served);
  const [main] = modules;
  if (main === undefined || modules.some(({ errorLine }) => errorLine !== undefined)) return [];
  if (!makesOwnApplication(modules) || hasPrefixes(modules)) return [];
  const routes = modules.flatMap(routesOf);
  return ['/process', '/tokenize'].flatMap((path) => {
    const same = routes.filter((route) => route.path.replace(/\/$/, '') === path);
    if (same.some(({ methods }) => methods.length === 0 || methods.includes('POST'))) return [];
    const [other] = same;
    if (other)
      return [
        {
          file: other.file,
          line: other.line,
          message: `The route ${path} takes ${other.methods.join(', ')}; HELM sends POST.`,
        },
      ];
    // Routes whose path is no literal may be it.
    if (modules.some(hasComputedRoutes)) return [];
    return [{ file: main.file, line: 1, message: `The server has no POST ${path}.` }];
  });
}

function hasComputedRoutes({ functions }: Awaited<ReturnType<typeof servedModules>>[number]): boolean {
  return functions.some(({ decorators }) =>
    decorators.some((one) => /\.(post|route|api_route)\(\s*(f["']|[A-Za-z_]\w*\s*[,)])/.test(one.text)),
  );
}

async function notServing(context: DoctorContext, served: Served): Promise<boolean> {
  if (served.unknown || served.commands.length === 0) return false;
  if (served.server !== undefined && served.server !== 'python') return false;
  if (served.server === 'python') {
    if (served.module === undefined) return false;
    const modules = await servedModules(context, served);
    return !modules.some(({ text }) => servesHttp(text));
  }
  const programs = served.commands.map(({ words }) => words[0]?.text.split('/').at(-1) ?? '');
  return programs.every((name) => /^(bash|sh|tail|sleep|echo|jupyter|nvidia-smi|true)$/.test(name));
}

export const servingRules: readonly Rule[] = [
  {
    id: 'dockerfile-not-serving',
    severity: 'error',
    title: 'The image starts no server',
    why: 'The organizers run the image and send HTTP requests to port 80.',
    source: sources.pipeline,
    fix: 'Let the Dockerfile that is built start the server; keep the one for training under another name.',
    kinds: ['efficiency'],
    async check(context) {
      const [served, model] = [await context.served(), await context.dockerfile()];
      if (served === undefined || model === undefined || !(await notServing(context, served))) return [];
      const what = served.command?.words.map(({ text }) => text).join(' ') ?? served.instruction.body.trim();
      return [
        {
          file: model.file,
          line: served.instruction.line,
          message: `The image runs "${what}", which serves nothing.`,
        },
      ];
    },
  },
  {
    id: 'port-not-80',
    severity: 'error',
    title: 'The server does not listen on port 80',
    why: 'The organizers reach the container on port 80 and on no other.',
    source: sources.pipeline,
    fix: 'Let the server listen on port 80.',
    kinds: ['efficiency'],
    async check(context) {
      const served = await context.served();
      const port = served && (await portOf(context, served));
      if (port === undefined || port.port === 80) return [];
      const { file, line } = port;
      return [
        {
          file,
          line,
          message: port.byDefault
            ? `The server listens on port ${port.port}, which it takes when none is given.`
            : `The server listens on port ${port.port}.`,
        },
      ];
    },
  },
  {
    id: 'entry-not-found',
    severity: 'error',
    title: 'What the image starts is not in the image',
    why: 'The container ends at once, and the organizers’ health check finds nobody.',
    source: sources.pipeline,
    fix: 'Copy the file into the image, or correct the name in CMD.',
    kinds: ['efficiency'],
    check: entryProblems,
  },
  {
    id: 'route-missing',
    severity: 'error',
    title: 'The server lacks a route that HELM calls',
    why: 'HELM sends every prompt to POST /process and counts its tokens with POST /tokenize.',
    source: sources.openApi,
    fix: 'Add the route.',
    kinds: ['efficiency'],
    check: missingRoutes,
  },
];
