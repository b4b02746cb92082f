/** Growths planted for real: by settings of the service, or by those that only a service of tests obeys. */
export interface RealPlant {
  name: string;
  settings: Readonly<Record<string, string>>;
  /** A time grows, which takes more pairs to see than a count. */
  times: boolean;
}

const planted = (plant: string): RealPlant['settings'] => ({ NODE_ENV: 'test', PLANT: plant });

export const REAL_PLANTS: readonly RealPlant[] = [
  { name: '+10 % CPU per image', settings: planted('more-cpu'), times: true },
  { name: '+15 % p50', settings: planted('late-jobs'), times: true },
  { name: 'one extra query per image', settings: planted('extra-query'), times: false },
  { name: '+20 % bytes', settings: { GZIP_LEVEL: '1' }, times: false },
  { name: 'a dropped batch window', settings: { EVENT_BATCHING: '0' }, times: false },
  { name: 'a leaked listener', settings: planted('leaked-listener'), times: false },
];
