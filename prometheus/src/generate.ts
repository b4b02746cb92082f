// Writes the rule files, and the limits that the service shows as metrics: its image has no scenarios.
// `node prometheus/src/generate.ts [--out DIR] [--runbooks URL] [--hurry N]`; with --out the rule files alone.
//
// --runbooks: what `runbook_url` begins with, such as the address of docs/runbooks.md in your own repository browser.
// --hurry: divides the waits and ages of the alerts that wake, so that they can be shown live in minutes. Never in operation.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { ALL_BUDGETS } from '../../scenarios/budgets.ts';
import { DEFAULTS, type RuleGroup, type RuleOptions } from './rule.ts';
import { ruleFiles } from './rules.ts';

export const RULES_DIR = fileURLToPath(new URL('../rules', import.meta.url));
const HEAD = '# Made by node prometheus/src/generate.ts; not edited by hand.\n';

/** As Prometheus reads it: long expressions on their lines, and `on` in quotes. */
export const yamlOf = (value: object): string => stringify(value, { lineWidth: 0, compat: 'yaml-1.1' });
const textOf = (groups: readonly RuleGroup[]): string => HEAD + yamlOf({ groups });

/** Contents of the rule files by name. */
export const ruleTexts = (options: RuleOptions = DEFAULTS): [name: string, text: string][] =>
  Object.entries(ruleFiles(options)).map(([name, groups]) => [name, textOf(groups)]);

export const LIMITS_FILE = fileURLToPath(new URL('../../service/src/budget-limits.gen.ts', import.meta.url));
export function limitsText(): string {
  const rows = ALL_BUDGETS.map(
    ({ name, unit, operator, limit }) => `  ['${name}', '${unit}', '${operator}', ${limit}],`,
  );
  return [
    '// Made by node prometheus/src/generate.ts from scenarios/budgets.ts; not edited by hand.',
    '',
    '/** Every budget of the project: name, unit, operator, limit. */',
    'export const BUDGET_LIMITS = [',
    ...rows,
    '] as const;',
    '',
  ].join('\n');
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { out: { type: 'string' }, runbooks: { type: 'string' }, hurry: { type: 'string' } },
  });
  const hurry = Number(values.hurry ?? DEFAULTS.hurry);
  if (!(hurry >= 1)) throw new RangeError(`--hurry is "${values.hurry}": expected a number from 1`);
  const out = values.out ?? RULES_DIR;
  mkdirSync(out, { recursive: true });
  for (const [name, text] of ruleTexts({ runbooks: values.runbooks ?? DEFAULTS.runbooks, hurry }))
    writeFileSync(join(out, name), text);
  if (values.out === undefined) writeFileSync(LIMITS_FILE, limitsText());
}
