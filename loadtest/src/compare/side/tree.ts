import { readFile } from 'node:fs/promises';
import { descendants, readProcess } from '../../measure/proc.ts';

/** One process of a side, as the kernel tells it. */
export interface TreeProcess {
  pid: number;
  role: string;
  cpuSeconds: number;
}

/** Which of a side's processes are no part of the service: they are counted apart, as in the bench's efficiency. */
const SERVERS: Readonly<Record<string, string>> = { postgres: 'database', 'redis-server': 'queue' };

/** Roles of processes seen before; a process keeps its role as long as it lives. */
export type KnownRoles = Map<number, string>;

async function roleOf(pid: number, command: string): Promise<string> {
  // PostgreSQL's children call themselves "postgres: checkpointer" in their title, and "postgres" to the kernel.
  const server = SERVERS[command.split(':')[0] ?? ''];
  if (server) return server;
  const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  const named = /(?:^|\0)SEGBENCH_ROLE=([a-z]+)/.exec(environ)?.[1];
  return named ?? 'supervisor';
}

/** Every process below `root`, itself included, with its role and the CPU time that it and its dead children used. */
export async function readTree(root: number, known: KnownRoles): Promise<TreeProcess[]> {
  const pids = [root, ...descendants(root)];
  const found: TreeProcess[] = [];
  for (const reading of pids.map(readProcess)) {
    if (reading === null) continue;
    const { pid, command, cpuSeconds, reapedCpuSeconds } = reading;
    const role = known.get(pid) ?? (await roleOf(pid, command));
    known.set(pid, role);
    found.push({ pid, role, cpuSeconds: cpuSeconds + reapedCpuSeconds });
  }
  // A worker's children inherit its role; parents come before their children.
  const worker = found.find(({ role }) => role === 'worker')?.pid;
  return found.map((one) => (one.role === 'worker' && one.pid !== worker ? { ...one, role: 'inference' } : one));
}

/** CPU seconds by role, dead children included. */
export function cpuByRole(tree: readonly TreeProcess[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { role, cpuSeconds } of tree) sums[role] = (sums[role] ?? 0) + cpuSeconds;
  return sums;
}

export const isServer = (role: string): boolean => Object.values(SERVERS).includes(role);
