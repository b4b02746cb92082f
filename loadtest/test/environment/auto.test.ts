import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EnvironmentError, startEnvironment } from '../../src/environment/index.ts';
import { withDatabase } from '../../src/environment/server-facts.ts';
import { startStandInEngine, type StandInEngine } from './fixtures/stand-in-engine.ts';

const IMAGES = { postgres: 'a/postgres:18', redis: 'a/redis:7' };
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-auto-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function start(given: StandInEngine, kind: 'auto' | 'testcontainers' = 'auto') {
  const engine = await startStandInEngine(folder, given);
  vi.stubEnv('DOCKER_HOST', engine.host);
  vi.stubEnv('BENCH_POSTGRES_IMAGE', IMAGES.postgres);
  vi.stubEnv('BENCH_REDIS_IMAGE', IMAGES.redis);
  const lines: string[] = [];
  try {
    const environment = await startEnvironment({ kind, log: (line) => lines.push(line) });
    const answered = await withDatabase(environment.databaseUrl, (sql) => sql`SELECT 1 AS n`);
    await environment.stop();
    const said = lines.filter((line) => line.startsWith('environment '));
    return { kind: environment.kind, notes: environment.notes, answered: [...answered], said };
  } finally {
    engine.cut();
  }
}

// Where it takes containers for real: containers.test.ts.
describe('the environment auto', () => {
  it.each([
    {
      when: 'an image is missing and cannot be pulled',
      given: { images: [IMAGES.postgres] },
      said: [/^environment embedded: the image a\/redis:7 is not there and cannot be pulled \(.*pull access denied/],
    },
    {
      when: 'nothing answers at the engine’s socket',
      given: { hangs: true },
      said: [/^environment embedded: no Docker engine answers \(the Docker engine: no answer in 5 s\)$/],
    },
    {
      when: 'engine and images are there, and no container starts',
      given: { images: Object.values(IMAGES) },
      said: [
        /^environment testcontainers: Docker 99\.0 answers and has a\/postgres:18 and a\/redis:7$/,
        /^environment embedded: PostgreSQL in a container of a\/postgres:18 did not start: .*no space for another container/,
      ],
    },
  ])('is embedded when $when, and says why', async ({ given, said }) => {
    const started = await start(given);
    expect(started).toMatchObject({ kind: 'embedded', answered: [{ n: 1 }] });
    expect(started.said).toEqual(said.map((pattern) => expect.stringMatching(pattern) as string));
    expect(started.notes).toContain(started.said.at(-1));
    expect(started.notes.filter((note) => note.startsWith('environment '))).toHaveLength(1);
  });
});

describe('the environment testcontainers', () => {
  it('is never another one: what the engine refuses ends the start', async () => {
    const starting = start({ images: Object.values(IMAGES) }, 'testcontainers');
    await expect(starting).rejects.toThrow(EnvironmentError);
    await expect(starting).rejects.toThrow(/^PostgreSQL in a container of .* did not start: .*no space for another/);
  });
});
