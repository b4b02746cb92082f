import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { projectRoot } from '../environment/paths.ts';
import { suggestion } from './flags.ts';
import { UsageError } from './usage-error.ts';

const PROFILES = join(projectRoot, 'service/models/profiles');
export const POOLS = 'local, sim:PROFILE, kserve:URL[,URL…]';

export type PoolChoice = { kind: 'local' } | { kind: 'sim'; profile: string } | { kind: 'kserve'; urls: string[] };

/** The pool that `text` names; where it names none, what is allowed, in words. */
export function readPool(text: string): PoolChoice | string {
  if (text === 'local') return { kind: 'local' };
  const [, scheme, rest] = /^(sim|kserve):(.+)$/.exec(text) ?? [];
  if (scheme === 'sim' && rest) {
    const names = readdirSync(PROFILES).map((file) => basename(file, '.json'));
    if (names.includes(rest) || (/[/.]/.test(rest) && existsSync(rest))) return { kind: 'sim', profile: rest };
    return `sim: with a file, or with one of ${names.join(', ')}${suggestion(rest, names)}`;
  }
  if (scheme === 'kserve' && rest) {
    const urls = rest.split(',');
    if (urls.every((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''))) return { kind: 'kserve', urls };
  }
  return POOLS;
}

/** @throws UsageError */
export function poolOf(text: string): PoolChoice {
  const found = readPool(text);
  if (typeof found !== 'string') return found;
  throw new UsageError(`--pool "${text}" is not allowed; allowed: ${found}`);
}
