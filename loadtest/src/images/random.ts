/** Uniform numbers in [0, 1). The only source of chance in the harness: seeded, and the seed is printed. */
export type Random = () => number;

/**
 * sfc32 by Chris Doty-Humphrey (PractRand): 128 bits of state, period at least 2^32, passes PractRand to 2 TB.
 * The state is filled by splitmix32 so that neighbouring seeds give unrelated sequences; 15 rounds are thrown away, as its author does.
 * @param seed any integer; only its low 32 bits count. @param stream one independent sequence each, such as an image's index.
 */
export function createRandom(seed: number, stream = 0): Random {
  let mixed = (seed ^ Math.imul(stream + 1, 0x9e3779b9)) | 0;
  const next = (): number => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = mixed ^ (mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return z ^ (z >>> 15);
  };
  let a = next();
  let b = next() ^ stream;
  let c = next() ^ seed;
  let counter = 1;
  const random = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return (t >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 15; round++) random();
  return random;
}

export function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random();
}

/** Whole number in [low, high], both included. */
export function wholeBetween(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** Standard normal deviates by Marsaglia's polar method (SIAM Review 6, 1964); two from each accepted pair. */
export function createNormal(random: Random): Random {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const u = random() * 2 - 1;
      const v = random() * 2 - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      spare = v * factor;
      return u * factor;
    }
  };
}
