// Preloaded into a role's process by `overhead.mjs`: from SIGUSR2 on (a timer every 10 ms costs CPU itself) writes each late tick of
// its event loop to $LOOP_LOG/<role>-<pid>.ndjson. By timer drift, because `monitorEventLoopDelay` can read 0 through a native call
// that blocks. `cpuMs` is what the main thread itself used since the tick before: a loop that was late because another process had
// the core did not block. `gcMs` is the longest garbage collection since the tick before.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';

const EVERY_MS = 10;
const LATE_MS = 5;
const WRITE_MS = 500;

const { LOOP_LOG, SEGBENCH_ROLE } = process.env;
// A worker's children have its environment, and block by design.
if (LOOP_LOG && process.argv[1]?.endsWith('main.ts')) process.once('SIGUSR2', monitor);

function monitor() {
  const file = join(LOOP_LOG, `${SEGBENCH_ROLE}-${process.pid}.ndjson`);
  let collections = [];
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) collections.push({ startTime, duration });
  }).observe({ entryTypes: ['gc'] });
  let ticks = [];
  let at = performance.now();
  let cpu = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage();
    const lateMs = now - at - EVERY_MS;
    const cpuMs = (used.user + used.system - cpu.user - cpu.system) / 1000;
    if (lateMs > LATE_MS) ticks.push({ atMs: Date.now(), from: at, to: now, lateMs, cpuMs });
    [at, cpu] = [now, used];
  }, EVERY_MS).unref();
  setInterval(() => {
    const lines = ticks.map(({ from, to, ...tick }) => {
      const within = collections.filter(({ startTime }) => startTime >= from && startTime <= to);
      return `${JSON.stringify({ ...tick, gcMs: Math.max(0, ...within.map(({ duration }) => duration)) })}\n`;
    });
    [ticks, collections] = [[], []];
    if (lines.length > 0) void appendFile(file, lines.join(''));
  }, WRITE_MS).unref();
}
