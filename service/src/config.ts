import { purgeProblems } from './cdn/purge-requests.ts';
import type { Setting } from './setting-kinds.ts';
import { SETTINGS } from './settings.ts';
import { webhookProblems } from './webhooks/target.ts';

/** Every setting of the service, validated; see `settings.ts` for names, defaults and limits. */
export type Config = { [K in keyof typeof SETTINGS]: (typeof SETTINGS)[K] extends Setting<infer T> ? T : never };

/**
 * Reads all settings from an environment (`process.env` in `main.ts`).
 * @throws Error naming every bad setting, its value and what is allowed.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries<Setting<unknown>>(SETTINGS)) {
    const text = env[setting.name];
    try {
      values[field] = text === undefined || text === '' ? setting.fallback : setting.parse(text);
      if (values[field] === undefined) problems.push(`${setting.name} is not set: expected ${setting.allowed}`);
    } catch {
      const shown = setting.secret
        ? `(${String(text?.length)} characters)`
        : JSON.stringify(setting.shown?.(text ?? '') ?? text);
      problems.push(`${setting.name} is ${shown}: expected ${setting.allowed}`);
    }
  }
  const config = values as Config;
  if (config.plant?.size > 0 && env.NODE_ENV !== 'test')
    problems.push(`PLANT is ${JSON.stringify(env.PLANT)}: only allowed with NODE_ENV=test`);
  if (config.crashPoints && env.NODE_ENV !== 'test')
    problems.push(`CRASH_POINTS is ${JSON.stringify(env.CRASH_POINTS)}: only allowed with NODE_ENV=test`);
  // Only of values that are good each for itself.
  if (problems.length === 0) problems.push(...purgeProblems(config), ...webhookProblems(config));
  if (problems.length > 0) throw new Error(`bad settings:\n  ${problems.join('\n  ')}`);
  return config;
}
