import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { capture } from '../../src/environment/processes.ts';
import { freePort } from '../../src/environment/ports.ts';
import { leftOf, startBench } from './bench-process.ts';

/** A mount that nobody else sees, with or without root. */
const NAMESPACE = [
  'unshare',
  ...(process.getuid?.() === 0 ? ['--mount'] : ['--user', '--map-current-user', '--keep-caps', '--mount']),
];
const MOUNT = ['mount', '-t', 'tmpfs', '-o'];
const [program = '', ...flags] = NAMESPACE;
const tried = await capture(program, [...flags, ...MOUNT, 'size=4k', 'tmpfs', tmpdir()]).catch(String);
const refused = typeof tried === 'string' ? tried : tried.code === 0 ? undefined : tried.stderr.trim();
/** Runs what follows with a small disk at `folder`. */
const onSmallDisk = (folder: string, options: string): string[] => [
  ...NAMESPACE,
  'sh',
  '-c',
  `${MOUNT.join(' ')} mode=755,${options} tmpfs "$0" && exec "$@"`,
  folder,
];

/** A limit for what hangs: the machine may be busy. */
const TIMEOUT_MS = 240_000;

let folder: string;
let temp: string;
let out: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-ends-'));
  temp = join(folder, 'temp');
  out = join(folder, 'out');
  // PostgreSQL's own account must be able to enter, or another folder is taken.
  await Promise.all([chmod(folder, 0o755), mkdir(temp), mkdir(out)]);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function bench(args: string[], more: { under?: string[]; env?: Record<string, string> } = {}) {
  const { code, said } = startBench(['--out', out, ...args], { temp, ...more });
  return { code: await code, said: said(), left: await leftOf(temp) };
}
const linesWith = (text: string, pattern: RegExp): string[] => text.split('\n').filter((line) => pattern.test(line));

describe.skipIf(refused)(`bench on a full disk${refused ? ` (skipped: ${refused})` : ''}`, () => {
  it.each([
    { what: 'the results', place: () => out, options: 'size=8k', args: ['--count', '10'], says: /ENOSPC/ },
    { what: 'the run’s first file', place: () => temp, options: 'nr_inodes=1', args: [], says: /ENOSPC.*TMPDIR/ },
    { what: 'the database', place: () => temp, options: 'size=8m', args: [], says: /[Nn]o space left on device/ },
    {
      what: 'a file in the middle of the run',
      place: () => temp,
      options: 'size=400m',
      args: ['--scenario', 'downloads', '--count', '10'],
      says: /a disk is full|PostgreSQL is gone/,
    },
  ])(
    'ends with 3 and the cause when there is no room for $what, and leaves nothing',
    async ({ place, options, args, says }) => {
      const under = onSmallDisk(place(), options);
      const { code, said, left } = await bench(['--environment', 'embedded', ...args], { under });
      onTestFailed(() => console.error(said));
      const stack = linesWith(said, /^\s+at .*:\d+:\d+/);
      expect({ code, left, stack }).toEqual({ code: 3, left: [], stack: [] });
      expect(said).toMatch(says);
      expect(linesWith(said, /^stopped: /).length).toBeLessThanOrEqual(1);
    },
    TIMEOUT_MS,
  );
});

describe('bench on servers that are not there', () => {
  it('ends with 3 and the address’s name, and leaves nothing', async () => {
    const port = await freePort();
    const env = {
      SEGBENCH_DATABASE_URL: `postgres://u:p@127.0.0.1:${port}/postgres`,
      SEGBENCH_QUEUE_REDIS_URL: `redis://127.0.0.1:${port}`,
      SEGBENCH_CACHE_REDIS_URL: `redis://127.0.0.1:${port}/1`,
    };
    const { code, said, left } = await bench(['--environment', 'external'], { env });
    expect({ code, left }).toEqual({ code: 3, left: [] });
    expect(linesWith(said, /^stopped: /)).toEqual([
      expect.stringMatching(/^stopped: PostgreSQL in SEGBENCH_DATABASE_URL cannot be used: connect ECONNREFUSED/),
    ]);
  });
});
