import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { isLocal, within } from '../../src/environment/containers/engine.ts';
import { imageNames, ryukImage } from '../../src/environment/containers/images.ts';
import { isLeftover, ownerLabels } from '../../src/environment/containers/leftovers.ts';
import { startEnvironment } from '../../src/environment/index.ts';

describe('image names', () => {
  it('are the official images, or what the settings say', () => {
    expect(imageNames({})).toEqual({ postgres: 'postgres:18', redis: 'redis:7-alpine' });
    expect(imageNames({ BENCH_POSTGRES_IMAGE: 'a/pg:18', BENCH_REDIS_IMAGE: '' })).toEqual({
      postgres: 'a/pg:18',
      redis: 'redis:7-alpine',
    });
  });

  it('name the Ryuk that the installed testcontainers asks for', async () => {
    const main = createRequire(import.meta.url).resolve('testcontainers');
    const reaper = await readFile(join(dirname(main), 'reaper/reaper.js'), 'utf8');
    expect(reaper).toContain(`"${ryukImage({})}"`);
    expect(ryukImage({ RYUK_CONTAINER_IMAGE: 'mirror/ryuk:1' })).toBe('mirror/ryuk:1');
  });
});

describe('isLeftover', () => {
  const own = ownerLabels('r1');
  const dead = () => false;

  it('is true for a container whose keeper is gone', () => {
    expect(isLeftover(own, dead)).toBe(true);
  });

  it.each([
    ['its keeper lives', own, () => true],
    ['it is another machine’s', { ...own, 'dev.segbench.host': `not-${hostname()}` }, dead],
    ['it is nobody’s that we know', { some: 'label' }, dead],
    ['its keeper is not named', { ...own, 'dev.segbench.keeper': '' }, dead],
  ])('is false when %s', (_, labels, alive) => {
    expect(isLeftover(labels as Record<string, string>, alive)).toBe(false);
  });

  it('looks for the keeper by id and start', () => {
    const alive = vi.fn<(pid: number, ticks?: string) => boolean>(() => true);
    isLeftover({ ...own, 'dev.segbench.keeper': '77:1234' }, alive);
    expect(alive).toHaveBeenCalledWith(77, '1234');
  });
});

describe('isLocal', () => {
  it.each([
    ['localhost', 'docker-desktop', true],
    ['172.17.0.1', 'us', true],
    ['172.17.0.1', 'the machine around our container', false],
    ['engine.example', 'engine', false],
  ])('of an engine at %s named %s is %s', (host, name, local) => {
    expect(isLocal(host, name, 'us')).toBe(local);
  });
});

describe('within', () => {
  const never = new Promise<void>(() => {});

  it('says what did not answer and for how long', async () => {
    await expect(within({ ms: 10, what: 'the engine' }, never)).rejects.toThrow('the engine: no answer in 0.01 s');
  });

  it('gives way to a stop', async () => {
    const stop = new AbortController();
    const waiting = within({ ms: 60_000, what: 'the engine', signal: stop.signal }, never);
    stop.abort(new Error('interrupted'));
    await expect(waiting).rejects.toThrow('interrupted');
  });

  it('hands on what the work gives', async () => {
    expect(await within({ ms: 60_000, what: 'x' }, Promise.resolve(3))).toBe(3);
  });
});

// No registry has it; where no engine answers, that is the reason told.
describe('where containers cannot be had', () => {
  const start = async (kind: 'auto' | 'testcontainers') => {
    vi.stubEnv('BENCH_POSTGRES_IMAGE', 'registry.invalid/segbench/none:0');
    const lines: string[] = [];
    try {
      const environment = await startEnvironment({ kind, log: (line) => lines.push(line) });
      await environment.stop();
      return { kind: environment.kind, notes: environment.notes, lines };
    } finally {
      vi.unstubAllEnvs();
    }
  };

  it('auto takes the embedded servers, and one line says why', async () => {
    const { kind, notes, lines } = await start('auto');
    const why = lines.filter((line) => line.startsWith('environment '));
    expect(kind).toBe('embedded');
    expect(why).toEqual([
      expect.stringMatching(/^environment embedded: (no Docker engine answers|the image .* pulled)/),
    ]);
    expect(notes).toContain(why[0]);
  });

  it('testcontainers is refused with what helps', async () => {
    await expect(start('testcontainers')).rejects.toThrow(
      /"testcontainers" cannot be used: .*What helps: start Docker/s,
    );
  });

  it('testcontainers is refused for data that outlives the run', async () => {
    const starting = startEnvironment({ kind: 'testcontainers', dataDir: '/tmp/none', log: () => {} });
    await expect(starting).rejects.toThrow('keeps no data');
  });
});
