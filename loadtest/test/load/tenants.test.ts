import { expect, it } from 'vitest';
import { MULTI_TENANT } from '../../../scenarios/multi-tenant.ts';
import { runTenants } from '../../src/load/tenants.ts';
import { withInput } from './kit.ts';

const TIMEOUT_MS = 120_000;
const small = { ...MULTI_TENANT, phases: { ...MULTI_TENANT.phases, imageMs: 10, projects: 8, small: 40 } };

const measured = (settings: Record<string, string> = {}) =>
  withInput(['--scenario', 'multi-tenant', '--count', '800'], settings, async (input) => {
    const { measurements, stopped, tables } = await runTenants(small, new Date(), input);
    expect(stopped).toBeUndefined();
    const actual = (name: keyof typeof measurements) => measurements[name]?.actual;
    return {
      counts: [actual('tenants_foreign_events'), actual('tenants_foreign_answers'), actual('tenants_images_wrong')],
      asked: Number.parseInt(measurements.tenants_foreign_answers!.note!, 10),
      meanwhile: Number(tables![0]!.rows[1]![3]),
    };
  });

it(
  'lets a tenant’s few images through beside eight projects of another, and shows neither what is the other’s',
  async () => {
    const { counts, asked, meanwhile } = await measured();
    expect(counts).toEqual([0, 0, 0]);
    expect(asked).toBeGreaterThan(20);
    // every second place is the small one's: as many as its own, and what was in the queue
    expect(meanwhile).toBeLessThan(250);
  },
  TIMEOUT_MS,
);

it(
  'is seen to fail when batches go in their order',
  async () => {
    const { meanwhile } = await measured({ PLANT: 'first-come' });
    expect(meanwhile).toBeGreaterThan(350);
  },
  TIMEOUT_MS,
);
