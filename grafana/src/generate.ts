// Writes the dashboards that Grafana is provisioned with. `node grafana/src/generate.ts`
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BENCH } from './bench.ts';
import { buildDashboard } from './build.ts';
import { INFERENCE } from './inference.ts';
import { OVERVIEW } from './overview.ts';
import { SERVERS } from './servers.ts';

export const DASHBOARDS_DIR = fileURLToPath(new URL('../dashboards', import.meta.url));
export const DASHBOARDS = [OVERVIEW, INFERENCE, SERVERS, BENCH];

/** Contents of the files by name. */
export const dashboardTexts = (): [name: string, text: string][] =>
  DASHBOARDS.map((spec) => [`${spec.uid}.json`, `${JSON.stringify(buildDashboard(spec), null, 2)}\n`]);

if (import.meta.main) {
  mkdirSync(DASHBOARDS_DIR, { recursive: true });
  for (const [name, text] of dashboardTexts()) writeFileSync(join(DASHBOARDS_DIR, name), text);
}
