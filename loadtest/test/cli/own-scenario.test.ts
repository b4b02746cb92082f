import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listScenarios } from '../../../scenarios/index.ts';
import { comparedScenario, parseCompareOptions } from '../../src/cli/compare-options.ts';
import { ownScenario } from '../../src/cli/own-scenario.ts';
import { parseBenchOptions } from '../../src/cli/options.ts';
import { projectRoot } from '../../src/environment/paths.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'segbench-test-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;
/** A module that changes `bulk-1000` by an expression over it. */
async function fileOf(expression: string): Promise<string> {
  const path = join(folder, `mine-${files++}.ts`);
  const from = JSON.stringify(join(projectRoot, 'scenarios/bulk-1000.ts'));
  await writeFile(path, `import { BULK_1000 as base } from ${from};\nexport default ${expression};\n`);
  return path;
}

describe('a scenario of one’s own', () => {
  it('is what its file exports, and its numbers are those of the run', async () => {
    const path = await fileOf(`{ ...base, name: 'mine', images: { ...base.images, count: 7, quickCount: 3 } }`);
    const own = await ownScenario(path);
    const command = parseBenchOptions(['--scenario', path, '--quick'], own);
    expect(command).toMatchObject({ kind: 'run', options: { count: 3, scenario: { name: 'mine' } } });
  });

  it('is compared where it is a bulk run that blocks can measure, and refused where it is not', async () => {
    const against = async (expression: string) => {
      const args = ['--against', 'main', '--scenario', await fileOf(expression)];
      return parseCompareOptions(args, await ownScenario(comparedScenario(args)));
    };
    const options = { scenario: { name: 'mine', images: { maxCells: 9 } } };
    const few = await against(`{ ...base, name: 'mine', images: { ...base.images, maxCells: 9 } }`);
    expect(few).toMatchObject({ kind: 'run', options });
    await expect(against(`{ ...base, name: 'mine', slowerPage: 4 }`)).rejects.toThrow(
      /--scenario mine cannot be compared: a block has no page that could be slow; what can be: bulk-1000, /,
    );
    expect(comparedScenario(['accept', '--reason', 'one more join'])).toBeUndefined();
  });

  describe('that states pool and client', () => {
    const stated = `{ ...base, name: 'mine', pool: 'sim:rtx-a5000-unet', client: 'naive' }`;
    const read = async (expression: string, ...flags: string[]) => {
      const path = await fileOf(expression);
      return parseBenchOptions(['--scenario', path, ...flags], await ownScenario(path));
    };

    it('has them where no flag says otherwise', async () => {
      const pool = { kind: 'sim', profile: 'rtx-a5000-unet' };
      expect(await read(stated)).toMatchObject({ options: { pool, client: 'naive' } });
      const flags = ['--pool', 'local', '--client', 'optimized'];
      expect(await read(stated, ...flags)).toMatchObject({ options: { pool: { kind: 'local' }, client: 'optimized' } });
    });

    it('is listed with them, without the secrets of an address', async () => {
      const text = async (expression: string) => JSON.stringify(await read(expression, '--list'));
      expect(await text(stated)).toContain('mine: 1,000 images from upload');
      expect(await text(stated)).toContain('\\n  pool sim:rtx-a5000-unet, client naive\\n  ui_settle_ms');
      expect(await text(stated)).toContain('\\n  pool local, client optimized\\n');
      const secret = await text(`{ ...base, name: 'mine', pool: 'kserve:http://me:secret@gpu:8000' }`);
      expect(secret).toContain('@gpu:8000');
      expect(secret).not.toContain('secret');
    });

    it('is no negative control of a service that is not ours', async () => {
      await expect(read(stated, '--target', 'a.ts')).rejects.toThrow(
        'client "naive" of mine is not allowed with --target; allowed: --client optimized',
      );
    });

    it('is compared on its pool, and not as a negative control', async () => {
      const compared = async (expression: string, ...flags: string[]) => {
        const path = await fileOf(expression);
        return parseCompareOptions(['--against', 'main', '--scenario', path, ...flags], await ownScenario(path));
      };
      const pool = { kind: 'kserve', urls: ['http://gpu:8000'] };
      const mine = `{ ...base, name: 'mine', pool: 'kserve:http://gpu:8000' }`;
      expect(await compared(mine)).toMatchObject({ options: { pool } });
      expect(await compared(mine, '--pool', 'local')).toMatchObject({ options: { pool: { kind: 'local' } } });
      await expect(compared(stated)).rejects.toThrow('a block has no page that could be naive');
    });
  });

  it('is not looked for where a name is given', async () => {
    expect(await Promise.all([ownScenario(undefined), ownScenario('bulk-1000')])).toEqual([undefined, undefined]);
  });

  it.each([
    [`{ ...base }`, 'name is "bulk-1000"; expected one that is not built in'],
    [`{ ...base, name: '../x' }`, 'name is "../x"; expected small letters'],
    [`{ ...base, name: 'mine', kind: 'bulky' }`, 'kind is "bulky"; expected one of bulk, faults'],
    [`{ ...base, name: 'mine', images: { ...base.images, count: -1 } }`, 'images.count is -1; expected a number'],
    [
      `{ ...base, name: 'mine', phases: { ...base.phases, scroll: {} } }`,
      'phases.scroll.sweeps is undefined; expected a number',
    ],
    [
      `{ ...base, name: 'mine', phases: { ...base.phases, browse: { ...base.phases.browse, mix: [] } } }`,
      'phases.browse.mix is []; expected a list, such as',
    ],
    [
      `{ ...base, name: 'mine', budgets: [{ ...base.budgets[0], source: '' }] }`,
      'budgets[0].source is ""; expected where the limit comes from',
    ],
    [
      `{ ...base, name: 'mine', budgets: [{ ...base.budgets[0], limit: '2' }] }`,
      'budgets[0].limit is "2"; expected a number',
    ],
    [`{ ...base, name: 'mine', budgets: [{ ...base.budgets[0], name: 'speed' }] }`, 'budgets[0].name is "speed"'],
    [`{ ...base, name: 'mine', notApplicable: { toasts: '' } }`, 'notApplicable.toasts is ""; expected a reason'],
    [`{ ...base, name: 'mine', pool: 'gpu' }`, 'pool is "gpu"; expected local, sim:PROFILE, kserve:URL[,URL…]'],
    [`{ ...base, name: 'mine', pool: 4 }`, 'pool is 4; expected local, sim:PROFILE'],
    [
      `{ ...base, name: 'mine', pool: 'sim:rtx-a5000-unt' }`,
      'pool is "sim:rtx-a5000-unt"; expected sim: with a file, or with one of ',
    ],
    [`{ ...base, name: 'mine', client: 'naiv' }`, 'client is "naiv"; expected one of optimized, naive'],
    [
      `{ ...(await import(${JSON.stringify(join(projectRoot, 'scenarios/soak.ts'))})).SOAK, name: 'mine', pool: 'local' }`,
      'pool is "local"; expected none with kind soak; allowed with bulk, faults, capacity, prove, gate-proof',
    ],
    [
      `{ ...(await import(${JSON.stringify(join(projectRoot, 'scenarios/prove.ts'))})).PROVE, name: 'mine', client: 'naive' }`,
      'client is "naive"; expected none with kind prove; allowed with bulk',
    ],
    ['42', 'its export is 42; expected a scenario'],
    ['base.nothing.there', 'cannot be loaded: Cannot read properties of undefined'],
  ])('%s is refused', async (expression, message) => {
    await expect(ownScenario(await fileOf(expression))).rejects.toThrow(message);
  });

  it('that is not there is refused', async () => {
    await expect(ownScenario('./no/such.ts')).rejects.toThrow('--scenario "./no/such.ts" does not exist');
  });
});

describe('the scenarios that are built in', () => {
  it('have names of their own and budgets with a source, and what is not applicable is one of these', () => {
    const all = listScenarios();
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, budgets, notApplicable } of all) {
      expect(budgets.filter(({ source }) => source === '').map((budget) => `${name} ${budget.name}`)).toEqual([]);
      const names = budgets.map((budget) => budget.name);
      expect(Object.keys(notApplicable).filter((one) => !names.some((budget) => budget === one))).toEqual([]);
      expect(Object.keys(notApplicable).length).toBeLessThan(budgets.length);
    }
  });

  it('real-images asks for a folder', () => {
    expect(() => parseBenchOptions(['--scenario', 'real-images'])).toThrow('needs --images DIR');
  });
});
