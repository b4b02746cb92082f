/** What has been opened, closed in the other order; one that fails is logged and keeps none of the others from closing. */
export function createClosers(log: (line: string) => void) {
  const closers: (() => Promise<unknown>)[] = [];
  return {
    add(closer: () => Promise<unknown>): void {
      closers.push(closer);
    },
    async closeAll(): Promise<void> {
      for (const closer of closers.splice(0).toReversed())
        await closer().catch((error: unknown) => log(`while stopping: ${String(error)}`));
    },
  };
}
export type Closers = ReturnType<typeof createClosers>;
