import { readFile } from 'node:fs/promises';
import { quantile } from './statistics.ts';

const TICKS_PER_SECOND = 100;

export interface MachineCpu {
  /** Seconds since boot that all cores together were busy, time stolen by the hypervisor included; and all in all. */
  busySeconds: number;
  totalSeconds: number;
}

/** First line of `/proc/stat` (proc(5)): user nice system idle iowait irq softirq steal …; guest time is part of user. */
export function parseMachineCpu(text: string): MachineCpu | null {
  const fields = /^cpu +(.+)$/m.exec(text)?.[1]?.split(' ').map(Number);
  if (!fields || fields.length < 8) return null;
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = fields;
  const busy = user + nice + system + irq + softirq + steal;
  return { busySeconds: busy / TICKS_PER_SECOND, totalSeconds: (busy + idle + iowait) / TICKS_PER_SECOND };
}

export async function readMachineCpu(): Promise<MachineCpu | null> {
  return parseMachineCpu(await readFile('/proc/stat', 'utf8').catch(() => ''));
}

/** Share of the machine that processes outside this run took between two readings, 0-1. */
export function foreignShare(before: MachineCpu | null, after: MachineCpu | null, ownSeconds: number): number | null {
  if (!before || !after || after.totalSeconds <= before.totalSeconds) return null;
  const foreign = after.busySeconds - before.busySeconds - ownSeconds;
  return Math.min(1, Math.max(0, foreign / (after.totalSeconds - before.totalSeconds)));
}

/** How late this process' own timers fire: a late harness measures itself. */
export function createLagMeter(intervalMs = 50, now: () => number = () => performance.now()) {
  const lags: number[] = [];
  let expected = now() + intervalMs;
  const timer = setInterval(() => {
    lags.push(Math.max(0, now() - expected));
    expected = now() + intervalMs;
  }, intervalMs);
  timer.unref();
  return {
    stop: () => clearInterval(timer),
    p99Ms: (): number | null => (lags.length > 0 ? quantile(lags, 0.99) : null),
  };
}
export type LagMeter = ReturnType<typeof createLagMeter>;
