/**
 * Plants each defect of `loadtest/src/faults/plants.ts` in a copy of the source, runs the faults that show it, and says which budget
 * turned red. Ends with 1 when one is not found out. About a minute each; `node test/acceptance/fault-plants.ts [part of a name]`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ResultFile } from '../../loadtest/src/contract.ts';
import { projectRoot } from '../../loadtest/src/environment/paths.ts';
import { planted, SOURCE_PLANTS, type SourcePlant } from '../../loadtest/src/faults/plants.ts';

const IMAGES = 40;
/** What a plant loses need not be waited for as long as in a real run. */
const ENDS_WITHIN = ['endsWithinMs: 75_000', 'endsWithinMs: 30_000'] as const;

/** The tracked files, with installed modules and built pages beside them. */
function copyOfSource(): string {
  const copy = mkdtempSync(join(tmpdir(), 'segbench-plants-'));
  const files = execFileSync('git', ['ls-files', '-z'], { cwd: projectRoot, encoding: 'utf8' }).split('\0');
  for (const file of files.filter(Boolean)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(projectRoot, file), join(copy, file));
  }
  const scenario = join(copy, 'scenarios/faults.ts');
  writeFileSync(scenario, readFileSync(scenario, 'utf8').replace(...ENDS_WITHIN));
  symlinkSync(join(projectRoot, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(projectRoot, 'dashboards/dist'), join(copy, 'dashboards/dist'), { recursive: true });
  return copy;
}

/** @returns what failed, and the first note of the budget that should have */
function run(copy: string, { faults, turns }: SourcePlant): { failed: string[]; note: string } {
  const args = ['--scenario', 'faults', '--faults', faults.join(','), '--count', String(IMAGES)];
  const bench = join(copy, 'loadtest/src/cli/bench.ts');
  const done = spawnSync(process.execPath, [bench, ...args, '--pool', 'sim:rtx-a5000-unet', '--json'], {
    cwd: copy,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { budgets } = JSON.parse(done.stdout) as ResultFile;
  const failed = budgets.filter(({ verdict }) => verdict === 'fail');
  const note = failed.find(({ name }) => name === turns)?.note ?? '';
  return { failed: failed.map(({ name, actual }) => `${name} ${actual}`), note };
}

const chosen = SOURCE_PLANTS.filter(({ name }) => name.includes(process.argv[2] ?? ''));
const missed: string[] = [];
const copy = copyOfSource();
try {
  for (const plant of chosen) {
    const edits = plant.also ? [plant, plant.also] : [plant];
    const sources = edits.map(({ file }) => readFileSync(join(copy, file), 'utf8'));
    edits.forEach((edit, index) => writeFileSync(join(copy, edit.file), planted(sources[index] ?? '', edit)));
    const { failed, note } = run(copy, plant);
    edits.forEach(({ file }, index) => writeFileSync(join(copy, file), sources[index] ?? ''));
    const found = failed.some((text) => text.startsWith(`${plant.turns} `));
    if (!found) missed.push(plant.name);
    process.stdout.write(
      `${found ? 'found out' : 'MISSED'}: ${plant.name} (${plant.faults.join(', ')})\n  red: ${failed.join(', ') || 'nothing'}\n  ${note}\n`,
    );
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(`${chosen.length - missed.length} of ${chosen.length} found out\n`);
process.exitCode = missed.length > 0 ? 1 : 0;
