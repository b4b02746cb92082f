import { duration, runbookOf, type AlertRule, type RuleOptions } from './rule.ts';

/** A webhook that nobody took for so long is for somebody to look at. */
export const WEBHOOK_WAITS_SECONDS = 3600;
const FOR_SECONDS = 600;

/** What nobody need get up for, and no budget speaks of: nothing of the service itself stands still. */
export function ticketAlerts(options: RuleOptions): AlertRule[] {
  const name = 'SegbenchWebhooksWaiting';
  return [
    {
      alert: name,
      expr: `max (segbench_webhooks_oldest_age_seconds) > ${WEBHOOK_WAITS_SECONDS}`,
      for: duration(FOR_SECONDS),
      labels: { severity: 'ticket' },
      annotations: {
        summary: 'A webhook has waited for {{ $value | humanizeDuration }} to be taken',
        description:
          'A receiver does not answer, or not with 2xx. What waits is given up after WEBHOOK_KEEP_MS; batches go on without it.',
        runbook_url: runbookOf(options, name),
      },
    },
  ];
}
