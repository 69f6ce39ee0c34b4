import { argumentsOf, dotted, type PythonFunction, type PythonModule, stringOf } from './parsers/python.ts';
import { childrenOf, lineOf, type Node } from './parsers/tree-sitter.ts';

/** A route that a module declares. */
export interface Route {
  /** Without the prefix of its router. */
  readonly path: string;
  readonly methods: readonly string[];
  readonly file: string;
  readonly line: number;
  /** Its function, when that is in the same module. */
  readonly handler?: PythonFunction;
  /** What it is declared on: `app`, `router`. */
  readonly owner: string;
  readonly module: PythonModule;
}

const verbs = new Set(['get', 'post', 'put', 'delete', 'patch', 'head', 'options']);

function methodsOf(verb: string, methods: Node | undefined): string[] {
  if (verbs.has(verb)) return [verb.toUpperCase()];
  const listed =
    methods?.descendantsOfType('string').map((node) => stringOf(node)?.toUpperCase() ?? '') ?? [];
  if (listed.length > 0) return listed;
  return verb === 'route' || verb === 'api_route' || verb === 'add_api_route' || verb === 'add_url_rule'
    ? ['GET']
    : [];
}

function decoratedRoutes(module: PythonModule): Route[] {
  return module.functions.flatMap((handler) =>
    handler.decorators.flatMap((decorator) => {
      if (decorator.type !== 'call') return [];
      const callee = dotted(decorator.childForFieldName('function'));
      const verb = callee.split('.').at(-1) ?? '';
      if (!callee.includes('.') || !(verbs.has(verb) || verb === 'route' || verb === 'api_route')) return [];
      const { positional, keywords } = argumentsOf(decorator);
      const path = stringOf(positional[0] ?? keywords.get('path') ?? keywords.get('rule') ?? null);
      if (path === undefined) return [];
      const owner = callee.split('.').slice(0, -1).join('.');
      return [
        {
          path,
          methods: methodsOf(verb, keywords.get('methods')),
          file: module.file,
          line: lineOf(decorator),
          handler,
          owner,
          module,
        },
      ];
    }),
  );
}

function calledRoutes(module: PythonModule): Route[] {
  return module.calls.flatMap((call) => {
    const name = call.callee.split('.').at(-1) ?? '';
    const match = /^(add_api_route|add_url_rule|add_route|add_post|Route|APIRoute|url|post|route)$/.exec(
      name,
    );
    if (!match || call.node.parent?.type === 'decorator') return [];
    const path = stringOf(
      call.positional[0] ?? call.keywords.get('path') ?? call.keywords.get('rule') ?? null,
    );
    if (path === undefined || !path.startsWith('/')) return [];
    const methods =
      name === 'add_post' || name === 'post' ? ['POST'] : methodsOf(name, call.keywords.get('methods'));
    const target = call.positional.at(1) ?? call.keywords.get('endpoint');
    const handler = module.functions.find((one) => target?.type === 'identifier' && one.name === target.text);
    return [
      {
        path,
        methods,
        file: module.file,
        line: call.line,
        owner: call.callee.split('.').slice(0, -1).join('.'),
        module,
        ...(handler ? { handler } : {}),
      },
    ];
  });
}

/** Routes of a module: decorators, and calls such as `app.add_api_route`. */
export function routesOf(module: PythonModule): Route[] {
  return [...decoratedRoutes(module), ...calledRoutes(module)];
}

/** Constructors of applications whose routes we can read. */
const applications =
  /(^|\.)(FastAPI|Flask|Starlette|Quart|Sanic|Litestar|APIRouter|Application|Blueprint|Router)$/;

/** True when the modules make their own application: routes that are not found are not there. */
export function makesOwnApplication(modules: readonly PythonModule[]): boolean {
  return modules.some((module) => module.calls.some(({ callee }) => applications.test(callee)));
}

/** Prefixes that routers get: `APIRouter(prefix="/v1")`, `include_router(r, prefix="/v1")`. */
export function hasPrefixes(modules: readonly PythonModule[]): boolean {
  return modules.some((module) =>
    module.calls.some(
      ({ callee, keywords }) =>
        /(^|\.)(APIRouter|include_router|Blueprint|register_blueprint|mount)$/.test(callee) &&
        (keywords.has('prefix') || keywords.has('url_prefix') || callee.endsWith('mount')),
    ),
  );
}

/** Names of the functions that are called anywhere in the modules, or handed on by name. */
export function calledNames(modules: readonly PythonModule[]): Set<string> {
  const names = new Set<string>();
  for (const module of modules) {
    for (const { callee, positional, keywords } of module.calls) {
      names.add(callee.split('.').at(-1) ?? '');
      for (const argument of [...positional, ...keywords.values()]) {
        if (argument.type === 'identifier') names.add(argument.text);
      }
    }
  }
  return names;
}

/** The keys of a dictionary literal. */
export function keysOf(node: Node): string[] {
  return childrenOf(node)
    .filter((pair) => pair.type === 'pair')
    .map((pair) => stringOf(pair.childForFieldName('key')) ?? '');
}
