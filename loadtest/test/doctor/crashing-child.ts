import type { Trial } from '../../src/doctor/trial.ts';

/** In place of the trial's child: dies as a driver would make it, before or after its result; or hangs. */
const { modelDir } = JSON.parse(process.argv[2] ?? '{}') as Trial;
const result = { loadMs: 1, firstMs: 2, ms: 1, width: 8, height: 8, cells: 3, warnings: [] };
const die = () => process.kill(process.pid, 'SIGSEGV');
if (modelDir === 'before') {
  process.stderr.write('vulkan: device lost\n', die);
} else if (modelDir === 'after') {
  process.send?.({ result }, die);
} else {
  setInterval(() => {}, 1000);
}
