import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath } from '../../loadtest/src/environment/processes.ts';
import { yamlOf } from '../src/generate.ts';
import type { InputSeries } from './series.ts';

/** Undefined where there is none: apt-get install prometheus. */
export const promtool = onPath('promtool', process.env);

interface Said {
  code: number | null;
  says: string;
}
export function runPromtool(args: readonly string[]): Said {
  const { status, stdout, stderr } = spawnSync(promtool!, args, { encoding: 'utf8' });
  return { code: status, says: stdout + stderr };
}
function onText(command: 'check' | 'test', text: string): Said {
  const folder = mkdtempSync(join(tmpdir(), 'segbench-rules-'));
  try {
    const file = join(folder, 'file.yml');
    writeFileSync(file, text);
    return runPromtool([command, 'rules', file]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
/** Of a rule file that is not on the disk. */
export const checkRules = (text: string): Said => onText('check', text);

/** What fires at a moment, and nothing else does: `Name`, or `Name/fast` of a budget that burns. */
export interface Moment {
  at: string;
  firing: readonly string[];
}
export interface Case {
  name: string;
  interval: string;
  series: readonly InputSeries[];
  moments: readonly Moment[];
}

const labelsOf = (text: string): string => {
  const [alert, burn] = text.split('/');
  return burn === undefined ? `{alertname="${alert}"}` : `{alertname="${alert}", burn="${burn}"}`;
};

/** Runs cases against rule files of the folder given. */
export function testRules(rules: readonly string[], cases: readonly Case[]): Said {
  const [first] = cases;
  return onText(
    'test',
    yamlOf({
      rule_files: rules,
      evaluation_interval: first!.interval,
      tests: cases.map(({ name, interval, series, moments }) => ({
        name,
        interval,
        input_series: series.map(({ series: id, values }) => ({ series: id, values })),
        promql_expr_test: moments.map(({ at, firing }) => ({
          expr: 'group by (alertname, burn) (ALERTS{alertstate="firing"})',
          eval_time: at,
          exp_samples: firing.map((alert) => ({ labels: labelsOf(alert), value: 1 })),
        })),
      })),
    }),
  );
}
