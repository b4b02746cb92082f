import type { EndDetail } from './balancer.ts';
import type { Outcome } from './breaker.ts';
import type { LeaseData } from './leases.ts';

export type LeaseToParent =
  | { type: 'lease'; ask: number; excluding: string[] }
  | { type: 'lease-end'; lease: number; outcome: Outcome; detail?: EndDetail };
export interface LeaseToChild {
  type: 'leased';
  ask: number;
  lease: LeaseData | null;
}

/** What a child has of the endpoints that its parent balances: it asks for one, and says how the request went. */
export function createChildLeases() {
  const asked = new Map<number, (lease: LeaseData | null) => void>();
  let next = 1;
  const send = (message: LeaseToParent) => process.send?.(message);
  process.on('message', (message: LeaseToChild | { type: 'run' }) => {
    if (message.type !== 'leased') return;
    asked.get(message.ask)?.(message.lease);
    asked.delete(message.ask);
  });
  return {
    lease: (excluding: string[]): Promise<LeaseData | null> =>
      new Promise((resolve) => {
        const ask = next++;
        asked.set(ask, resolve);
        send({ type: 'lease', ask, excluding });
      }),
    end: (lease: number, outcome: Outcome, detail?: EndDetail): void =>
      void send({ type: 'lease-end', lease, outcome, ...(detail === undefined ? {} : { detail }) }),
  };
}
