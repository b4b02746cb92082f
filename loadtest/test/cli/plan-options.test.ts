import { describe, expect, it } from 'vitest';
import { parsePlanOptions, planHelp } from '../../src/cli/plan-options.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const base = ['--from', 'x.json', '--images', '50000', '--deadline', '8h'];
const parse = (...more: string[]) => parsePlanOptions([...base, ...more], NOW);

describe('parsePlanOptions', () => {
  it('reads a question', () => {
    expect(parse('--p99', '2s', '--shape', 'dense', '--prices', 'p.json', '--json')).toMatchObject({
      from: 'x.json',
      question: {
        images: 50_000,
        deadlineMs: 28_800_000,
        p99Ms: 2000,
        shape: { name: 'dense', side: 448, cells: 300 },
        seed: 1,
      },
      prices: 'p.json',
      json: true,
    });
  });

  it.each([
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['3d', 259_200_000],
    ['2026-11-28T20:00Z', 28_800_000],
    ['2026-11-28T21:00:00+01:00', 28_800_000],
  ])('reads the deadline %s', (text, deadlineMs) => {
    expect(parse('--deadline', text)).toMatchObject({ question: { deadlineMs } });
  });

  it('reads what is to be turned', () => {
    expect(parse('--what-if', 'workers=4,8', '--what-if', 'cells=300')).toMatchObject({
      whatIf: [
        { knob: 'workers', value: 4 },
        { knob: 'workers', value: 8 },
        { knob: 'cells', value: 300 },
      ],
    });
  });

  it.each([
    [
      ['--deadline', '2026-11-27T12:00Z'],
      /--deadline "2026-11-27T12:00Z" is in the past; allowed: an instant after 2026-11-28/,
    ],
    [['--deadline', '2026-11-30'], /--deadline "2026-11-30" is not allowed; allowed: an instant with its zone/],
    [['--deadline', '2026-13-40T12:00Z'], /--deadline "2026-13-40T12:00Z" is not allowed/],
    [['--deadline', 'soon'], /--deadline "soon" is not allowed; allowed: a time such as 90s/],
    [['--deadline', '0h'], /--deadline "0h" is not allowed/],
    [['--deadline', '-8h'], /--deadline "-8h" is not allowed/],
    [['--p99', 'quick'], /--p99 "quick" is not allowed; allowed: a time/],
    [['--images', '0'], /--images "0" is not allowed; allowed: a whole number from 1/],
    [
      ['--shape', 'dens'],
      /--shape "dens" is not allowed; allowed: bulk, dense, small, large \(did you mean "dense"\?\)/,
    ],
    [['--what-if', 'worker=4'], /--what-if "worker=4".*did you mean "workers"/],
    [['--what-if', 'batch=0'], /--what-if "batch=0": "0" is not allowed; allowed: .* from 1 to 64/],
    [['--what-if', 'batch'], /--what-if "batch" is not allowed/],
    [['--bogus'], /unknown flag "--bogus"/],
  ])('refuses %j', (more, message) => {
    expect(() => parse(...more)).toThrow(message);
  });

  it('says what is missing', () => {
    expect(() => parsePlanOptions(['--images', '5', '--deadline', '8h'], NOW)).toThrow(/--from is needed/);
    expect(() => parsePlanOptions(['--from', 'x', '--deadline', '8h'], NOW)).toThrow(/--images is needed/);
    expect(() => parsePlanOptions(['--from', 'x', '--images', '5'], NOW)).toThrow(/--deadline is needed/);
  });

  it('has a page of help', () => {
    expect(parsePlanOptions(['--help'], NOW)).toBe('help');
    expect(planHelp()).toMatch(/--what-if NAME=N,N…/);
  });
});
