import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createInspectors, type Inspectors, type InspectorsOptions } from '../../src/ingest/inspectors.ts';
import { until } from '../batches/fixture.ts';

const FAULTY = join(import.meta.dirname, 'faulty-inspector.ts');
const LIMITS = { memoryBytes: 2 ** 30, cpuSeconds: 20 };
const MAX_PIXELS = 64e6;

let folder: string;
const opened: Inspectors[] = [];
const hire = (options: Partial<InspectorsOptions> = {}) => {
  const inspectors = createInspectors({ workers: 1, timeoutMs: 60_000, limits: LIMITS, module: FAULTY, ...options });
  opened.push(inspectors);
  return inspectors;
};
let count = 0;
async function fileOf(content: string | Uint8Array): Promise<string> {
  const file = join(folder, String(count++));
  await writeFile(file, content);
  return file;
}
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-inspectors-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((inspectors) => inspectors.close()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a decoder', () => {
  it('that dies is tried once more, then its image is refused and the next one decoded', async () => {
    const inspectors = hire();
    const [bad, good] = await Promise.all([
      inspectors.inspect(await fileOf('die'), MAX_PIXELS),
      inspectors.inspect(await fileOf('fine'), MAX_PIXELS),
    ]);
    expect(bad).toMatchObject({ code: 'INVALID_IMAGE', message: expect.stringContaining('breaks the decoder') });
    expect(good).toMatchObject({ width: 1 });
    expect(inspectors.stats()).toMatchObject({ died: 2, killed: 0, done: 1 });
  });

  it('that hangs is killed at its deadline, and only its image refused', async () => {
    const inspectors = hire({ timeoutMs: 1500 });
    const bad = await inspectors.inspect(await fileOf('hang'), MAX_PIXELS);
    expect(bad).toEqual({ code: 'INVALID_IMAGE', message: 'cannot be decoded: it takes longer than 1500 ms' });
    expect(await inspectors.inspect(await fileOf('fine'), MAX_PIXELS)).toMatchObject({ width: 1 });
    expect(inspectors.stats()).toMatchObject({ killed: 1, died: 0 });
  });

  it('that takes memory without end is ended by the kernel long before the machine has none', async () => {
    const inspectors = hire({ limits: { ...LIMITS, memoryBytes: 256 * 2 ** 20 } });
    let most = 0;
    const watch = setInterval(() => {
      for (const pid of inspectors.stats().pids)
        readFile(`/proc/${pid}/status`, 'utf8').then(
          (text) => (most = Math.max(most, Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0))),
          () => {},
        );
    }, 5);
    const bad = await inspectors.inspect(await fileOf('eat'), MAX_PIXELS);
    clearInterval(watch);
    expect(bad).toMatchObject({ code: 'INVALID_IMAGE' });
    expect(inspectors.stats()).toMatchObject({ killed: 0 });
    expect(most).toBeGreaterThan(0);
    expect(most * 1024).toBeLessThan(1.3e9);
  });

  it('that burns CPU time without end is ended by the kernel, whatever its deadline', async () => {
    const inspectors = hire({ timeoutMs: 50_000, limits: { ...LIMITS, cpuSeconds: 1 } });
    expect(await inspectors.inspect(await fileOf('burn'), MAX_PIXELS)).toMatchObject({ code: 'INVALID_IMAGE' });
    expect(inspectors.stats()).toMatchObject({ died: 2, killed: 0 });
  });

  it('is replaced when its CPU time is nearly spent, so that no image pays for those before it', async () => {
    const inspectors = hire({ module: undefined as never, limits: { ...LIMITS, cpuSeconds: 1 } });
    const noise = Buffer.from(Array.from({ length: 1500 * 1500 }, (_, at) => (at * 7919) % 251));
    const file = await fileOf(
      await sharp(noise, { raw: { width: 1500, height: 1500, channels: 1 } })
        .png()
        .toBuffer(),
    );
    while (inspectors.stats().retired === 0)
      expect(await inspectors.inspect(file, MAX_PIXELS)).toMatchObject({ width: 1500 });
    expect(await inspectors.inspect(file, MAX_PIXELS)).toMatchObject({ width: 1500 });
    expect(inspectors.stats()).toMatchObject({ died: 0, killed: 0, retired: 1 });
  });

  it('has limits that it cannot lift, and nothing of the environment that is secret', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://secret');
    vi.stubEnv('BOOTSTRAP_API_KEY', 'secret');
    const inspectors = hire();
    const told = async (what: string) => JSON.stringify(await inspectors.inspect(await fileOf(what), MAX_PIXELS));
    const limits = await told('limits');
    const bytes = String(704 * 2 ** 20 + 2 ** 30);
    expect(limits).toMatch(new RegExp(`Max data size\\s+${bytes}\\s+${bytes}`));
    expect(limits).toMatch(/Max cpu time\s+60\s+60/);
    expect(limits).toMatch(/Max core file size\s+0\s+0/);
    expect(await told('environment')).not.toMatch(/DATABASE|REDIS|KEY|TOKEN|SECRET/i);
  });

  it('gives its memory back when nobody needs it', async () => {
    const inspectors = hire({ idleMs: 50 });
    await inspectors.inspect(await fileOf('fine'), MAX_PIXELS);
    expect(inspectors.stats().processes).toBe(1);
    await until(() => inspectors.stats().processes === 0);
  });

  it('says what the disk said when the file cannot be read: the image is not to blame', async () => {
    const inspectors = hire();
    await expect(inspectors.inspect(join(folder, 'none'), MAX_PIXELS)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the largest image that is allowed', () => {
  const size = { width: 8000, height: 8000 };
  const large = (channels: 3 | 4) =>
    sharp({ create: { ...size, channels, background: { r: 9, g: 99, b: 200, alpha: 0.5 } } });
  it.each([
    ['PNG, 8 bit', () => large(3).png({ compressionLevel: 1 })],
    [
      'PNG, 16 bit with alpha, interlaced',
      () => large(4).toColourspace('rgb16').png({ compressionLevel: 1, progressive: true }),
    ],
    ['TIFF, 16 bit', () => large(3).toColourspace('rgb16').tiff({ compression: 'deflate' })],
    ['JPEG, progressive', () => large(3).jpeg({ progressive: true })],
    ['WebP', () => large(3).webp({ quality: 1, effort: 0 })],
  ])('passes within the limits: %s', async (_, make) => {
    const inspectors = hire({ module: undefined as never });
    const file = await fileOf(await make().toBuffer());
    expect(await inspectors.inspect(file, MAX_PIXELS)).toMatchObject(size);
    expect(inspectors.stats()).toMatchObject({ died: 0, killed: 0 });
  });
});
