import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/environment/paths.ts';
import { capture } from '../../src/environment/processes.ts';
import { writeProgram } from '../program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-ci-'));
  await Promise.all(['bin', 'work'].map((name) => mkdir(join(folder, name))));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const NOISE = { name: 'frame_p95_ms', verdict: 'inconclusive', note: 'over the limit by less than 2.0× while busy: 3' };
const PASS = { name: 'toasts', verdict: 'pass' };

/** What a step of `.ci/run` tells of a bench that leaves this result and ends with that code. */
async function judgedOf(result: { verdict: string; budgets: object[]; notes: string[] }, code = 0) {
  await writeFile(join(folder, 'result.json'), JSON.stringify(result));
  await writeProgram(
    join(folder, 'bin'),
    'npm',
    `while [ "$1" != --out ]; do shift; done
    [ "$3 $4" = '--on-inconclusive warn' ] || exit 9
    mkdir -p "$2/latest" && cp ${folder}/result.json "$2/latest/" && exit ${code}`,
  );
  const script = `
    work=${folder}/work
    step() { local code=0; "\${@:2}" >/dev/null || code=$?; echo "$1: $code"; }
    not_run() { echo "$1: not run ($2)"; }
    . .ci/judged.sh
    judged 'a run' bench small --quick`;
  const env = { ...process.env, PATH: `${folder}/bin:${process.env['PATH']}` };
  const { stdout } = await capture('bash', ['-uc', script], { cwd: projectRoot, env });
  return stdout.trim().split('\n');
}

describe('a step of .ci/run that judges a bench', () => {
  it('passes, and tells of each budget that the machine was too busy for', async () => {
    expect(await judgedOf({ verdict: 'pass', budgets: [PASS], notes: [] })).toEqual(['a run: 0']);
    expect(await judgedOf({ verdict: 'inconclusive', budgets: [PASS, NOISE], notes: [] })).toEqual([
      'a run: 0',
      'a run: frame_p95_ms: not run (over the limit by less than 2.0× while busy: 3)',
    ]);
  });

  it('fails for a contradiction, though the bench itself only warns, and for a bench that fails', async () => {
    const notes = ['contradiction: Little’s law: 10.86 and 9.45 differ by more than 0.94'];
    expect(await judgedOf({ verdict: 'inconclusive', budgets: [PASS], notes })).toEqual(['a run: 1']);
    expect(await judgedOf({ verdict: 'fail', budgets: [PASS], notes: [] }, 3)).toEqual(['a run: 3']);
  });
});
