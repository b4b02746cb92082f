import { startContainerServers, type ContainerServersOptions } from './containers/container-servers.ts';
import { ensureImages, findEngine, type Engine } from './containers/engine.ts';
import { imageNames } from './containers/images.ts';
import { removeRunContainers } from './containers/leftovers.ts';
import { startEmbeddedServers, type EmbeddedOptions } from './embedded-servers.ts';
import { EnvironmentError } from './errors.ts';
import type { Started, WantedServers } from './keeper-protocol.ts';

export interface OwnServersOptions extends EmbeddedOptions {
  wanted: Exclude<WantedServers, 'none'>;
  /** Called when containers are about to be started: whatever happens then, they are to be removed. */
  onEngine: (engine: Engine) => void;
}
type OwnServers = Omit<Started, 'tempDir'>;

async function usableEngine(options: OwnServersOptions): Promise<Engine | string> {
  const engine = await findEngine();
  if (typeof engine === 'string') return engine;
  return (await ensureImages(engine, options)) ?? engine;
}

const INSTEAD =
  'start Docker, name images that are there (BENCH_POSTGRES_IMAGE, BENCH_REDIS_IMAGE), or use --environment embedded';

async function inContainers(engine: Engine, options: OwnServersOptions, why: string): Promise<OwnServers> {
  options.onEngine(engine);
  options.log(why);
  const { runId, env, log, signal, onServer } = options;
  const given: ContainerServersOptions = { engine, runId, env, log, signal, onServer };
  const started = await startContainerServers(given);
  return { kind: 'testcontainers', ...started, notes: [why, ...started.notes] };
}

async function embedded(options: OwnServersOptions, why?: string): Promise<OwnServers> {
  if (why) options.log(why);
  const started = await startEmbeddedServers(options);
  return { kind: 'embedded', ...started, notes: [...(why ? [why] : []), ...started.notes] };
}

/** PostgreSQL and two Redis of this run's own: in containers or as processes, as wanted; with `auto` as it can be, and one line says which and why. */
export async function startOwnServers(options: OwnServersOptions): Promise<OwnServers> {
  const { wanted, env, runId, signal } = options;
  // Data that outlives the run lies in a folder, not in a container.
  if (wanted === 'embedded' || options.dataDir) return await embedded(options);
  const engine = await usableEngine(options);
  if (typeof engine === 'string') {
    if (wanted === 'testcontainers')
      throw new EnvironmentError(`the environment "testcontainers" cannot be used: ${engine}. What helps: ${INSTEAD}`);
    return await embedded(options, `environment embedded: ${engine}`);
  }
  const { postgres, redis } = imageNames(env);
  if (wanted === 'testcontainers') return await inContainers(engine, options, `environment testcontainers: asked for`);
  const why = `environment testcontainers: Docker ${engine.version} answers and has ${postgres} and ${redis}`;
  try {
    return await inContainers(engine, options, why);
  } catch (error) {
    if (!(error instanceof EnvironmentError) || signal.aborted) throw error;
    await removeRunContainers(engine, runId);
    return await embedded(options, `environment embedded: ${error.message.split('\n')[0]}`);
  }
}
