import path from 'node:path';

/** What `POOL` simulates; null where it runs a model. */
export const simulatedBy = (pool: string): string | null =>
  pool.startsWith('sim:') ? path.basename(pool.slice('sim:'.length), '.json') : null;

/** What executes, in one word: `simulated`, `kserve`, or the provider of ONNX Runtime. */
export function providerIn(pool: string, provider: string): string {
  if (simulatedBy(pool) !== null) return 'simulated';
  return pool.startsWith('kserve:') ? 'kserve' : provider;
}

/** The version under which results are stored: those of a simulation are never taken for those of the model. */
export function versionIn(pool: string, version: string): string {
  const profile = simulatedBy(pool);
  return profile === null ? version : `${version}-sim-${profile}`;
}
