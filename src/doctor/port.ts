import type { DoctorContext } from './context.ts';
import { servedModules } from './modules.ts';
import type { ShellWord } from './parsers/shell.ts';
import type { Served, StartCommand } from './served.ts';
import { type Constant, constantOf, type Known } from './values.ts';

/** The port on which the container listens, with the place where its number is written. */
export interface Port {
  readonly port: number;
  readonly file: string;
  readonly line: number;
  /** Nobody wrote it: the server's own default. */
  readonly byDefault: boolean;
}

/** Options of a command by name without dashes. */
export function optionsOf(args: readonly ShellWord[], command: StartCommand): Map<string, Constant> {
  const options = new Map<string, Constant>();
  for (const [index, word] of args.entries()) {
    const match = /^--?([A-Za-z][\w-]*)(?:=(.*))?$/s.exec(word.text);
    if (!match?.[1]) continue;
    const value = match[2] ?? args[index + 1]?.text;
    if (value !== undefined) options.set(match[1], { value, file: command.file, line: word.line });
  }
  return options;
}

function toPort({ value, file, line }: Constant): Port | undefined {
  const port = Number(/^(?:.*:)?(\d+)$/.exec(String(value))?.[1]);
  return Number.isInteger(port) ? { port, file, line, byDefault: false } : undefined;
}

/** Names that the servers give the option, and the port they take without it. */
const serverOptions = {
  uvicorn: { names: ['port'], variable: 'UVICORN_PORT', fallback: 8000 },
  gunicorn: { names: ['b', 'bind'], variable: 'PORT', fallback: 8000 },
  hypercorn: { names: ['b', 'bind'], variable: '', fallback: 8000 },
  fastapi: { names: ['port'], variable: '', fallback: 8000 },
  flask: { names: ['p', 'port'], variable: 'FLASK_RUN_PORT', fallback: 5000 },
} as const;

/** The port of the command's own options: uvicorn, gunicorn and the like. */
function portOfCommand(served: Served, command: StartCommand): Port | undefined {
  if (served.server === undefined || served.server === 'python') return undefined;
  const { names, variable, fallback } = serverOptions[served.server];
  const options = optionsOf(served.args, command);
  for (const name of names) {
    const given = options.get(name);
    if (given) return toPort(given);
  }
  if (options.has('uds') || options.has('fd') || options.has('c') || options.has('config')) return undefined;
  const set = command.variables.get(variable);
  if (set !== undefined) return toPort({ value: set, file: command.file, line: command.line });
  return { port: fallback, file: command.file, line: command.line, byDefault: true };
}

const runners =
  /(^|\.)(uvicorn\.run|uvicorn\.Config|Config|run_simple|serve|run_app|HTTPServer|ThreadingHTTPServer)$/;

/** The port that the program itself passes to its server. */
async function portOfProgram(
  context: DoctorContext,
  served: Served,
  command: StartCommand,
): Promise<Port | undefined> {
  const modules = await servedModules(context, served);
  const known: Known = { modules, environment: command.variables, options: optionsOf(served.args, command) };
  for (const module of modules) {
    for (const call of module.calls) {
      const isUvicorn = /(^|\.)uvicorn\.(run|Config)$/.test(call.callee);
      const isApp = /^(app|application|server)\.run$/.test(call.callee);
      if (!isUvicorn && !isApp && !runners.test(call.callee)) continue;
      const given = call.keywords.get('port');
      if (given) {
        const constant = constantOf(given, module, known);
        return constant && toPort(constant);
      }
      if (call.node.text.includes('**')) return undefined;
      if (isUvicorn) return { port: 8000, file: module.file, line: call.line, byDefault: true };
    }
  }
  return undefined;
}

/** The port of what the image serves; undefined when it cannot be told. */
export async function portOf(context: DoctorContext, served: Served): Promise<Port | undefined> {
  if (served.command === undefined || served.unknown) return undefined;
  return portOfCommand(served, served.command) ?? portOfProgram(context, served, served.command);
}
