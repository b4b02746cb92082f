import { readFile } from 'node:fs/promises';

export interface PsiReading {
  /** Microseconds since boot in which some task waited for a CPU. */
  someMicros: number;
  atMs: number;
}

/** Reads `/proc/pressure/cpu` (kernel: Documentation/accounting/psi.rst); null where the kernel has none. */
export async function readCpuPressure(path = '/proc/pressure/cpu', now = Date.now): Promise<PsiReading | null> {
  try {
    const match = /^some .*total=(\d+)/m.exec(await readFile(path, 'utf8'));
    return match ? { someMicros: Number(match[1]), atMs: now() } : null;
  } catch {
    return null;
  }
}

/** Share of the time between two readings in which some task waited, 0-1; null when either is missing. */
export function pressureBetween(before: PsiReading | null, after: PsiReading | null): number | null {
  if (!before || !after || after.atMs <= before.atMs) return null;
  return Math.min(1, (after.someMicros - before.someMicros) / 1000 / (after.atMs - before.atMs));
}
