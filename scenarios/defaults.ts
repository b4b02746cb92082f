/** What a scenario may say that the command line says too: its own flags go first. */
export const CLIENTS = ['optimized', 'naive'] as const;
export const DEFAULT_CLIENT = 'optimized';
export const DEFAULT_POOL = 'local';
/** Kinds whose service runs what `--pool` names; the others bring timers or a stand-in. */
export const POOL_KINDS = ['bulk', 'faults', 'capacity', 'prove', 'gate-proof'] as const;
/** Kinds with a page that watches a batch, which is what clients are. */
export const CLIENT_KINDS = ['bulk'] as const;

export interface Defaults<Kind extends string> {
  /** As `--pool` takes it. */
  pool?: Kind extends (typeof POOL_KINDS)[number] ? string : never;
  client?: Kind extends (typeof CLIENT_KINDS)[number] ? (typeof CLIENTS)[number] : never;
}
