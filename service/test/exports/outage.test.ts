import { expect, it, vi } from 'vitest';
import type { Sql } from '../../src/database/client.ts';
import { createExportStore } from '../../src/exports/store.ts';
import type { Storage } from '../../src/storage.ts';
import type { Owner } from '../../src/tenants/owner.ts';
import { until } from '../batches/fixture.ts';

it.each([
  ['57P03', 'the database system is in recovery mode', 0],
  ['42501', 'permission denied for table exports', 2],
])(
  'of an error %s (%s) that is of no export, says it in %i lines for a look and a sweep',
  async (code, message, lines) => {
    const error = Object.assign(new Error(message), { code });
    const refuse = vi.fn<() => Promise<never>>(() => Promise.reject(error));
    const log = vi.fn<(error: unknown, exportId?: string) => void>();
    const store = createExportStore({
      sql: Object.assign(refuse, { begin: refuse }) as unknown as Sql,
      ownerOf: () => ({}) as Owner,
      storage: {} as Storage,
      leaseMs: 1e6,
      keepMs: 1e6,
      pollMs: 1e6,
      log,
    });
    store.start();
    await until(() => refuse.mock.calls.length >= 2);
    await store.close();
    expect(log.mock.calls).toEqual(Array.from({ length: lines }, () => [error]));
  },
);
