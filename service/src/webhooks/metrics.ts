import { Counter } from 'prom-client';
import type { Metrics } from '../metrics.ts';

const OUTCOMES = ['sent', 'failed', 'given-up'] as const;

/** What the relay that leads shows of webhooks; one that does not lead has none waiting. */
export function createWebhookMetrics(metrics: Metrics) {
  const counter = new Counter({
    name: 'segbench_webhooks_total',
    help: 'Webhooks: sent, failed (and tried again later), given-up.',
    labelNames: ['outcome'] as const,
    registers: metrics.registers,
  });
  for (const outcome of OUTCOMES) counter.inc({ outcome }, 0);
  let waiting = 0;
  let oldestMs = 0;
  metrics.gauge('segbench_webhooks_waiting', 'Webhooks that were not taken yet.', () => waiting);
  metrics.gauge(
    'segbench_webhooks_oldest_age_seconds',
    'Age of the oldest webhook that was not taken yet.',
    () => oldestMs / 1000,
  );
  return {
    count: (outcome: (typeof OUTCOMES)[number], by = 1) => counter.inc({ outcome }, by),
    stands(count: number, ageMs: number): void {
      waiting = count;
      oldestMs = ageMs;
    },
  };
}
