/** Names that are counted apart; each is a time series. */
export const WARNING_NAMES = ['MaxListenersExceededWarning', 'DeprecationWarning', 'other'] as const;
export type WarningName = (typeof WARNING_NAMES)[number];

const counts: Record<WarningName, number> = { MaxListenersExceededWarning: 0, DeprecationWarning: 0, other: 0 };
const isNamed = (name: string): name is WarningName => name in counts;

// Once a process, however many roles run in it: a listener for each would be what it warns of.
process.on('warning', ({ name }) => counts[isNamed(name) ? name : 'other']++);

/** Node's own warnings since the process began. The first says that listeners are added and never taken away. */
export const warningCounts = (): Readonly<Record<WarningName, number>> => counts;
