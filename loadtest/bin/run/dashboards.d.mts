/** Builds the pages into `dashboards/dist` where their sources changed since the last build. */
export function buildDashboards(signal: AbortSignal): Promise<void>;
