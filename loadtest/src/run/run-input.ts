import type { BenchOptions } from '../cli/options.ts';
import type { RunFolder } from './folder.ts';
import type { Progress } from './progress.ts';
import type { Stop } from './stop.ts';

/** What every runner gets, whatever its scenario. */
export interface RunInput {
  options: BenchOptions;
  folder: RunFolder;
  progress: Progress;
  stop: Stop;
  /** Settings of the service that this run changes. */
  settings?: Record<string, string> | undefined;
}

/** The value of the service's setting POOL. */
export const poolText = ({ pool }: Pick<BenchOptions, 'pool'>): string =>
  pool.kind === 'local' ? 'local' : pool.kind === 'sim' ? `sim:${pool.profile}` : `kserve:${pool.urls.join(',')}`;
