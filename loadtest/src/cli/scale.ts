import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { createHttpClient } from '../drivers/http-client.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { projectRoot } from '../environment/paths.ts';
import { readBalancer } from '../scale/balancer.ts';
import { deploy, scale } from '../scale/change.ts';
import { openProject, type Project } from '../scale/compose.ts';
import { parseScaleOptions, scaleHelp, type ScaleOptions } from '../scale/options.ts';
import { paceOf, paceText, statesOf, statusText } from '../scale/report.ts';
import { EXIT, reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { UsageError } from './usage-error.ts';

/** Those of the composed system that a deploy brings up last; SCALE_WITHOUT leaves some of them out. */
const WATCHERS = ['prometheus', 'grafana'];
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (value: unknown, text: string, json: boolean): void =>
  void process.stdout.write(`${json ? JSON.stringify(value, null, 2) : text}\n`);

/** What compose reads from `.env`, under what the shell says. */
function settingsOf(directory: string): Record<string, string | undefined> {
  const file = join(directory, '.env');
  return { ...(existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {}), ...process.env };
}

async function status(project: Project, statsPort: number, json: boolean): Promise<void> {
  const states = statesOf(await project.containers());
  const balancer = await readBalancer(statsPort);
  print({ services: states, balancer: balancer ?? null }, statusText(states, balancer), json);
}

async function metrics(env: Record<string, string | undefined>, json: boolean): Promise<void> {
  const key = env['SEGBENCH_KEY'] || env['BOOTSTRAP_API_KEY'];
  if (!key)
    throw new UsageError('metrics needs a key of scope metrics: set SEGBENCH_KEY, or BOOTSTRAP_API_KEY in .env');
  const given = env['SEGBENCH_ADDRESS'] ?? '127.0.0.1';
  const host = given === '0.0.0.0' ? '127.0.0.1' : given;
  const baseUrl = `http://${host}:${env['SEGBENCH_PORT'] ?? '8080'}`;
  const client = createHttpClient({ baseUrl, key, connections: 1 });
  try {
    const now = await client.call('GET /api/now', { timeoutMs: 10_000 }).catch((error: unknown) => {
      throw new EnvironmentError(
        `${baseUrl} gives no figures: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    const pace = paceOf(now);
    print(pace, paceText(pace), json);
  } finally {
    client.close();
  }
}

async function run(options: Exclude<ScaleOptions, { action: 'help' }>): Promise<number> {
  const directory = projectRoot;
  const env = settingsOf(directory);
  if (options.action === 'metrics') {
    await metrics(env, options.json);
    return EXIT.pass;
  }
  const interrupts = listenForInterrupts();
  try {
    const project = await openProject({ directory, env: process.env, signal: interrupts.signal, log: say });
    const left = (env['SCALE_WITHOUT'] ?? '').split(',');
    const others = WATCHERS.filter((name) => !left.includes(name));
    if (options.action === 'deploy') await deploy(project, options, others);
    if (options.action === 'scale') await scale(project, options);
    await status(project, Number(env['BALANCER_STATS_PORT'] ?? 8405), options.json);
    return EXIT.pass;
  } catch (error) {
    if (!interrupts.signal.aborted) throw error;
    say('interrupted: what was asked for is done in part; the same command goes on from there');
    return EXIT.interrupted;
  } finally {
    interrupts.release();
  }
}

try {
  const options = parseScaleOptions(process.argv.slice(2));
  if (options.action === 'help') process.stdout.write(`${scaleHelp()}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
