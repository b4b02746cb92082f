import path from 'node:path';
import { buildDashboards } from '../../loadtest/bin/run/dashboards.mjs';

/** The folder of the built pages; they are built where their sources changed, once for all test files and commands. */
export async function builtPages(): Promise<string> {
  await buildDashboards(new AbortController().signal);
  return path.resolve(import.meta.dirname, '../dist');
}
