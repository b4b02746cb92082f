import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EnvironmentError } from '../environment/errors.ts';
import { capture, onPath } from '../environment/processes.ts';
import { isHealthy, isUp, ofService, toContainer, type Container, type Inspected } from './containers.ts';

const LOOK_MS = 1000;
/** Node, the service's modules and, in a worker, the model: seconds; on a machine that has no core to spare, many. */
const HEALTHY_WITHIN_MS = 180_000;
/** Longer than any role takes to end; what is then left is killed by the engine. */
const STOP_SECONDS = 20;

export const INSTALL_COMPOSE =
  'install Docker with its compose plugin (Debian, Ubuntu: apt-get install docker.io docker-compose), and start it';

/** `docker compose`, or the older `docker-compose`: whichever answers. */
async function findCompose(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string[]> {
  if (!onPath('docker', env)) throw new EnvironmentError(`no docker on PATH: ${INSTALL_COMPOSE}`);
  if ((await capture('docker', ['compose', 'version'], { env, signal })).code === 0) return ['docker', 'compose'];
  if (onPath('docker-compose', env)) return ['docker-compose'];
  throw new EnvironmentError(`docker has no compose, and there is no docker-compose: ${INSTALL_COMPOSE}`);
}

/**
 * The composed system in `directory` (COMPOSE_FILE, COMPOSE_PROJECT_NAME and .env hold as for compose itself).
 * @throws EnvironmentError where there is no engine, no compose, or the file asks for a setting that is missing
 */
export async function openProject(given: {
  directory: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  log: (line: string) => void;
}) {
  const { directory, env, signal, log } = given;
  if (!existsSync(join(directory, '.env')) && !env['POSTGRES_PASSWORD'])
    throw new EnvironmentError(`there is no .env in ${directory}: copy .env.example to it, and fill in the secrets`);
  const [program = '', ...first] = await findCompose(env, signal);
  const run = async (command: string, args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await capture(command, args, { cwd: directory, env, signal });
    if (code !== 0) {
      const said = (stderr.trim() || stdout.trim()).split('\n').slice(-8).join('\n');
      throw new EnvironmentError(`${[command, ...args].join(' ')} failed with code ${code}:\n${said}`);
    }
    return stdout;
  };
  const compose = (...args: string[]) => run(program, [...first, ...args]);
  await compose('config', '-q');

  async function containers(): Promise<Container[]> {
    const ids = (await compose('ps', '-a', '-q')).split(/\s+/).filter((id) => id !== '');
    if (ids.length === 0) return [];
    // one may be gone between the two questions
    const { stdout } = await capture('docker', ['inspect', ...ids], { cwd: directory, env, signal });
    return (JSON.parse(stdout || '[]') as Inspected[]).map(toContainer);
  }
  /** Waits until `count` containers of a service, or all it has, can do their work. */
  async function healthy(service: string, count?: number): Promise<void> {
    const began = Date.now();
    for (;;) {
      const all = ofService(await containers(), service);
      const good = all.filter(isHealthy);
      if (good.length >= (count ?? Math.max(1, all.length))) return;
      if (Date.now() - began > HEALTHY_WITHIN_MS) {
        const states =
          all.map(({ name, state, health }) => `${name} is ${health ?? state}`).join(', ') || 'none is there';
        const bad = all.find((one) => !isHealthy(one));
        const said = bad ? await capture('docker', ['logs', '--tail', '8', bad.id], { env, signal }) : undefined;
        const lines = said ? `\n${said.stdout}${said.stderr}` : '';
        throw new EnvironmentError(`${service} is not healthy after ${HEALTHY_WITHIN_MS / 1000} s: ${states}${lines}`);
      }
      await sleep(LOOK_MS, undefined, { signal });
    }
  }
  return {
    containers,
    /** Servers that others need, made new where the file says something else of them than they are. */
    async up(...services: string[]): Promise<void> {
      log(`up: ${services.join(', ')}`);
      await compose('up', '-d', '--no-deps', ...services);
      for (const service of services) await healthy(service);
    },
    /** Brings a service to a number of containers; those that are there stay, whatever they were made from. */
    async scale(service: string, count: number): Promise<void> {
      log(`${service}: ${count}`);
      await compose('up', '-d', '--no-deps', '--no-recreate', '--scale', `${service}=${count}`, service);
      if (count > 0) await healthy(service, count);
    },
    /** Runs one that ends by itself. */
    async once(service: string): Promise<void> {
      log(`run: ${service}`);
      const said = await compose('run', '--rm', service);
      for (const line of said.trim().split('\n').filter(Boolean)) log(`  ${line}`);
    },
    /** SIGTERM, the time to finish, and gone. */
    async remove({ id, name }: Container): Promise<void> {
      log(`end: ${name}`);
      await run('docker', ['stop', '-t', String(STOP_SECONDS), id]);
      await run('docker', ['rm', '-f', id]);
    },
    running: async (service: string) => ofService(await containers(), service).filter(isUp),
    stopped: async (service: string) => ofService(await containers(), service).filter((one) => !isUp(one)),
  };
}
export type Project = Awaited<ReturnType<typeof openProject>>;
