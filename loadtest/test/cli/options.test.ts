import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BENCH_FLAGS, parseBenchOptions } from '../../src/cli/options.ts';
import type { BenchOptions } from '../../src/cli/options.ts';
import { SWITCH_NAMES } from '../../src/run/switches.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'segbench-options-'));
  writeFileSync(join(folder, 'result.json'), '{}');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): BenchOptions {
  const command = parseBenchOptions(args);
  if (command.kind !== 'run') throw new Error(`expected a run, got ${command.kind}`);
  return command.options;
}

/** The message of the usage error; any other outcome is thrown on. */
function refusal(...args: string[]): string {
  try {
    parseBenchOptions(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error(`accepted: ${args.join(' ')}`);
}

describe('parseBenchOptions', () => {
  it('gives the defaults when nothing is asked for', () => {
    const { scenario, ...rest } = run();
    expect(scenario.name).toBe('bulk-1000');
    expect(rest).toEqual({
      count: 1000,
      images: undefined,
      workers: 2,
      pool: { kind: 'local' },
      environment: 'auto',
      client: 'optimized',
      repeat: 1,
      baseline: undefined,
      out: 'bench-results',
      onInconclusive: 'fail',
      json: false,
      quick: false,
      seed: 1,
      duration: undefined,
      faults: undefined,
      without: [],
      target: undefined,
      fault: 'none',
    });
  });

  it('takes an adapter and a fault with the scenario prove', () => {
    const adapter = join(folder, 'result.json');
    expect(run('--scenario', 'prove')).toMatchObject({ fault: 'cut', count: 1000 });
    expect(run('--scenario', 'prove', '--target', adapter, '--fault', 'stall')).toMatchObject({
      target: adapter,
      fault: 'stall',
    });
    expect(run('--target', adapter)).toMatchObject({ target: adapter, fault: 'none' });
  });

  it.each([
    [
      ['--scenario', 'soak', '--target', '.'],
      '--target "." is not allowed with --scenario soak; allowed with prove and the bulk ones',
    ],
    [['--target', 'a.ts', '--client', 'naive'], '--client "naive" is not allowed with --target; allowed: optimized'],
    [['--target', 'a.ts', '--without', 'cache'], '--without "cache" is not allowed with --target'],
    [['--fault', 'cut'], '--fault "cut" is not allowed with --scenario bulk-1000; allowed with prove'],
    [
      ['--scenario', 'prove', '--fault', 'cutt'],
      '--fault "cutt" is not allowed; allowed: cut, stall, none (did you mean "cut"?)',
    ],
    [['--scenario', 'prove', '--target', 'none.ts'], '--target "none.ts" does not exist; allowed: an existing file'],
    [['--scenario', 'prove', '--target', 'a.ts', '--workers', '3'], '--workers "3" is not allowed with --target'],
    [['--scenario', 'prove', '--client', 'naive'], '--client "naive" is not allowed with --scenario prove'],
    [['--rejudge', 'nowhere'], '--rejudge "nowhere" does not exist'],
    [['--rejudge', '.', '--count', '5'], '--count is not allowed with --rejudge, which runs nothing'],
    [['--rejudge', '.', '--scenario', 'faults'], '--rejudge is not allowed with --scenario faults; allowed with prove'],
  ])('refuses %j', (args, words) => expect(refusal(...args)).toContain(words));

  it('judges again what is there', () => {
    expect(parseBenchOptions(['--rejudge', folder, '--scenario', 'prove', '--json'])).toEqual({
      kind: 'rejudge',
      options: { path: folder, json: true, onInconclusive: 'fail' },
    });
  });

  it('reads every flag in both spellings', () => {
    const options = run(
      '--scenario',
      'bulk-1000',
      '--count=7',
      '--images',
      folder,
      '--split',
      'val',
      '--kind=fluorescence',
      '--workers',
      '3',
      '--pool',
      'kserve:http://a:8000,https://b',
      '--environment',
      'external',
      '--client=naive',
      '--repeat',
      '2',
      '--baseline',
      join(folder, 'result.json'),
      '--out',
      folder,
      '--on-inconclusive',
      'warn',
      '--json',
      '--quick',
      '--seed',
      '42',
    );
    expect(options).toMatchObject({
      count: 7,
      images: { directory: folder, split: 'val', kind: 'fluorescence' },
      workers: 3,
      pool: { kind: 'kserve', urls: ['http://a:8000', 'https://b'] },
      environment: 'external',
      client: 'naive',
      repeat: 2,
      out: folder,
      onInconclusive: 'warn',
      json: true,
      quick: true,
      seed: 42,
    });
  });

  it('takes 100 images when quick, and a count given beside it', () => {
    expect(run('--quick').count).toBe(100);
    expect(run('--quick', '--count', '12').count).toBe(12);
  });

  it('takes all images of a folder when no count is given', () => {
    expect(run('--images', folder).count).toBeUndefined();
    expect(run('--images', folder, '--quick').count).toBe(100);
  });

  it('takes a duration and a choice of faults for the scenario that has them', () => {
    const faults = ['--scenario', 'faults'];
    expect(run(...faults)).toMatchObject({ count: 200, duration: undefined, faults: undefined });
    expect(run(...faults, '--quick').count).toBe(30);
    expect(run(...faults, '--duration', '60', '--faults', 'F4,N2')).toMatchObject({
      duration: 60,
      faults: ['F4', 'N2'],
    });
  });

  it('takes a duration for the proof of the gate, which begins nothing later', () => {
    expect(run('--scenario', 'gate-proof', '--duration', '1800').duration).toBe(1800);
  });

  it('takes switches one by one, in a list, or all', () => {
    expect(run('--without', 'cache').without).toEqual(['cache']);
    expect(run('--without=compression,cache,cache').without).toEqual(['compression', 'cache']);
    expect(run('--without', 'all').without).toEqual(SWITCH_NAMES);
    const command = parseBenchOptions(['--help']);
    for (const name of SWITCH_NAMES) expect(command.kind === 'help' && command.text).toContain(name);
  });

  it('names every flag in the help', () => {
    const command = parseBenchOptions(['--help']);
    for (const flag of Object.keys(BENCH_FLAGS)) expect(command.kind === 'help' && command.text).toContain(`--${flag}`);
  });

  it('lists scenarios with their budgets when asked', () => {
    const command = parseBenchOptions(['--list']);
    expect(command.kind === 'list' && command.text).toMatch(/bulk-1000[^]*ui_settle_ms < 2000 ms/);
    expect(command.kind === 'list' && command.text).toMatch(/faults: [^]*fault_images_lost = 0 count/);
  });

  it.each([
    [['--scenario', 'bulk-2000'], /--scenario "bulk-2000".*allowed: bulk-1000.*did you mean "bulk-1000"/],
    [['--without', 'caches'], /--without "caches".*allowed: event-batching,.*, all.*did you mean "cache"/],
    [['--without', 'cache,'], /--without "".*allowed: event-batching/],
    [['--count', '0'], /--count "0".*from 1 to 100000/],
    [['--count', '-5'], /--count "-5".*from 1/],
    [['--count', '1e3'], /--count "1e3"/],
    [['--count', '5.5'], /--count "5\.5"/],
    [['--count'], /--count needs a value/],
    [['--count', '--quick'], /--count needs a value/],
    [['--count='], /--count needs a value/],
    [['--workers', '0'], /--workers "0".*1 to 256/],
    [['--repeat', 'two'], /--repeat "two".*1 to 100/],
    [['--seed', '4294967296'], /--seed "4294967296".*0 to 4294967295/],
    [['--client', 'naiv'], /--client "naiv".*optimized, naive.*did you mean "naive"/],
    [['--environment', 'docker'], /--environment "docker".*auto, embedded, testcontainers, external/],
    [['--on-inconclusive', 'ignore'], /--on-inconclusive "ignore".*fail, warn/],
    [['--pool', 'gpu'], /--pool "gpu".*local, sim:PROFILE, kserve:URL/],
    [['--pool', 'sim:'], /--pool "sim:"/],
    [['--pool', 'sim:rtx-a5000-unt'], /allowed: sim: with a file, or with one of .*did you mean "rtx-a5000-unet"/],
    [['--pool', 'kserve:not a url'], /--pool "kserve:not a url"/],
    [['--images', '/no/such/folder'], /--images "\/no\/such\/folder" does not exist.*existing directory/],
    [['--baseline', '/no/such/file'], /--baseline "\/no\/such\/file" does not exist.*existing file/],
    [['--split', 'val'], /--split "val" needs --images/],
    [['--kind', 'fluorescence'], /--kind "fluorescence" needs --images/],
    [['--duration', '60'], /--duration "60" is not allowed with --scenario bulk-1000.*allowed with faults/],
    [['--scenario', 'faults', '--duration', '0'], /--duration "0".*1 to 86400/],
    [['--faults', 'F1'], /--faults "F1" is not allowed with --scenario bulk-1000/],
    [['--scenario', 'faults', '--faults', 'F1,F18'], /--faults "F18".*allowed: F1, F2,.*F17, N1/],
    [['--scenario', 'faults', '--environment', 'external'], /--environment "external".*allowed: auto, embedded/],
    [['--scenario', 'faults', '--without', 'cache'], /--without "cache" is not allowed with --scenario faults/],
    [['--scenario', 'faults', '--client', 'naive'], /--client "naive" is not allowed with --scenario faults/],
    [['--quick=yes'], /--quick is a switch.*"yes"/],
    [['--cuont', '5'], /unknown flag "--cuont".*did you mean "--count".*allowed: --scenario/],
    [['--constructor'], /unknown flag "--constructor"/],
    [['-q'], /unknown flag "-q"/],
    [['quick'], /unexpected argument "quick".*did you mean "--quick"/],
  ])('refuses %j by name', (args, expected) => {
    expect(refusal(...args)).toMatch(expected);
  });

  it('refuses a file where a folder is asked for', () => {
    const file = join(folder, 'result.json');
    expect(refusal('--images', file)).toContain('is not a directory');
    expect(refusal('--out', file)).toContain('is a file');
    expect(refusal('--out', join(file, 'runs'))).toContain('cannot be made in');
    expect(refusal('--baseline', folder)).toContain('is not a file');
  });
});
