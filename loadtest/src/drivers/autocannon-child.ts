/** A process of its own: what it costs to send must not be counted as the harness's, and can be told apart from what the API does. */
import autocannon from 'autocannon';
import type { CannonReport, CannonTask } from './autocannon.ts';

const TIMEOUT_SECONDS = 10;

async function run({ url, method, headers, body, connections, durationMs }: CannonTask): Promise<CannonReport> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  const result = await autocannon({
    url,
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    connections,
    duration: durationMs / 1000,
    timeout: TIMEOUT_SECONDS,
  });
  const tookMs = performance.now() - began;
  const used = process.cpuUsage(cpu);
  return {
    requests: result.requests.total,
    ok: result['2xx'],
    // autocannon counts timeouts among its errors.
    failed: { 'not 2xx': result.non2xx, errors: result.errors - result.timeouts, timeouts: result.timeouts },
    bytes: result.throughput.total,
    tookMs: result.duration * 1000,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    maxMs: result.latency.max,
    cpuShare: (used.user + used.system) / 1000 / tookMs,
  };
}

process.once('message', (task) => {
  void run(task as CannonTask).then((report) => process.send?.(report, () => process.disconnect()));
});
