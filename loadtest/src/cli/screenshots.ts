import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runIdOf } from '../../../service/src/runs/store.ts';
import { projectRoot } from '../environment/paths.ts';
import { startAll } from '../run/services.ts';
import { createStop, type Stop } from '../run/stop.ts';
import { EMPTY_SCENES, SCENES } from '../screenshots/scenes.ts';
import { shoot, type Studio } from '../screenshots/shoot.ts';
import { newProject, workAndWatch } from '../screenshots/stage.ts';
import { runTool } from './child.ts';
import { EXIT, reportError } from './exit.ts';
import { helpOf, parseFlags, textOf, wholeNumber, type FlagTable } from './flags.ts';
import { listenForInterrupts, type Interrupts } from './interrupt.ts';

const FLAGS: FlagTable = {
  out: { value: 'DIR', help: 'folder of the pictures (docs/images)' },
  images: { value: 'N', help: 'images of the project that is shown, at least 12 (240)' },
  seed: { value: 'N', help: 'of the images (7)' },
  help: { help: 'this page' },
};
const TITLE =
  'segbench screenshots: every page on a service of its own, empty and with real data, in light, dark and phone width';
/** What a clone has to carry for them. */
const TOTAL_BYTES = 1.5e6;
/** Two runs, to be compared; of the same images. */
const RUNS = 2;

const say = (line: string): void => void process.stderr.write(`${line}\n`);
interface Options {
  out: string;
  images: number;
  seed: number;
}

/** Small runs of the bench. @returns the folders' names, the newest first */
async function makeRuns(folder: string, interrupts: Interrupts): Promise<string[]> {
  const bench = join(projectRoot, 'loadtest/src/cli/bench.ts');
  for (let run = 0; run < RUNS && !interrupts.signal.aborted; run++) {
    say(`run ${run + 1} of ${RUNS} of the bench`);
    await runTool(bench, ['--quick', '--environment', 'embedded', '--out', folder], interrupts);
  }
  const names = (await readdir(folder)).filter((name) => /^\d{4}-/.test(name));
  return names.sort().toReversed();
}

async function takeAll(options: Options, results: string, made: string, names: readonly string[], stop: Stop) {
  const { signal } = stop;
  let total = 0;
  const settings = { RESULTS_DIR: results };
  const services = await startAll({ environment: 'embedded', workers: 1, settings, log: say, stop });
  const { browser, url, key } = services;
  const onFile = (name: string, sizeBytes: number): void => {
    total += sizeBytes;
    say(`${name}  ${(sizeBytes / 1e3).toFixed(0)} kB`);
  };
  const studio: Studio = { browser, url, key, out: options.out, onFile };
  const runIds = names.map(runIdOf);
  const nothing = { projectId: '', imageId: '', runIds };
  try {
    const needsProject = EMPTY_SCENES.filter(({ name }) => name === 'gallery-empty');
    for (const scene of EMPTY_SCENES.filter((each) => !needsProject.includes(each)))
      await shoot(studio, scene, nothing);
    const projectId = await newProject(services, 'plate 7');
    for (const scene of needsProject) await shoot(studio, scene, { ...nothing, projectId });
    for (const name of names) await rename(join(made, name), join(results, name));
    const { images, seed } = options;
    const { imageId } = await workAndWatch(services, studio, { projectId, images, seed, signal });
    await services.client.call('POST /api/keys', { body: { name: 'microscope 2', scopes: ['read', 'write'] } });
    for (const scene of SCENES) await shoot(studio, scene, { projectId, imageId, runIds });
  } finally {
    await services.close();
  }
  return total;
}

async function run(options: Options): Promise<number> {
  const interrupts = listenForInterrupts();
  const stop = createStop();
  interrupts.signal.addEventListener('abort', () => stop.interrupt(interrupts.received() ?? 'a signal'));
  const work = await mkdtemp(join(tmpdir(), 'segbench-screenshots-'));
  const [made, results] = [join(work, 'made'), join(work, 'results')];
  try {
    for (const folder of [made, results, options.out]) await mkdir(folder, { recursive: true });
    const names = await makeRuns(made, interrupts);
    if (interrupts.signal.aborted) return EXIT.interrupted;
    if (names.length === 0) throw new Error('no run of the bench left a result: its messages are above');
    const total = await takeAll(options, results, made, names, stop);
    say(`${(total / 1e6).toFixed(2)} MB in ${options.out}`);
    if (total <= TOTAL_BYTES) return EXIT.pass;
    say(`more than the ${TOTAL_BYTES / 1e6} MB that a clone should carry for them`);
    return EXIT.failed;
  } catch (error) {
    if (interrupts.signal.aborted) return EXIT.interrupted;
    throw error;
  } finally {
    interrupts.release();
    await rm(work, { recursive: true, force: true });
  }
}

try {
  const values = parseFlags(process.argv.slice(2), FLAGS);
  if (values['help']) process.stdout.write(`${helpOf(TITLE, 'npm run screenshots -- [options]', FLAGS)}\n`);
  else
    process.exitCode = await run({
      out: resolve(textOf(values, 'out') ?? join(projectRoot, 'docs/images')),
      images: wholeNumber(values, 'images', { min: 12, max: 10_000 }) ?? 240,
      seed: wholeNumber(values, 'seed', { min: 0, max: 2 ** 32 - 1 }) ?? 7,
    });
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
