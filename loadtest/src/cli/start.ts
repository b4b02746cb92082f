import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../../service/src/config.ts';
import { RESTART_FIVE_A_MINUTE } from '../../../service/src/restart-policy.ts';
import { SETTINGS } from '../../../service/src/settings.ts';
import { startService, type Service } from '../../../service/src/supervise.ts';
import { finishRestore } from '../backup/backup.ts';
import { EnvironmentError, startEnvironment, type Environment } from '../environment/index.ts';
import { isPortFree } from '../environment/ports.ts';
import { EXIT, reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { newFolder } from './new-folder.ts';
import { DECIDED_SETTINGS, parseStartOptions, startHelp, type StartOptions } from './start-options.ts';
import { UsageError } from './usage-error.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Settings of the service may come from the shell here (and only here); those that the flags decide may not. */
function settingsFromShell(): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const { name } of Object.values(SETTINGS)) {
    const value = process.env[name];
    if (value && !DECIDED_SETTINGS.includes(name)) settings[name] = value;
  }
  const placeholders = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };
  try {
    loadConfig({ NODE_ENV: process.env['NODE_ENV'], ...placeholders, ...settings });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return settings;
}

const USUAL_PORT = 8080;

/** Who names a port has others look for the service there. */
async function choosePort(named: number | null): Promise<number> {
  const wanted = named ?? USUAL_PORT;
  if (wanted === 0 || (await isPortFree(wanted))) return wanted;
  if (named !== null)
    throw new UsageError(
      `--port ${named} is in use: stop what listens there, or give another one (0: any that is free)`,
    );
  say(`port ${wanted} is in use: taking another one`);
  return 0;
}

async function bringUp(
  options: StartOptions,
  port: number,
  environment: Environment,
  settings: Record<string, string>,
  signal: AbortSignal,
): Promise<Service> {
  const { databaseUrl, queueRedisUrl, cacheRedisUrl } = environment;
  return await startService({
    databaseUrl,
    queueRedisUrl,
    cacheRedisUrl,
    dataDir: join(options.dataDir, 'files'),
    port,
    workers: options.workers,
    // where `bench` writes them
    env: { RESULTS_DIR: resolve('bench-results'), ...settings, ...environment.env },
    log: (role, line) => say(`${role}: ${line}`),
    onGroup: (pid) => environment.watchGroup(pid),
    restart: RESTART_FIVE_A_MINUTE,
    signal,
  }).catch((error: unknown) => {
    throw new EnvironmentError(error instanceof Error ? error.message : String(error));
  });
}

function announce({ url, bootstrapKey }: Service): void {
  const lines = bootstrapKey
    ? [`key ${bootstrapKey} (all rights; shown this once)`, `open ${url}/#key=${bootstrapKey}`]
    : [`open ${url}/`];
  process.stdout.write([...lines, `ready ${url}`, ''].join('\n'));
}

/** Runs until a signal comes or something that it needs is gone; stops everything it started in either case. */
async function run(options: StartOptions): Promise<number> {
  const settings = settingsFromShell();
  const port = await choosePort(options.port);
  mkdirSync(newFolder('data', options.dataDir), { recursive: true });
  const interrupts = listenForInterrupts();
  const interrupted = new Promise<void>((resolve) => interrupts.signal.addEventListener('abort', () => resolve()));
  const { signal } = interrupts;
  let environment: Environment | undefined;
  let service: Service | undefined;
  try {
    environment = await startEnvironment({ kind: 'embedded', dataDir: options.dataDir, log: say, signal });
    for (const note of environment.notes) say(note);
    const lost = environment.died.then(({ what, detail }) => {
      throw new EnvironmentError(`${what} is gone: ${detail}`);
    });
    lost.catch(() => {});
    if (await finishRestore({ dataDir: options.dataDir, databaseUrl: environment.databaseUrl }))
      say('goes on from a backup');
    say('starting the service');
    service = await Promise.race([bringUp(options, port, environment, settings, signal), lost]);
    const ended = service.exited.then(({ role, code, signal: how, detail }) => {
      throw new EnvironmentError(`the service's ${role} keeps ending (${how ?? `code ${code}`}): ${detail}`);
    });
    ended.catch(() => {});
    if (!signal.aborted) announce(service);
    await Promise.race([interrupted, lost, ended]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await service?.stop();
    await environment?.stop();
    interrupts.release();
  }
  return interrupts.received() === 'SIGTERM' ? EXIT.pass : EXIT.interrupted;
}

try {
  const options = parseStartOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(`${startHelp()}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  reportError(error);
  if (process.connected) process.disconnect();
}
