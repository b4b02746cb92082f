import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What the doctor asks of the machine; tests answer for another one. */
export interface Machine {
  platform: string;
  arch: string;
  /** Where a shared library is, or undefined: LD_LIBRARY_PATH first, then what the dynamic linker knows. */
  library(name: string): string | undefined;
  exists(path: string): boolean;
  /** Files of a folder that end so; none where there is no folder. */
  files(folder: string, suffix: string): string[];
  env: Readonly<Record<string, string | undefined>>;
}

function linkerCache(): string {
  for (const program of ['ldconfig', '/sbin/ldconfig', '/usr/sbin/ldconfig'])
    try {
      return execFileSync(program, ['-p'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1e8 });
    } catch {
      // another place, or another system
    }
  return '';
}

export function thisMachine(env: NodeJS.ProcessEnv = process.env): Machine {
  let cache: string | undefined;
  return {
    platform: process.platform,
    arch: process.arch,
    env,
    exists: existsSync,
    files(folder, suffix) {
      try {
        return readdirSync(folder)
          .filter((name) => name.endsWith(suffix))
          .map((name) => join(folder, name));
      } catch {
        return [];
      }
    },
    library(name) {
      const own = (env['LD_LIBRARY_PATH'] ?? '')
        .split(':')
        .filter((folder) => folder !== '')
        .map((folder) => join(folder, name))
        .find((file) => existsSync(file));
      if (own !== undefined) return own;
      cache ??= linkerCache();
      const line = cache.split('\n').find((each) => each.trimStart().startsWith(`${name} `));
      return line?.split('=> ')[1]?.trim();
    },
  };
}
