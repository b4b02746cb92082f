import type { TestApp } from './app.ts';

/** A key that is looked up again costs two queries. */
export const PATIENT = { KEY_TRUST_MS: '3600000' };

/** Counts the queries of an app that was started with `PATIENT`; its writer of exports, which asks every two seconds, is stopped. */
export async function countQueries(service: TestApp): Promise<() => Promise<number>> {
  await service.app.exports.close();
  return async () =>
    (await service.app.metrics.dbQueryDuration.get()).values.find(({ metricName }) => metricName?.endsWith('_count'))
      ?.value ?? 0;
}
