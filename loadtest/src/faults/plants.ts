import type { BudgetName } from '../contract.ts';

export interface SourceEdit {
  /** From the project's root. */
  file: string;
  /** Stands in the file exactly once, and is replaced. */
  find: string;
  replace: string;
}
/** A defect put into the service's source, as someone might by mistake: the scenario must turn red. */
export interface SourcePlant extends SourceEdit {
  name: string;
  /** A second guard, which has to go too before anything is to be seen. */
  also?: SourceEdit;
  /** Faults that show it. */
  faults: readonly string[];
  /** The budget that must fail; others may as well. */
  turns: BudgetName;
}

/** One for each mechanism that keeps images from being lost or doubled. Run them by `node test/acceptance/fault-plants.ts`. */
export const SOURCE_PLANTS: readonly SourcePlant[] = [
  {
    name: 'fence removed: a result is written whatever the generation of its hand-out',
    file: 'service/src/batches/settle.ts',
    find: '  return outcomes.filter((outcome) => valid.has(keyOf(outcome)));',
    replace: '  return valid.size < 0 ? [] : [...outcomes];',
    // PostgreSQL refuses the counters that come of it, and with them the whole write
    also: {
      file: 'service/migrations/0001_initial.up.sql',
      find: 'CHECK (queued >= 0 AND processing >= 0 AND queued + processing + completed + failed + cancelled = total)',
      replace: 'CHECK (total >= 0)',
    },
    faults: ['F4'],
    turns: 'fault_counter_mismatches',
  },
  {
    name: 'outbox bypassed: jobs leave it before they are in the queue',
    file: 'service/src/batches/relay.ts',
    find: '  await queue.add(\n',
    replace:
      '  await sql`DELETE FROM job_outbox WHERE id = ANY(${jobs.map((job) => job.id)}::bigint[])`;\n  await queue.add(\n',
    faults: ['N7'],
    turns: 'fault_orphaned_images',
  },
  {
    name: 'number reused: the sequencer goes on with the last number that it gave',
    file: 'service/src/events/sequencer.ts',
    find: 'SET seq = ${numbered.seq},',
    replace: 'SET seq = ${numbered.seq - 1},',
    faults: ['F14'],
    turns: 'fault_sequence_gaps',
  },
  {
    name: 'reconciler off: it looks once, when a relay begins to lead',
    file: 'service/src/roles/relay.ts',
    find: '    everyMs: RECONCILE_MS,\n    async step() {\n      const orphans',
    replace: '    everyMs: 86_400_000,\n    async step() {\n      const orphans',
    faults: ['F8'],
    turns: 'fault_images_lost',
  },
  {
    name: 'crash count ignored: an image that kills its process is handed out again',
    file: 'service/src/batches/failure-policy.ts',
    find: "  if (failure.crashed) return failure.crashes + 1 >= CRASHES_TO_QUARANTINE ? 'failed' : 'queued';",
    replace: "  if (failure.crashed) return 'queued';",
    faults: ['F6'],
    turns: 'fault_crashes_per_image',
  },
  {
    name: 'idempotency dropped: an upload that is sent again is stored again',
    file: 'service/src/ingest/idempotency.ts',
    find: '      const known = await claim(',
    replace:
      "      if (at.key !== '') return { ...(await work(async () => {})), replayed: false };\n      const known = await claim(",
    faults: ['F11'],
    turns: 'fault_duplicates',
  },
];

/** @throws Error when the text is not there exactly once: the plant has to follow the source */
export function planted(source: string, { file, find, replace }: SourceEdit): string {
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`plant: ${JSON.stringify(find)} stands ${count} times in ${file}, expected once`);
  return source.replace(find, () => replace);
}
