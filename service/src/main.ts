import { isTransient } from './batches/locks.ts';
import { loadConfig, type Config } from './config.ts';
import { holdPlantedMemory } from './plants.ts';
import { guardDatabase } from './roles/database-guard.ts';
import { textOf, type RoleHandle } from './roles/role.ts';

/** Modules are loaded by role: a relay needs neither Fastify nor sharp in its memory. */
const ROLES: Record<Config['role'], (config: Config) => Promise<RoleHandle>> = {
  api: async (config) => (await import('./roles/api.ts')).startApi(config),
  relay: async (config) => (await import('./roles/relay.ts')).startRelay(config),
  worker: async (config) => (await import('./roles/worker.ts')).startWorker(config),
};
/** Longer than a role takes to drain, shorter than its supervisor waits. */
const CLOSE_WITHIN_MS = 11_000;

let role = 'service';
let handle: RoleHandle | undefined;
let stopping = false;
let held: Uint8Array | null = null;

/** Ends the process. What goes wrong is its last line, so that whoever started it can say what died. */
async function stop(code: number, reason?: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  const late = setTimeout(() => process.exit(code), CLOSE_WITHIN_MS);
  late.unref();
  await handle?.close().catch((error: unknown) => process.stderr.write(`${role}: while closing: ${textOf(error)}\n`));
  if (reason !== undefined) process.stderr.write(`${role} ended: ${reason}\n`);
  process.exit(code);
}

process.on('SIGTERM', () => void stop(0));
process.on('SIGINT', () => void stop(0));
// the supervisor is gone: nobody would end this process any more
if (process.send) process.on('disconnect', () => void stop(0));
process.on('uncaughtException', (error) => {
  if (isTransient(error)) return void process.stderr.write(`warn ${role}: a connection broke: ${textOf(error)}\n`);
  process.stderr.write(`${error.stack ?? String(error)}\n`);
  void stop(1, `unhandled error: ${textOf(error)}`);
});
process.on('unhandledRejection', (reason) => {
  // postgres.js 3.4.9 lets go of a promise when a connection breaks while it reads the array types (`fetchArrayTypes`); whether
  // the database is lost is the guard's to say
  if (isTransient(reason)) return void process.stderr.write(`warn ${role}: a connection broke: ${textOf(reason)}\n`);
  process.stderr.write(`${reason instanceof Error ? reason.stack : String(reason)}\n`);
  void stop(1, `unhandled rejection: ${textOf(reason)}`);
});

try {
  const config = loadConfig(process.env);
  role = config.role;
  held = holdPlantedMemory(config);
  handle = await ROLES[config.role](config);
  // not before: loading modules blocks the event loop, and an unanswered ping then says nothing about the database
  void guardDatabase(config.databaseUrl, config.databaseLostMs).lost.then((error) => stop(1, error.message));
  void handle.lost?.then((error) => stop(1, error.message));
  const { url, metricsUrl } = handle;
  if (held) process.stderr.write(`${role}: planted ${held.length} bytes\n`);
  process.send?.({ type: 'ready', role, ...(url === undefined ? {} : { url }), metricsUrl });
} catch (error) {
  void stop(1, textOf(error));
}
