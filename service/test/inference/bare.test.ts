import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discs } from './shapes.ts';

const run = promisify(execFile);
const MAIN = path.join(import.meta.dirname, '../../src/inference/bare-main.ts');
const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'segbench-bare-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('bare-main', () => {
  it('prints what an image costs without the service, and counts the ones that fail', async () => {
    const [file, list] = [path.join(folder, 'a.png'), path.join(folder, 'list.json')];
    const pixels = discs(64, 64, [[30, 30, 12]]);
    await sharp(pixels, { raw: { width: 64, height: 64, channels: 1 } })
      .png()
      .toFile(file);
    await writeFile(list, JSON.stringify([file, file, path.join(folder, 'missing.png'), file]));
    const temporary = path.join(folder, 'tmp');
    await mkdir(temporary);
    const env = { ...process.env, TMPDIR: temporary };
    const { stdout } = await run(process.execPath, [MAIN, list, MODEL], { env });
    const figures = JSON.parse(stdout) as Record<string, number>;
    expect(figures).toMatchObject({ count: 3, failed: 1 });
    expect(figures.cpuMsPerImage).toBeGreaterThan(0);
    // The runtime's telemetry would leave its files here.
    expect(await readdir(temporary)).toEqual([]);
    expect(figures.imagesPerSecond).toBeGreaterThan(0);
  });

  it('says how it is used when the arguments are missing', async () => {
    await expect(run(process.execPath, [MAIN])).rejects.toMatchObject({ code: 2 });
  });
});
