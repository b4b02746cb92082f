/**
 * Of a long list the first images are read first, and all of it once they stand there or more is wanted: what is read meanwhile would
 * only make them late. What concerns the whole list and is asked for before it is here (its last image, all of it, a place further
 * down) is done once it is. Only the latest such wish: what the person does meanwhile takes its place.
 */
export function createWholeList() {
  let here = false;
  let wish: (() => void) | null = null;
  const { promise: wanted, resolve: want } = Promise.withResolvers<void>();
  return {
    wanted,
    want: (): void => want(),
    /** @returns whether `act` has to wait; it is called later then */
    wait(act: () => void): boolean {
      if (!here) wish = act;
      want();
      return !here;
    },
    /** Something else was done. */
    forget: (): void => void (wish = null),
    arrived(): void {
      here = true;
      wish?.();
      wish = null;
    },
  };
}
export type WholeList = ReturnType<typeof createWholeList>;
