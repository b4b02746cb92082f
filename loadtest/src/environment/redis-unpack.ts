import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir } from './paths.ts';
import { capture, onPath } from './processes.ts';
import { redisVersion, type FindOptions, type RedisProgram } from './redis-program.ts';

/** What Redis links to beside the base system; interpreters, users and services that the packages name are not needed. */
const NEEDED = /^(redis-|lib|lua)/;
/** Part of every Debian, and harmful as a second copy on the library path. */
const BASE = /^(libc6|libc-bin|libgcc-s1|libstdc\+\+6|libcrypt1)$/;

const APT = ['-o', 'Debug::NoLocking=1', '-o', 'APT::Sandbox::User=root'];

interface Apt {
  (
    program: 'apt-get' | 'apt-cache',
    args: string[],
    cwd: string,
  ): Promise<{ code: number | null; stdout: string; stderr: string }>;
}

/** apt with the system's lists, or with private ones (fetched here) where the machine has none. Works without root. */
async function withLists(work: string, options: FindOptions): Promise<Apt | string> {
  const run =
    (extra: string[]): Apt =>
    (program, args, cwd) =>
      capture(program, [...APT, ...extra, ...args], {
        cwd,
        env: { ...options.env, LC_ALL: 'C' },
        signal: options.signal,
      });
  const system = run([]);
  if ((await system('apt-cache', ['show', 'redis-server'], work)).code === 0) return system;
  const [lists, archives] = [join(work, 'lists'), join(work, 'archives')];
  await Promise.all([lists, archives].map((dir) => mkdir(join(dir, 'partial'), { recursive: true })));
  const own = run(['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${work}`]);
  options.log('fetching package lists for Redis');
  const update = await own('apt-get', ['update'], work);
  if ((await own('apt-cache', ['show', 'redis-server'], work)).code === 0) return own;
  return `apt knows no package redis-server (${update.stderr.trim().split('\n').at(-1) || `apt-get update: ${update.code}`})`;
}

async function installedPackages(names: string[], options: FindOptions): Promise<Set<string>> {
  const format = '${Package} ${db:Status-Status}\n';
  const done = await capture('dpkg-query', ['-W', '-f', format, ...names], {
    env: options.env,
    signal: options.signal,
  });
  const lines = done.stdout.split('\n').filter((line) => line.endsWith(' installed'));
  return new Set(lines.map((line) => line.split(' ')[0] ?? ''));
}

async function download(apt: Apt, work: string, options: FindOptions): Promise<string | undefined> {
  const kinds = ['recommends', 'suggests', 'conflicts', 'breaks', 'replaces', 'enhances'].map((kind) => `--no-${kind}`);
  const closure = await apt('apt-cache', ['depends', '--recurse', ...kinds, 'redis-server'], work);
  const names = closure.stdout.split('\n').filter((name) => NEEDED.test(name) && !BASE.test(name));
  const installed = await installedPackages(names, options);
  const wanted = names.filter((name) => name.startsWith('redis-') || !installed.has(name));
  options.log(`unpacking Redis from ${wanted.length} packages of the distribution (once)`);
  const debs = join(work, 'debs');
  await mkdir(debs);
  const fetched = await apt('apt-get', ['download', ...wanted], debs);
  if (fetched.code !== 0) return `apt-get download fails: ${fetched.stderr.trim().split('\n').at(-1)}`;
  for (const file of await readdir(debs)) {
    const args = ['-x', join(debs, file), join(work, 'root')];
    const done = await capture('dpkg', args, { env: options.env, signal: options.signal });
    if (done.code !== 0) return `dpkg -x ${file} fails: ${done.stderr.trim()}`;
  }
  return undefined;
}

async function libraryPath(root: string): Promise<string> {
  const found: string[] = [];
  for (const lib of ['usr/lib', 'lib']) {
    const names = await readdir(join(root, lib)).catch(() => []);
    found.push(...names.filter((name) => name.includes('-linux-')).map((name) => join(root, lib, name)));
  }
  return found.join(':');
}

async function programIn(root: string, options: FindOptions): Promise<RedisProgram | undefined> {
  const command = join(root, 'usr/bin/redis-server');
  if (!(await stat(command).catch(() => undefined))) return undefined;
  const env = { LD_LIBRARY_PATH: await libraryPath(root) };
  const version = await redisVersion(command, { ...options.env, ...env });
  if (!version) return undefined;
  return { source: 'packages', version, command, env, args: () => ['-'], native: true };
}

/**
 * Redis from the distribution's packages (Debian, Ubuntu), unpacked below the cache folder without touching the system:
 * apt checks their signatures and sums, dpkg only extracts. Tens of seconds the first time, at once afterwards.
 */
export async function unpackedRedis(options: FindOptions): Promise<RedisProgram | string> {
  const missing = ['apt-get', 'apt-cache', 'dpkg', 'dpkg-query'].filter((name) => !onPath(name, options.env));
  if (missing.length > 0) return `no ${missing.join(', ')} to unpack the distribution's packages with`;
  const cache = cacheDir(options.env);
  await mkdir(cache, { recursive: true });
  const kept = (await readdir(cache)).filter((name) => name.startsWith('redis-') && !name.startsWith('redis-new-'));
  for (const name of kept) {
    const program = await programIn(join(cache, name), options);
    if (program) return program;
    await rm(join(cache, name), { recursive: true, force: true });
  }
  const work = await mkdtemp(join(cache, 'redis-new-'));
  try {
    const apt = await withLists(work, options);
    if (typeof apt === 'string') return apt;
    const failure = await download(apt, work, options);
    if (failure) return failure;
    const fresh = await programIn(join(work, 'root'), options);
    if (!fresh) return 'the unpacked redis-server does not run here';
    const place = join(cache, `redis-${fresh.version}`);
    // Two starts at once: the second one's rename fails, and it uses what the first one put there.
    await rename(join(work, 'root'), place).catch(() => {});
    return (await programIn(place, options)) ?? `the unpacked redis-server in ${place} does not run`;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
