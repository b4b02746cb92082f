import { parsePrometheus } from '../measure/prometheus.ts';

/** What one API process has refused so far, by reason and class. */
export async function countShed(metricsUrl: string): Promise<{ reason: string; kind: string; count: number }[]> {
  const text = await (await fetch(metricsUrl)).text();
  return parsePrometheus(text)
    .filter(({ name, value }) => name === 'segbench_shed_requests_total' && value > 0)
    .map(({ labels, value }) => ({ reason: labels['reason'] ?? '', kind: labels['class'] ?? '', count: value }));
}
