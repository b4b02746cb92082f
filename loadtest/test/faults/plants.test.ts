import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAULTS } from '../../../scenarios/faults.ts';
import { projectRoot } from '../../src/environment/paths.ts';
import { planted, SOURCE_PLANTS } from '../../src/faults/plants.ts';
import { FAULT_IDS } from '../../src/faults/table.ts';

// Whether each is found out takes minutes: `node test/acceptance/fault-plants.ts`. Here they must still fit the source.
it.each(SOURCE_PLANTS)('fits the source: $name', async (plant) => {
  for (const edit of [plant, plant.also ?? plant]) {
    const source = await readFile(join(projectRoot, edit.file), 'utf8');
    expect(planted(source, edit)).not.toBe(source);
  }
  expect(FAULT_IDS).toEqual(expect.arrayContaining([...plant.faults]));
  expect(FAULTS.budgets.map(({ name }) => name)).toContain(plant.turns);
});

it('refuses a plant whose text is gone', () => {
  const [plant] = SOURCE_PLANTS;
  expect(plant).toBeDefined();
  expect(() => planted('', plant!)).toThrow(/stands 0 times in service/);
});
