/** Flags of the delivery proof, and of services that are not ours. */
import { existsSync } from 'node:fs';
import { PROVE } from '../../../scenarios/prove.ts';
import type { Scenario } from '../../../scenarios/scenario.ts';
import { PROOF_FAULTS } from '../prove/records.ts';
import { oneOf, textOf, type FlagTable, type FlagValues } from './flags.ts';
import { UsageError } from './usage-error.ts';

export const ON_INCONCLUSIVE = ['fail', 'warn'] as const;

/** A verdict found again: `path` is a folder, a page or a file. */
export interface RejudgeOptions {
  path: string;
  json: boolean;
  onInconclusive: (typeof ON_INCONCLUSIVE)[number];
}

export const PROOF_FLAGS = {
  target: {
    value: 'FILE',
    help: 'with --scenario prove or bulk-1000: the adapter of a service that is not ours (docs/targets.md)',
  },
  fault: {
    value: 'NAME',
    help: `with --scenario prove: ${PROOF_FAULTS.join(' | ')}, of the line of events (default cut)`,
  },
  rejudge: {
    value: 'PATH',
    help: 'judge a run of --scenario prove again from its raw data alone: its folder, report.html or ledger file',
  },
} as const satisfies FlagTable;

/** What needs the delivery proof, and what it cannot do. */
export function refuseForProof(values: FlagValues, { kind, name, client }: Scenario): void {
  const refuse = (flag: string, why: string) => {
    if (values[flag] !== undefined) throw new UsageError(`--${flag} "${values[flag]}" is not allowed with ${why}`);
  };
  if (kind !== 'prove') refuse('fault', `--scenario ${name}; allowed with ${PROVE.name}`);
  if (kind !== 'prove' && kind !== 'bulk')
    refuse('target', `--scenario ${name}; allowed with ${PROVE.name} and the bulk ones`);
  const isForeign = values['target'] !== undefined;
  if (kind !== 'prove' && !isForeign) return;
  const what = isForeign ? '--target' : `--scenario ${name}`;
  for (const flag of ['without', 'baseline']) refuse(flag, what);
  if (textOf(values, 'client') === 'naive') refuse('client', `${what}; allowed: optimized`);
  if (values['client'] === undefined && client === 'naive')
    throw new UsageError(`client "naive" of ${name} is not allowed with ${what}; allowed: --client optimized`);
  if (isForeign)
    for (const flag of ['workers', 'pool', 'environment'])
      refuse(flag, '--target, which names a service that runs already');
}

/** Undefined where nothing is to be judged again. @throws UsageError */
export function rejudgeOf(values: FlagValues): RejudgeOptions | undefined {
  const path = textOf(values, 'rejudge');
  if (path === undefined) return undefined;
  if (!existsSync(path))
    throw new UsageError(
      `--rejudge "${path}" does not exist; allowed: the folder of a run of the scenario prove, its report.html or its raw ledger`,
    );
  const allowed = ['rejudge', 'scenario', 'json', 'on-inconclusive'];
  const other = Object.keys(values).find((flag) => !allowed.includes(flag));
  if (other !== undefined)
    throw new UsageError(
      `--${other} is not allowed with --rejudge, which runs nothing; allowed: ${allowed
        .slice(2)
        .map((flag) => `--${flag}`)
        .join(', ')}`,
    );
  const scenario = textOf(values, 'scenario');
  if (scenario !== undefined && scenario !== PROVE.name)
    throw new UsageError(`--rejudge is not allowed with --scenario ${scenario}; allowed with ${PROVE.name}`);
  return {
    path,
    json: values['json'] === true,
    onInconclusive: oneOf(values, 'on-inconclusive', ON_INCONCLUSIVE) ?? 'fail',
  };
}
