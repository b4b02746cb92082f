import type { ForkOptions } from 'node:child_process';
import type { Setting } from '../setting-kinds.ts';
import { SETTINGS } from '../settings.ts';

/** What the kernel lets a process have, whatever the library that it runs thinks of its input. */
export interface ChildLimits {
  /** Bytes beside those that an idle Node process has mapped: pixels, buffers, tables. */
  memoryBytes: number;
  /** CPU time that each piece of work has for certain; none gets more than three times as much. */
  cpuSeconds: number;
}

/**
 * Writable private memory that Node 24 with sharp has mapped before it does anything, and a margin: measured 641 MB (`VmData`), most
 * of it V8's code range and thread stacks that are never touched. RLIMIT_DATA counts what is mapped, not what is resident.
 */
const IDLE_BYTES = 704 * 1024 * 1024;
/** A decoder's own objects are few: its pixels lie outside of V8's heap. */
const HEAP_MB = 192;

/** Nothing else of the environment is for a process that reads foreign bytes: no database address, no key. */
const PASSED = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'LD_LIBRARY_PATH', 'NODE_ENV', 'SYSTEMROOT'];
const bareEnv = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(PASSED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))),
  // libvips would spill large pictures to the disk, where no limit holds.
  VIPS_DISC_THRESHOLD: '1000g',
  // One arena: memory that was freed is used again, and the limit is reached by what is needed, not by what lies about.
  MALLOC_ARENA_MAX: '2',
});

/** A process has used up its share of the limit on its CPU time, and should be replaced before it does more. */
export const isSpent = (cpuMs: number, { cpuSeconds }: ChildLimits): boolean => cpuMs > 2000 * cpuSeconds;

/** The child's first instructions are the shell's: what it sets holds from then on, and cannot be lifted again. */
function underLimits(lines: readonly string[], flags: readonly string[]): ForkOptions {
  // Windows has no such limits: there the deadlines alone hold.
  if (process.platform === 'win32') return { execArgv: [...flags] };
  // A limit that may not be raised to ours is stricter than ours, and stays.
  const script = ['ulimit -c 0', ...lines, 'exec "$0" "$@"'].join('; ');
  return { execPath: '/bin/sh', execArgv: ['-c', script, process.execPath, ...flags] };
}
const dataLimit = (bytes: number) => `ulimit -d ${Math.ceil((IDLE_BYTES + bytes) / 1024)}`;

/** Options of `fork` for a child that only decodes: RLIMIT_DATA, RLIMIT_CPU, no core file, and next to no environment. */
export function confined(limits: ChildLimits, serialization: 'json' | 'advanced'): ForkOptions {
  const lines = [dataLimit(limits.memoryBytes), `ulimit -t ${3 * limits.cpuSeconds}`];
  return { serialization, env: bareEnv(), ...underLimits(lines, [`--max-old-space-size=${HEAP_MB}`]) };
}

const SECRETS = new Set<string>([
  'POOL',
  ...Object.values<Setting<unknown>>(SETTINGS).flatMap(({ name, secret }) => (secret === true ? [name] : [])),
]);
/**
 * Options of `fork` for an inference child, which decodes as well, lives for long, and needs what drivers and libraries find in the
 * environment: that loses its secrets alone. @param memoryBytes null: not limited, for a GPU's driver maps its own memory
 */
export function confinedInference(memoryBytes: number | null): ForkOptions {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !SECRETS.has(name)));
  return { serialization: 'advanced', env, ...underLimits(memoryBytes === null ? [] : [dataLimit(memoryBytes)], []) };
}
