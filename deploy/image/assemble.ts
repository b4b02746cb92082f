/**
 * Lays out what runs in the image, from an installed and built working tree: the service's sources, migrations, models and pages,
 * and those packages only that its sources import.
 *   node deploy/image/assemble.ts DIR
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { importedPackages, isShipped, packagesNeeded, type LockedPackages } from './packages.ts';

const FOLDERS = ['service/src', 'service/migrations', 'service/models', 'dashboards/dist', 'deploy/image'];

const root = resolve(import.meta.dirname, '../..');
const [out] = process.argv.slice(2);
if (out === undefined) {
  process.stderr.write('usage: node deploy/image/assemble.ts DIR\n');
  process.exit(2);
}
const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8')) as Record<string, unknown>;
const copy = (path: string) =>
  cpSync(join(root, path), join(out, path), {
    recursive: true,
    // nested packages are needed or not by themselves
    filter: (source) => {
      const below = source.slice(root.length + 1);
      return (
        isShipped(`/${below}`, process.platform, process.arch) && (below === path || !below.endsWith('/node_modules'))
      );
    },
  });

const sources = readdirSync(join(root, 'service/src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.ts'),
);
const roots = new Set(
  sources.flatMap((name) => importedPackages(readFileSync(join(root, 'service/src', name), 'utf8'))),
);
const { packages } = readJson('package-lock.json') as { packages: LockedPackages };
const needed = packagesNeeded(packages, [...roots], (path) => existsSync(join(root, path, 'package.json')));

mkdirSync(out, { recursive: true });
for (const folder of [...FOLDERS, ...needed]) copy(folder);
const { name, version, license, type, imports } = readJson('package.json');
writeFileSync(join(out, 'package.json'), `${JSON.stringify({ name, version, license, type, imports }, null, 2)}\n`);
process.stdout.write(`${needed.length} packages for ${roots.size} that the service imports\n`);
