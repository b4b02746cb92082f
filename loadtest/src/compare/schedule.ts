import type { Random } from '../images/random.ts';

export const BLOCKS = ['a', 'again', 'b'] as const;
export type BlockName = (typeof BLOCKS)[number];

/** Which side runs a block: base runs two of three. */
export const sideOf = (block: BlockName): 'base' | 'head' => (block === 'b' ? 'head' : 'base');

/** The three blocks of a pair in an order drawn by chance (Fisher and Yates), so that a drift of the machine meets all alike. */
export function drawOrder(random: Random): BlockName[] {
  const order: BlockName[] = [...BLOCKS];
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}
