/** A credential in a text. */
export interface Secret {
  readonly kind: 'hf-token' | 'wandb-key';
  /** 1-based. */
  readonly line: number;
  /** Its first characters and dots: the rest is never shown, logged or stored. */
  readonly masked: string;
}

const hfToken = /(?<![A-Za-z0-9_])hf_[A-Za-z0-9]{30,40}(?![A-Za-z0-9])/g;
const wandbKey = /(?<![A-Za-z0-9])[0-9a-f]{40}(?![A-Za-z0-9])/g;
/** What stands beside 40 hexadecimal digits that name a commit. */
const commitWords =
  /git\+|commit|revision|checkout|@[0-9a-f]{40}|\/(tree|blob|commit)\/|sha1?\b|"code_?path|digest/i;

/** `hf_xxxxxxxx…` and `hf_YOUR_TOKEN…` say what belongs there. */
function isPlaceholder(token: string): boolean {
  return /your|token|example|placeholder|x{8}/i.test(token.slice(3));
}

/** Credentials in a text, in order. Bytes are read as Latin-1: a compiled file holds its strings as they were. */
export function findSecrets(content: string | Uint8Array): Secret[] {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('latin1');
  if (!text.includes('hf_') && !/wandb/i.test(text)) return [];
  const found: Secret[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const [token] of line.includes('hf_') ? line.matchAll(hfToken) : []) {
      if (!isPlaceholder(token))
        found.push({ kind: 'hf-token', line: index + 1, masked: `${token.slice(0, 5)}…` });
    }
    if (!/wandb/i.test(line) || commitWords.test(line)) continue;
    for (const [key] of line.matchAll(wandbKey)) {
      found.push({ kind: 'wandb-key', line: index + 1, masked: `${key.slice(0, 3)}…` });
    }
  }
  return found;
}
