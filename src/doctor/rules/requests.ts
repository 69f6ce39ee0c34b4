import type { DoctorContext } from '../context.ts';
import { servedModules } from '../modules.ts';
import {
  argumentsOf,
  dotted,
  type PythonClass,
  type PythonFunction,
  type PythonModule,
} from '../parsers/python.ts';
import { childrenOf, lineOf, type Node } from '../parsers/tree-sitter.ts';
import { calledNames, type Route, routesOf } from '../routes.ts';
import { type Problem, type Rule, sources } from '../rule.ts';

/** One field of a pydantic model. */
interface Field {
  readonly name: string;
  readonly line: number;
  readonly type: string;
  readonly required: boolean;
  /** `Optional[X]` or `X | None`. */
  readonly optional: boolean;
}

interface RequestModel {
  readonly module: PythonModule;
  readonly model: PythonClass;
  readonly fields: readonly Field[];
}

/** True when the value of a field leaves it required: `...` and `Field(...)`. */
function leavesRequired(value: Node): boolean {
  if (value.type === 'ellipsis') return true;
  if (value.type !== 'call' || !/(^|\.)Field$/.test(dotted(value.childForFieldName('function'))))
    return false;
  const { positional, keywords } = argumentsOf(value);
  if (keywords.has('default') || keywords.has('default_factory'))
    return keywords.get('default')?.type === 'ellipsis';
  return positional[0] === undefined || positional[0].type === 'ellipsis';
}

function fieldsOf({ node }: PythonClass): Field[] {
  return childrenOf(node.childForFieldName('body') ?? node).flatMap((statement) => {
    const [assignment] = statement.type === 'expression_statement' ? childrenOf(statement) : [];
    const left = assignment?.type === 'assignment' ? assignment.childForFieldName('left') : null;
    const type = assignment?.childForFieldName('type')?.text;
    if (left?.type !== 'identifier' || type === undefined || /^ClassVar\b/.test(type)) return [];
    const value = assignment?.childForFieldName('right') ?? null;
    return [
      {
        name: left.text,
        line: lineOf(left),
        type,
        required: value === null || leavesRequired(value),
        optional: /^(typing\.)?Optional\[|\|\s*None\b|\bNone\s*\|/.test(type),
      },
    ];
  });
}

/** A class of the modules by its name, with the fields of the bases that are found there too. */
function findModel(modules: readonly PythonModule[], name: string, depth = 0): RequestModel | undefined {
  for (const module of modules) {
    const model = module.classes.find((one) => one.name === name);
    if (model === undefined) continue;
    if (model.bases.some((base) => /(^|\.)(BaseModel|RootModel)$/.test(base)))
      return { module, model, fields: fieldsOf(model) };
    for (const base of depth < 4 ? model.bases : []) {
      const parent = findModel(modules, base.split('.').at(-1) ?? '', depth + 1);
      if (parent) {
        const own = fieldsOf(model);
        const inherited = parent.fields.filter((field) => !own.some((one) => one.name === field.name));
        return { module, model, fields: [...own, ...inherited] };
      }
    }
  }
  return undefined;
}

interface Server {
  readonly modules: readonly PythonModule[];
  /** Handlers of POST /process and /tokenize, decoded only. */
  readonly handlers: readonly { readonly route: Route; readonly handler: PythonFunction }[];
}

/** The served FastAPI application; undefined when it is another one or cannot be read. */
async function fastApi(context: DoctorContext): Promise<Server | undefined> {
  const served = await context.served();
  if (served?.module === undefined) return undefined;
  const modules = await servedModules(context, served);
  if (!modules.some(({ calls }) => calls.some(({ callee }) => /(^|\.)FastAPI$/.test(callee))))
    return undefined;
  const handlers = modules.flatMap(routesOf).flatMap((route) => {
    const wanted = /^\/(process|tokenize|decode)\/?$/.test(route.path) && route.methods.includes('POST');
    return wanted && route.handler ? [{ route, handler: route.handler }] : [];
  });
  return { modules, handlers };
}

/** The pydantic models that handlers take, by the route. */
async function requestModels(context: DoctorContext): Promise<{ path: string; found: RequestModel }[]> {
  const server = await fastApi(context);
  return (server?.handlers ?? []).flatMap(({ route, handler }) =>
    handler.parameters.flatMap(({ type }) => {
      const found = type && server ? findModel(server.modules, type.text.split('.').at(-1) ?? '') : undefined;
      return found ? [{ path: route.path.replace(/\/$/, ''), found }] : [];
    }),
  );
}

/** What HELM and the health check send with certainty. */
const sent: Readonly<Record<string, readonly string[]>> = {
  '/process': ['prompt'],
  '/tokenize': ['text', 'truncation', 'max_length'],
  '/decode': ['tokens'],
};
/** What HELM sends to /process besides; the health check does not. */
const helmOnly = new Set([
  'temperature',
  'num_return_sequences',
  'max_new_tokens',
  'top_p',
  'echo_prompt',
  'top_k_per_token',
  'stop_sequences',
]);

/** True when a specifier such as `>=0.68,<0.69` allows only versions below `major.minor`. */
function onlyBelow(specifier: string, major: number, minor: number): boolean {
  return [...specifier.matchAll(/(===?|~=|<=?)\s*(\d+)(?:\.(\d+))?(?:\.(\d+))?/g)].some(
    ([, operator, ...parts]) => {
      const [givenMajor = 0, givenMinor = 0, givenPatch = 0] = parts.map((part) => Number(part ?? 0));
      const below = givenMajor < major || (givenMajor === major && givenMinor < minor);
      return below || (operator === '<' && givenMajor === major && givenMinor === minor && givenPatch === 0);
    },
  );
}

/** The version of pydantic that the build installs: 1 when it is pinned below 2, also through an old fastapi. */
async function pydanticMajor(context: DoctorContext): Promise<1 | 2> {
  const texts = (await context.dockerfiles()).map(({ text }) => text);
  for (const { path } of context.files) {
    if (/requirements[^/]*\.(txt|in)$|pyproject\.toml$|environment\.ya?ml$/i.test(path)) {
      texts.push((await context.text(path)) ?? '');
    }
  }
  // The runs are bounded: a file of blanks must not cost the square of its length.
  const pins =
    /\b(pydantic|fastapi)(?:\[[^\]]{0,80}\])?[ "=:]{0,8}?((?:\s{0,8}[<>=!~]=?=?\s{0,8}[\d.*]{1,20}\s{0,8},?){1,8})/gi;
  const old = [...texts.join('\n').matchAll(pins)].some(([, name = '', specifier = '']) =>
    // FastAPI takes pydantic 2 from 0.100 on.
    name.toLowerCase() === 'pydantic' ? onlyBelow(specifier, 2, 0) : onlyBelow(specifier, 0, 100),
  );
  return old ? 1 : 2;
}

const simpleTypes =
  /^(str|int|float|bool|(typing\.)?(Optional|List|Union|Dict)\[(str|int|float|bool|,|\s|None)*\]|(list|dict)(\[(str|int|float|bool|,|\s)*\])?)$/;

function queryParameters({ handlers }: Server): Problem[] {
  return handlers.flatMap(({ route, handler }) => {
    const scalars = handler.parameters.filter(({ type, fallback }) => {
      if (type === undefined || !simpleTypes.test(type.text) || /^(dict|Dict)/.test(type.text)) return false;
      return (
        fallback === undefined ||
        fallback.type !== 'call' ||
        !/(^|\.)(Body|Form|File|Header|Depends)$/.test(dotted(fallback.childForFieldName('function')))
      );
    });
    const main = route.path.startsWith('/tokenize')
      ? 'text'
      : route.path.startsWith('/decode')
        ? 'tokens'
        : 'prompt';
    const wrong = scalars.find(({ name }) => name === main);
    return wrong
      ? [
          {
            file: route.file,
            line: handler.line,
            message: `${handler.name} takes ${wrong.name} from the query; HELM sends a JSON body.`,
          },
        ]
      : [];
  });
}

async function notRegistered(context: DoctorContext): Promise<Problem[]> {
  const server = await fastApi(context);
  if (server === undefined) return [];
  const called = calledNames(server.modules);
  const served = await context.served();
  // `uvicorn main:create_app --factory` calls what it names.
  if (served?.app) called.add(served.app);
  return server.handlers.flatMap(({ route, handler }) => {
    const [outer] = handler.within;
    if (outer === undefined || handler.inClass || called.has(outer)) return [];
    const reachable = route.module.functions.some(
      ({ name, decorators }) => name === outer && decorators.length > 0,
    );
    return reachable
      ? []
      : [
          {
            file: route.file,
            line: route.line,
            message: `${route.path} is declared inside ${outer}(), which nothing calls.`,
          },
        ];
  });
}

export const requestRules: readonly Rule[] = [
  {
    id: 'route-not-registered',
    severity: 'error',
    title: 'A route is declared in a function that nothing calls',
    why: 'The route does not exist when the server runs, and HELM gets 404.',
    source: sources.openApi,
    fix: 'Declare the route at the top level.',
    kinds: ['efficiency'],
    check: notRegistered,
  },
  {
    id: 'request-not-json-model',
    severity: 'error',
    title: 'A route takes query parameters in place of a JSON body',
    why: 'HELM sends a JSON body; FastAPI answers 422.',
    source: sources.openApi,
    fix: 'Take a pydantic model.',
    kinds: ['efficiency'],
    async check(context) {
      const server = await fastApi(context);
      return server ? queryParameters(server) : [];
    },
  },
  {
    id: 'request-optional-required-v2',
    severity: 'warning',
    title: 'An optional field without default is required under pydantic 2',
    why: 'The health check sends nothing but the prompt, and pydantic 2 answers 422.',
    source: 'https://docs.pydantic.dev/latest/migration/',
    fix: 'Add = None.',
    kinds: ['efficiency'],
    async check(context) {
      if ((await pydanticMajor(context)) === 1) return [];
      return (await requestModels(context)).flatMap(({ path, found }) =>
        found.fields
          .filter(
            ({ name, required, optional }) => required && optional && !(sent[path] ?? []).includes(name),
          )
          .map(({ name, line }) => ({
            file: found.module.file,
            line,
            message: `${name} has no default: pydantic 2 requires it.`,
          })),
      );
    },
  },
  {
    id: 'request-required-field',
    severity: 'error',
    title: 'The request model requires a field that HELM does not send',
    why: 'Every request is answered 422.',
    source: sources.openApi,
    fix: 'Give the field a default.',
    kinds: ['efficiency'],
    check: async (context) =>
      (await requestModels(context)).flatMap(({ path, found }) =>
        found.fields
          .filter(
            ({ name, required, optional }) =>
              required &&
              !optional &&
              !(sent[path] ?? []).includes(name) &&
              !(path === '/process' && helmOnly.has(name)),
          )
          .map(({ name, line }) => ({
            file: found.module.file,
            line,
            message: `${found.model.name} requires ${name}, which HELM does not send to ${path}.`,
          })),
      ),
  },
  {
    id: 'request-no-echo-prompt',
    severity: 'info',
    title: 'The request model has no echo_prompt',
    why: 'HELM sends echo_prompt; a server that does not know it cannot put the prompt in front.',
    source: sources.openApi,
    fix: 'Add echo_prompt: bool = False.',
    kinds: ['efficiency'],
    check: async (context) =>
      (await requestModels(context))
        .filter(
          ({ path, found }) =>
            path === '/process' && !found.fields.some(({ name }) => name === 'echo_prompt'),
        )
        .map(({ found }) => ({
          file: found.module.file,
          line: found.model.line,
          message: `${found.model.name} has no echo_prompt.`,
        })),
  },
];
