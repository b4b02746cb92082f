import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { listScenarios, type Scenario } from '../../../scenarios/index.ts';
import { ALL_BUDGETS } from '../../../scenarios/budgets.ts';
import { CLIENT_KINDS, CLIENTS, POOL_KINDS } from '../../../scenarios/defaults.ts';
import { OPERATORS } from '../contract.ts';
import { POOLS, readPool } from './pool.ts';
import { UsageError } from './usage-error.ts';

const NAMES: readonly string[] = ALL_BUDGETS.map(({ name }) => name);
const UNITS = ['ms', 'bytes', 'count', 'ratio', 'per-minute'];
/** What makes an argument of `--scenario` a file. */
const IS_FILE = /[\\/]|\.[cm]?[jt]s$/;

type Report = (at: string, value: unknown, expected: string) => never;

/**
 * The scenario of a module of the user's: its default export, or the only one. It says the same things as the scenario of its kind that
 * is built in, by other numbers.
 * @returns undefined where `text` is no path
 * @throws UsageError that names the file, the field, its value and what is allowed
 */
export async function ownScenario(text: string | undefined): Promise<Scenario | undefined> {
  if (text === undefined || !IS_FILE.test(text)) return undefined;
  const path = resolve(text);
  if (!existsSync(path))
    throw new UsageError(`--scenario "${text}" does not exist; allowed: a file, or a name that --list shows`);
  const module = await (import(pathToFileURL(path).href) as Promise<Record<string, unknown>>).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new UsageError(`--scenario "${text}" cannot be loaded: ${why}`);
    },
  );
  const given = module['default'] ?? Object.values(module)[0];
  checkScenario(given, (at, value, expected) => {
    const shown = JSON.stringify(value) ?? String(value);
    throw new UsageError(`--scenario "${text}": ${at} is ${shown.slice(0, 100)}; expected ${expected}`);
  });
  return given as Scenario;
}

function checkScenario(given: unknown, report: Report): void {
  if (!isRecord(given)) report('its export', given, 'a scenario, as in scenarios/bulk-1000.ts');
  const { kind, name, title, budgets, notApplicable } = given;
  const likes = listScenarios().filter((scenario) => scenario.kind === kind);
  const like = likes[0];
  if (like === undefined)
    report('kind', kind, `one of ${[...new Set(listScenarios().map((scenario) => scenario.kind))].join(', ')}`);
  // It names folders.
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9-]{0,60}$/.test(name))
    report('name', name, 'small letters, digits and hyphens');
  if (listScenarios().some((scenario) => scenario.name === name)) report('name', name, 'one that is not built in');
  if (typeof title !== 'string' || title === '') report('title', title, 'a sentence');
  const { budgets: _budgets, notApplicable: _none, title: _title, name: _name, ...shape } = like;
  alike('', given, shape, report);
  checkDefaults(given, report);
  if (!Array.isArray(budgets) || budgets.length === 0) report('budgets', budgets, 'a list of budgets');
  for (const [index, budget] of budgets.entries()) checkBudget(`budgets[${index}]`, budget, report);
  if (!isRecord(notApplicable))
    report('notApplicable', notApplicable, 'an object of budgets with reasons, {} for none');
  for (const [budget, reason] of Object.entries(notApplicable)) {
    if (!NAMES.includes(budget)) report(`notApplicable.${budget}`, reason, `one of ${NAMES.join(', ')}`);
    if (typeof reason !== 'string' || reason === '') report(`notApplicable.${budget}`, reason, 'a reason');
  }
}

function checkDefaults({ kind, pool, client }: Record<string, unknown>, report: Report): void {
  const onlyOf = (field: string, value: unknown, kinds: readonly unknown[]) => {
    if (!kinds.includes(kind)) report(field, value, `none with kind ${String(kind)}; allowed with ${kinds.join(', ')}`);
  };
  if (pool !== undefined) {
    onlyOf('pool', pool, POOL_KINDS);
    const found = typeof pool === 'string' ? readPool(pool) : POOLS;
    if (typeof found === 'string') report('pool', pool, found);
  }
  if (client !== undefined) {
    onlyOf('client', client, CLIENT_KINDS);
    if (!CLIENTS.some((one) => one === client)) report('client', client, `one of ${CLIENTS.join(', ')}`);
  }
}

function checkBudget(at: string, budget: unknown, report: Report): void {
  if (!isRecord(budget)) report(at, budget, 'a budget');
  const among = (field: string, allowed: readonly string[]) => {
    if (!allowed.includes(String(budget[field])))
      report(`${at}.${field}`, budget[field], `one of ${allowed.join(', ')}`);
  };
  among('name', NAMES);
  among('unit', UNITS);
  among('operator', OPERATORS);
  if (!isNumber(budget['limit'])) report(`${at}.limit`, budget['limit'], 'a number');
  for (const field of ['description', 'source'])
    if (typeof budget[field] !== 'string' || budget[field] === '')
      report(
        `${at}.${field}`,
        budget[field],
        field === 'source' ? 'where the limit comes from' : 'what is measured, in words',
      );
}

/** Every field of the scenario that is built in must be there, of the same type; numbers are not negative. */
function alike(at: string, given: Record<string, unknown>, like: object, report: Report): void {
  for (const [field, wanted] of Object.entries(like) as [string, unknown][]) {
    const where = at === '' ? field : `${at}.${field}`;
    const value = given[field];
    if (Array.isArray(wanted)) {
      if (!Array.isArray(value) || value.length === 0)
        report(where, value, `a list, such as ${JSON.stringify(wanted)}`);
      if (value.some((one) => typeof one !== typeof wanted[0])) report(where, value, `${typeof wanted[0]}s`);
    } else if (isRecord(wanted)) {
      if (!isRecord(value)) report(where, value, `an object with ${Object.keys(wanted).join(', ')}`);
      alike(where, value, wanted, report);
    } else if (typeof wanted === 'number') {
      if (!isNumber(value) || value < 0) report(where, value, 'a number that is not negative');
    } else if (typeof value !== typeof wanted) report(where, value, `a ${typeof wanted}, such as ${String(wanted)}`);
  }
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
