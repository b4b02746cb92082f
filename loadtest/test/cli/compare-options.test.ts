import { describe, expect, it } from 'vitest';
import { parseCompareOptions, type CompareOptions } from '../../src/cli/compare-options.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

function run(...args: string[]): CompareOptions {
  const command = parseCompareOptions(args);
  if (command.kind !== 'run') throw new Error(`expected a run, got ${command.kind}`);
  return command.options;
}

describe('parseCompareOptions', () => {
  it('has a default for all but the commit', () => {
    expect(run('--against', 'main')).toMatchObject({
      against: 'main',
      pairs: 30,
      images: 200,
      workers: 2,
      pool: { kind: 'local' },
      seed: 1,
      minutes: 14,
      json: false,
      onInconclusive: 'fail',
    });
    expect(run('--against', 'main').scenario.name).toBe('bulk-1000');
  });

  it('takes each flag', () => {
    const given = ['--blocks', '10', '--images', '20', '--seed', '7', '--workers', '1', '--minutes', '3', '--json'];
    expect(run('--against', 'v1', ...given, '--pool', 'sim:rtx-a5000-unet', '--on-inconclusive', 'warn')).toMatchObject(
      {
        pairs: 10,
        images: 20,
        seed: 7,
        workers: 1,
        minutes: 3,
        json: true,
        pool: { kind: 'sim', profile: 'rtx-a5000-unet' },
        onInconclusive: 'warn',
      },
    );
  });

  it('takes two services instead of a commit', () => {
    expect(run('--target', './a.ts', '--target', './b.ts')).toMatchObject({
      against: null,
      targets: ['./a.ts', './b.ts'],
    });
  });

  it.each([
    [['--target', './a.ts'], /--target is given once; expected two: base, then head/],
    [['--target', 'a', '--target', 'b', '--target', 'c'], /--target is given 3 times/],
    [['--target', 'a', '--target', 'b', '--against', 'v1'], /--against is of no use with --target/],
    [['--target', 'a', '--target', 'b', '--workers', '2'], /--workers is of no use with --target/],
    [[], /--against is missing; expected a branch, tag or commit/],
    [['--against'], /--against needs a value/],
    [['--against', 'v1', '--blocks', '0'], /--blocks "0" is not allowed; allowed: a whole number from 1 to 200/],
    [['--against', 'v1', '--scenario', 'sok'], /--scenario "sok" is not allowed; .*did you mean "soak"/],
    [['--against', 'v1', '--blokcs', '3'], /unknown flag "--blokcs" \(did you mean "--blocks"\?\)/],
    [['accept'], /--reason "" is not allowed; allowed: a sentence/],
    [['accept', '--reason', 'ok'], /--reason "ok" is not allowed/],
  ])('refuses %j', (args, message) => {
    expect(() => parseCompareOptions(args)).toThrow(UsageError);
    expect(() => parseCompareOptions(args)).toThrow(message);
  });

  it.each([
    ['soak', /^--scenario soak cannot be compared: it is no bulk run; what can be: bulk-1000, bulk-1000-dense, /],
    ['browse', /it is no bulk run/],
    ['gallery-100k', /it is no bulk run/],
    ['downloads', /it runs upload, batch, downloads alone, and a block is a batch/],
    ['bulk-1000-slow-page', /a block has no page that could be slow/],
    ['real-images', /a block has images that are made/],
  ])('refuses %s, which blocks do not measure, and says what they do', (name, message) => {
    expect(() => run('--against', 'v1', '--scenario', name)).toThrow(UsageError);
    expect(() => run('--against', 'v1', '--scenario', name)).toThrow(message);
    expect(() => run('--against', 'v1', '--scenario', name)).toThrow(
      /bulk-10000, mixed-sizes, or a bulk scenario of your own/,
    );
  });

  it('accepts with a reason, from the latest run unless another is named', () => {
    expect(parseCompareOptions(['accept', '--reason', 'one more join'])).toEqual({
      kind: 'accept',
      reason: 'one more join',
      result: 'bench-results/latest/result.json',
    });
  });

  it('tells every flag and exit code in its help', () => {
    const help = parseCompareOptions(['--help']);
    expect(help).toMatchObject({ kind: 'help' });
    expect(JSON.stringify(help)).toMatch(/--against REF.*--blocks N.*exit codes: 0 .* 130/);
  });
});
