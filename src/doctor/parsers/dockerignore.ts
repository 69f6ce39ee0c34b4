/** Says whether a path, relative to the build context, is left out of it. */
export type Ignores = (path: string) => boolean;

/** One of Docker's patterns (Go's filepath.Match and `**`) as a regular expression over a whole path. */
export function dockerPattern(pattern: string): RegExp {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at);
    if (rest.startsWith('**')) {
      const slash = rest[2] === '/';
      source += slash ? '(?:.*/)?' : '.*';
      at += slash ? 2 : 1;
    } else if (rest[0] === '*') source += '[^/]*';
    else if (rest[0] === '?') source += '[^/]';
    else if (rest[0] === '[' && rest.indexOf(']', 2) > 0) {
      const end = rest.indexOf(']', 2);
      source += `[${rest.slice(1, end).replace(/\\/g, '\\\\')}]`;
      at += end;
    } else if (rest[0] === '\\' && rest.length > 1) {
      source += rest[1]?.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') ?? '';
      at++;
    } else source += rest[0]?.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&') ?? '';
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A range that is none, such as [z-a]: Docker would refuse it, here it matches nothing.
    return /^(?!)/;
  }
}

/** A path as Docker cleans it: no leading `/` or `./`, no `.` and `..` inside. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.replace(/\\/g, '/').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The rules of a .dockerignore: the last pattern that matches a path or a folder above it decides. */
export function parseDockerignore(text: string): Ignores {
  const rules = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const keeps = line.startsWith('!');
      return { keeps, pattern: dockerPattern(cleanPath(keeps ? line.slice(1).trim() : line)) };
    });
  return (path) => {
    const parts = cleanPath(path).split('/');
    const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    let ignored = false;
    for (const { keeps, pattern } of rules) {
      if (keeps !== ignored) continue;
      if (above.some((one) => pattern.test(one))) ignored = !keeps;
    }
    return ignored;
  };
}
