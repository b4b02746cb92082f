import type { EndDetail, Lease, Manner } from './balancer.ts';
import type { Outcome } from './breaker.ts';

/** A lease as plain data, fit to be sent to another process. */
export interface LeaseData extends Manner {
  id: number;
  url: string;
}

/** Keeps the leases that other processes have, by number; what a dead one had is given back. */
export function createLeases(endpoints: { lease(excluding: readonly string[]): Lease | null }) {
  const held = new Map<number, { owner: string; lease: Lease }>();
  let nextId = 1;
  return {
    /** @param owner the process that asks */
    lease(owner: string, excluding: readonly string[]): LeaseData | null {
      const lease = endpoints.lease(excluding);
      if (lease === null) return null;
      const id = nextId++;
      held.set(id, { owner, lease });
      return { id, url: lease.url, binary: lease.binary, versioned: lease.versioned };
    },
    /** Of a lease that has ended, or was dropped, it is nothing. */
    end(id: number, outcome: Outcome, detail?: EndDetail): void {
      held.get(id)?.lease.end(outcome, detail);
      held.delete(id);
    },
    /** The owner is gone. */
    drop(owner: string): void {
      for (const [id, each] of held) {
        if (each.owner !== owner) continue;
        each.lease.end('dropped');
        held.delete(id);
      }
    },
    size: (): number => held.size,
  };
}
export type Leases = ReturnType<typeof createLeases>;
