/** What can be turned off alone, to see what it is worth: the service's setting for each, by the name it has on the command line. */
export const SWITCHES = {
  'event-batching': 'EVENT_BATCHING',
  'bulk-results': 'BULK_RESULTS',
  'result-cache': 'RESULT_CACHE',
  cache: 'CACHE',
  compression: 'COMPRESSION',
} as const;
export type SwitchName = keyof typeof SWITCHES;

export const SWITCH_NAMES = Object.keys(SWITCHES) as SwitchName[];
export const settingWithout = (name: SwitchName): Record<string, string> => ({ [SWITCHES[name]]: 'off' });
