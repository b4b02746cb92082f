import { loadConfig } from '../../../service/src/config.ts';
import { startRole } from '../../../service/src/role-process.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { EXIT, reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { UsageError } from './usage-error.ts';
import { parseWorkerOptions, workerHelp } from './worker-options.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** Runs the worker role until a signal comes: what it has in work is finished or handed back then. */
async function run(settings: Record<string, string>): Promise<number> {
  const env = { ...process.env, ...settings };
  try {
    loadConfig(env);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const interrupts = listenForInterrupts();
  const { signal } = interrupts;
  const interrupted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  try {
    const role = await startRole({ role: 'worker', env, log: (_, line) => say(line), onGroup: () => {}, signal });
    process.stdout.write(`ready ${role.metricsUrl}\n`);
    const exit = await Promise.race([interrupted, role.exited]);
    if (exit !== undefined && !signal.aborted)
      throw new Error(`the worker ended (${exit.signal ?? `code ${exit.code}`}): ${exit.detail}`);
    await role.stop();
  } catch (error) {
    if (!signal.aborted) throw new EnvironmentError(error instanceof Error ? error.message : String(error));
  } finally {
    interrupts.release();
  }
  return interrupts.received() === 'SIGTERM' ? EXIT.pass : EXIT.interrupted;
}

try {
  const { settings, help } = parseWorkerOptions(process.argv.slice(2));
  if (help) process.stdout.write(`${workerHelp()}\n`);
  else process.exitCode = await run(settings);
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
