/** Who holds how many of something that there is a bounded number of: connections, sockets. */
export function createPlaces(most: { total: number; each: number }) {
  const held = new Map<string, number>();
  let total = 0;
  return {
    total: (): number => total,
    of: (holder: string): number => held.get(holder) ?? 0,
    /**
     * Takes a place under each of the names, or none.
     * @returns what gives them back, once; or which limit is reached: `total`, or the name of who holds too many
     */
    take(holders: readonly string[]): (() => void) | { full: string } {
      if (total >= most.total) return { full: 'total' };
      const full = holders.find((holder) => (held.get(holder) ?? 0) >= most.each);
      if (full !== undefined) return { full };
      total++;
      for (const holder of holders) held.set(holder, (held.get(holder) ?? 0) + 1);
      let given = false;
      return () => {
        if (given) return;
        given = true;
        total--;
        for (const holder of holders) {
          const left = (held.get(holder) ?? 1) - 1;
          if (left === 0) held.delete(holder);
          else held.set(holder, left);
        }
      };
    },
  };
}
