import type { Config } from '../config.ts';
import { badValue } from '../errors.ts';

const LONGEST = 2_000;

/** Why an address may not be told anything; null where it may. It is looked at as it will be asked for, not as it was written. */
export function refusalOf(url: string, origins: readonly string[]): string | null {
  if (url.length > LONGEST) return `it has more than ${LONGEST} characters`;
  if (!URL.canParse(url)) return 'it is no address';
  const { origin, username, password, hash } = new URL(url);
  if (username !== '' || password !== '') return 'it carries a name or password';
  if (hash !== '') return 'it has a fragment';
  return origins.includes(origin) ? null : `${origin} is not in WEBHOOK_ORIGINS`;
}

/**
 * The address that a request gave, as it will be asked for.
 * @throws ApiError 400 naming the field
 */
export function webhookTarget(url: string, origins: readonly string[]): string {
  const refusal = refusalOf(url, origins);
  if (refusal === null) return new URL(url).href;
  const allowed = origins.length === 0 ? 'none: this server has no WEBHOOK_ORIGINS' : `a path of ${origins.join(', ')}`;
  throw badValue('webhook', url, `${allowed} (${refusal})`);
}

export type WebhookConfig = Pick<
  Config,
  'webhookUrl' | 'webhookOrigins' | 'webhookSecret' | 'webhookTimeoutMs' | 'webhookKeepMs'
>;

/** What is wrong with settings that belong together, for the start of a process. */
export function webhookProblems({ webhookUrl: url, webhookOrigins, webhookSecret }: WebhookConfig): string[] {
  const problems: string[] = [];
  const refusal = url === '' ? null : refusalOf(url, webhookOrigins);
  if (refusal !== null) problems.push(`WEBHOOK_URL is ${JSON.stringify(url)}: ${refusal}`);
  if (webhookOrigins.length > 0 && webhookSecret.length === 0)
    problems.push('WEBHOOK_SECRET is not set: WEBHOOK_ORIGINS needs it');
  return problems;
}
