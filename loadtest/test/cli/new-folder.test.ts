import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parseCalibrateOptions } from '../../src/cli/calibrate-options.ts';
import { parseCompareOptions } from '../../src/cli/compare-options.ts';
import { newFolder } from '../../src/cli/new-folder.ts';
import { parseBenchOptions } from '../../src/cli/options.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

/** Made by the system alone: a folder made there is "not found", and the one above it is there. */
const NOWHERE = '/proc/x/y';
let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'segbench-folder-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('takes a folder that can be made, and leaves nothing of its try', () => {
  expect(newFolder('out', join(folder, 'a/b'))).toBe(join(folder, 'a/b'));
  expect(readdirSync(folder)).toEqual([]);
});

it.each([
  ['bench', () => parseBenchOptions(['--out', NOWHERE])],
  ['compare', () => parseCompareOptions(['--against', 'main', '--out', NOWHERE])],
  ['calibrate', () => parseCalibrateOptions(['--name', 'x', '--out', `${NOWHERE}/x.json`])],
])('%s refuses at once a folder below one where none can be made', (_, parse) => {
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(/cannot be made in "\/proc"|cannot be made in "\/"/);
});

it('calibrate refuses a folder where a file is asked for, before it measures', () => {
  expect(() => parseCalibrateOptions(['--name', 'x', '--out', folder])).toThrow('is a folder; allowed: a file');
});

it.each([
  ['start', ['--port', '0', '--data', NOWHERE], '--data "/proc/x/y" cannot be made in'],
  ['backup', ['--data', '.', '--to', NOWHERE], '--to "/proc/x/y" cannot be made in'],
  ['backup', ['--data', '.', '--to', '/etc/hosts'], '--to "/etc/hosts" is a file'],
  ['backup', ['--data', '.', '--to', './loadtest/copy'], '--to "./loadtest/copy" lies in the folder that is copied'],
])('%s %j ends with 2', (name, args, why) => {
  const { status, stderr } = spawnSync(process.execPath, [`loadtest/src/cli/${name}.ts`, ...args], {
    encoding: 'utf8',
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining(why) });
});

it('bench does not print text where JSON is asked for', () => {
  expect(() => parseBenchOptions(['--list', '--json'])).toThrow('--json is not allowed with --list');
});
