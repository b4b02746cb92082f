/** A rule file of Prometheus, as far as it is used here. */
export interface RecordingRule {
  record: string;
  expr: string;
  labels: Record<string, string>;
}
export interface AlertRule {
  alert: string;
  expr: string;
  /** A duration; absent: at once. */
  for?: string;
  /** `page` wakes somebody, `ticket` waits for the morning. */
  labels: { severity: 'page' | 'ticket' } & Record<string, string>;
  annotations: { summary: string; description: string; runbook_url: string };
}
export interface RuleGroup {
  name: string;
  interval: string;
  rules: (RecordingRule | AlertRule)[];
}
export const isAlert = (rule: RecordingRule | AlertRule): rule is AlertRule => 'alert' in rule;

/** What may differ from one place to another. */
export interface RuleOptions {
  /** What the address of a section begins with. */
  runbooks: string;
  /** Waits of minutes, their ranges, and the time between two evaluations are divided by this: for showing them live, never in operation. */
  hurry: number;
}
export const DEFAULTS: RuleOptions = { runbooks: 'docs/runbooks.md', hurry: 1 };

/** The section of a runbook is headed by the alert's name. */
export const runbookOf = ({ runbooks }: RuleOptions, alert: string): string => `${runbooks}#${alert.toLowerCase()}`;

/** A duration in whole seconds, minutes or hours. */
export function duration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole % 3600 === 0) return `${whole / 3600}h`;
  return whole % 60 === 0 ? `${whole / 60}m` : `${whole}s`;
}
