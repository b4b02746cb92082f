// Preloaded into a role's process by `overhead.mjs`: from SIGUSR2 on (a timer every 10 ms costs CPU itself) writes each late tick of
// its event loop to $LOOP_LOG/<role>-<pid>.ndjson. By timer drift, because `monitorEventLoopDelay` can read 0 through a native call
// that blocks. `cpuMs` is what the main thread itself used since the tick before: a loop that was late because another process had
// the core did not block.
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';

const EVERY_MS = 10;
const LATE_MS = 5;
const WRITE_MS = 500;

const { LOOP_LOG, SEGBENCH_ROLE } = process.env;
// A worker's children have its environment, and block by design.
if (LOOP_LOG && process.argv[1]?.endsWith('main.ts')) process.once('SIGUSR2', monitor);

function monitor() {
  const file = join(LOOP_LOG, `${SEGBENCH_ROLE}-${process.pid}.ndjson`);
  let lines = '';
  let at = performance.now();
  let cpu = process.threadCpuUsage();
  setInterval(() => {
    const now = performance.now();
    const used = process.threadCpuUsage();
    const lateMs = now - at - EVERY_MS;
    const cpuMs = (used.user + used.system - cpu.user - cpu.system) / 1000;
    if (lateMs > LATE_MS) lines += `${JSON.stringify({ atMs: Date.now(), lateMs, cpuMs })}\n`;
    [at, cpu] = [now, used];
  }, EVERY_MS).unref();
  setInterval(() => {
    if (lines === '') return;
    const text = lines;
    lines = '';
    void appendFile(file, text);
  }, WRITE_MS).unref();
}
