/** Chance of a false alarm of a whole comparison: over all primary metrics and all looks. */
export const FAMILY_LEVEL = 0.01;
/** Pairs after which the data are looked at. */
const LOOKS = [10, 20, 30];
export const DEFAULT_PAIRS = 30;

/**
 * When a comparison of `pairs` is looked at: at 10, 20, 30 and at its end. Each look is one more chance to be wrong, so that the
 * level is split evenly over them, as Pocock (Biometrika 64, 1977) does, but by Bonferroni's bound instead of the joint
 * distribution: never above the family's level, whatever the noise is like.
 */
export function looksOf(pairs: number): number[] {
  const before = LOOKS.filter((look) => look < pairs && pairs - look >= 5);
  return [...before, pairs];
}

export const levelOf = (looks: readonly number[]): number => FAMILY_LEVEL / looks.length;
