/** Words of every page: the header, signing in, what is not there. Words of one page stand in a file of their own beside this one. */
export const WORDS = {
  name: 'segbench',
  /** Of the browser's tab. */
  tab: (page: string) => `${page} · segbench`,
  pages: { label: 'Pages', now: 'Now', runs: 'Runs', capacity: 'Capacity', keys: 'Keys' },
  loading: 'Loading',
  notLoaded: 'This page could not be loaded: the service was renewed, or the line was lost. Load it again.',
  late: (seconds: number) => `The service did not answer within ${seconds} s.`,
  noAnswer: 'The service does not answer.',
  answered: (status: number) => `The service answered ${status}.`,
  signIn: {
    key: 'API key',
    submit: 'Sign in',
    unknown: 'This key is not known to the service.',
    hint: 'The service prints its first key once, when it starts for the first time. Keys made later are given out on the page “Keys”.',
  },
  notFound: {
    title: 'No such page',
    text: 'is not an address of this service.',
    back: 'Back to the projects',
  },
  status: {
    uploaded: 'not segmented',
    queued: 'queued',
    processing: 'processing',
    completed: 'done',
    failed: 'failed',
    cancelled: 'cancelled',
  },
  tryAgain: 'Try again',
} as const;
