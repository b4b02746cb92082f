/** How far the logits of `webgpu-software` are from those of the CPU, at most: `node webgpu-child.ts MODEL`, for `webgpu.test.ts`. */
import { createSession } from '../../src/inference/session.ts';

const modelDir = process.argv[2] ?? '';
const SIDE = 32;
const input = Float32Array.from(
  { length: 2 * SIDE * SIDE },
  (_, at) => 0.5 + 0.5 * Math.sin(at / 7) * Math.cos(at / 911),
);
const software = await createSession(modelDir, 'webgpu-software');
const cpu = await createSession(modelDir, 'cpu');
const [found, expected] = [await software.run(input, SIDE, SIDE, 2), await cpu.run(input, SIDE, SIDE, 2)];
process.stdout.write(`${expected.reduce((far, value, at) => Math.max(far, Math.abs(value - found[at]!)), 0)}\n`);
process.exit(0);
