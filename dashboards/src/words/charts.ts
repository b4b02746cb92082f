/** Words of every chart. */
export const WORDS = {
  loading: 'The chart loads',
  failed: 'The chart could not be loaded; the numbers go on.',
  keys: 'Arrow keys move the point that is read.',
} as const;
