/** Budgets of the scenarios that break things on purpose. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetSpec } from '../loadtest/src/contract.ts';
import { LOAD_BUDGETS } from './budgets-load.ts';

const OWN = 'segbench: nothing lost';

/** After every fault, seen from outside; recovery times are the slowest of the run. */
export const FAULT_BUDGETS: readonly BudgetSpec[] = [
  {
    name: 'fault_images_lost',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Acknowledged images that did not end completed or failed with a code',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'fault_duplicates',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Second results of one image, and second terminal events at the client',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'fault_sequence_gaps',
    unit: 'count',
    operator: '=',
    limit: 0,
    description:
      'Numbers missing in what the client was sent, and images whose last state at the client is not the database’s',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'fault_counter_mismatches',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Counters of batches and projects that differ from counted rows',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'fault_toasts_per_batch',
    unit: 'count',
    operator: '<=',
    limit: 1,
    description: 'Toast nodes ever created for one batch, the most of all batches',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'fault_crashes_per_image',
    unit: 'count',
    operator: '<=',
    limit: 2,
    description: 'Processes that one image may take with it, the most of all images: after that it is left alone',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'fault_orphaned_images',
    unit: 'count',
    operator: '=',
    limit: 0,
    description: 'Images that were in neither outbox nor queue, and that only the reconciler found again',
    source: `${OWN}, nothing twice`,
  },
  {
    name: 'recovery_worker_killed_ms',
    unit: 'ms',
    operator: '<',
    limit: 15_000,
    description: 'Longest time without an image that ends, from kill -9 of the worker on',
    source: `${OWN} for long`,
  },
  {
    name: 'recovery_queue_wiped_ms',
    unit: 'ms',
    operator: '<',
    limit: 30_000,
    description: 'Longest time without an image that ends, from FLUSHALL or the end of the queue’s Redis on',
    source: `${OWN} for long`,
  },
  {
    name: 'recovery_database_restart_ms',
    unit: 'ms',
    operator: '<',
    limit: 10_000,
    description: 'Longest time without an image that ends, from PostgreSQL’s return after a restart on',
    source: `${OWN} for long`,
  },
  {
    name: 'recovery_socket_away_ms',
    unit: 'ms',
    operator: '<',
    limit: 1000,
    description: 'From the return of an event socket that was away for 30 s to the last event that it missed',
    source: `${OWN} for long`,
  },
];

export const RELIABILITY_BUDGETS: readonly BudgetSpec[] = [...FAULT_BUDGETS, ...LOAD_BUDGETS];
