import type { Config } from '../config.ts';
import { badValue } from '../errors.ts';

const LONGEST = 2_000;

export type WebhookConfig = Pick<
  Config,
  'webhookUrl' | 'webhookOrigins' | 'webhookSecret' | 'webhookTimeoutMs' | 'webhookKeepMs'
>;

/** Why nobody may name an address; null where he may. It is looked at as it will be asked for, not as it was written. */
export function refusalOf(url: string, origins: readonly string[]): string | null {
  if (url.length > LONGEST) return `it has more than ${LONGEST} characters`;
  if (!URL.canParse(url)) return 'it is no address';
  const { origin, username, password, hash } = new URL(url);
  if (username !== '' || password !== '') return 'it carries a name or password';
  if (hash !== '') return 'it has a fragment';
  return origins.includes(origin) ? null : `${origin} is not in WEBHOOK_ORIGINS`;
}

/**
 * Why nothing may be sent to an address now, whoever noted it and when; null where it may. The operator's own address is allowed by
 * being his: its origin need not be listed, and so no batch can name another path of it.
 */
export const sendingRefusal = (
  url: string,
  { webhookUrl, webhookOrigins }: Pick<WebhookConfig, 'webhookUrl' | 'webhookOrigins'>,
): string | null => (webhookUrl !== '' && url === webhookUrl ? null : refusalOf(url, webhookOrigins));

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

/** What signs messages to an origin: its own secrets where it has some, else those of all others. */
export function secretsOf(origin: string, secrets: WebhookConfig['webhookSecret']): string[] {
  const own = secrets.filter((each) => each.origin === origin);
  return (own.length > 0 ? own : secrets.filter((each) => each.origin === null)).map(({ secret }) => secret);
}

/** What is wrong with settings that belong together, for the start of a process. No address is shown whole: its path may hold a key. */
export function webhookProblems({ webhookUrl, webhookOrigins, webhookSecret }: WebhookConfig): string[] {
  const told = new Set([...webhookOrigins, ...(webhookUrl === '' ? [] : [new URL(webhookUrl).origin])]);
  const strangers = webhookSecret.flatMap(({ origin }) => (origin === null || told.has(origin) ? [] : [origin]));
  return [
    ...[...told]
      .filter((origin) => secretsOf(origin, webhookSecret).length === 0)
      .map(
        (origin) => `WEBHOOK_SECRET has nothing to sign with for ${origin}: WEBHOOK_ORIGINS and WEBHOOK_URL need it`,
      ),
    ...strangers.map(
      (origin) => `WEBHOOK_SECRET is for ${origin}, which is in neither WEBHOOK_ORIGINS nor WEBHOOK_URL`,
    ),
  ];
}
