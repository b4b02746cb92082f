import { formatCount } from '../models/format.ts';

/** All words of the page of runs that are not a number, in one place. */
export const WORDS = {
  title: 'Runs',
  loading: 'Reading the runs',
  none: {
    title: 'No run of the bench yet',
    text: 'A run replays 1,000 images through the whole path and judges its budgets. Make the first one in the project’s folder:',
    command: 'npm run bench',
    afterwards: 'Then load this page again: it reads the folder that RESULTS_DIR names, bench-results by default.',
  },
  unreadable: (count: number) =>
    count === 1
      ? '1 folder has no result that can be read: its run goes on, or ended early.'
      : `${formatCount(count)} folders have no result that can be read: their runs go on, or ended early.`,
  more: (shown: string, total: string) => `The newest ${shown} of ${total}.`,
  list: {
    label: 'Runs of the bench',
    choose: 'Compare',
    chooseRun: (name: string) => `Compare ${name}`,
    verdict: 'Verdict',
    scenario: 'Scenario',
    started: 'Started',
    images: 'Images',
    budgets: 'Budgets held',
    commit: 'Commit',
    held: (held: number, judged: number) => `${held} of ${judged}`,
    simulated: 'simulated',
    control: 'negative control',
  },
  filter: { scenario: 'Scenario', all: 'all scenarios', metric: 'Metric' },
  compareHint: 'Choose two runs to compare them.',
  compareLink: 'Compare the two',
  history: {
    title: (metric: string, scenario: string) => `${metric} in ${scenario}`,
    limit: (text: string) => `limit ${text}`,
    machine: (number: number) => `machine ${number}`,
    others: 'other machines',
    needsScenario: 'Choose a scenario to see how its figures went from run to run.',
    nothing: 'No run of this scenario measured it.',
  },
  one: {
    back: 'All runs',
    report: 'Open the report',
    noReport: 'This run left no report.',
    missing: 'There is no such run. Its folder was removed, or never was. “All runs” has those that are there.',
    budgets: 'Budgets',
    notes: 'Notes',
    machine: 'Where it ran',
    facts: { started: 'Started', images: 'Images', client: 'Client', commit: 'Commit', seed: 'Seed', folder: 'Folder' },
  },
  table: { metric: 'Metric', actual: 'Actual', limit: 'Limit', verdict: 'Verdict', note: 'Note' },
  histograms: {
    title: 'How long stages took',
    none: 'At least one of the two was made before results had histograms of their stages.',
    base: 'base',
    now: 'now,',
    axis: 'as shares of the images; time grows to the right, doubling by doubling',
    moved: (base: string, now: string) => `${base} → ${now}`,
    percentiles: (p50: string, p95: string) => `p50 ${p50}, p95 ${p95}`,
    label: (stage: string, text: string) => `${stage}, base and now: ${text}`,
  },
  compare: {
    title: 'Two runs',
    of: (scenario: string, when: string) => `${scenario}, ${when}`,
    base: 'Base',
    now: 'Now',
    ratio: 'Ratio',
    noise: 'Noise',
    noiseOf: (share: string) => `± ${share}`,
    noiseNote:
      'Noise: half of how far repeats inside a run were apart, of the two runs the larger one; – where a run measured it once. A change within it is none.',
    change: 'Change',
    incomparable: 'These runs did different work, and nothing is concluded from the pair:',
    timesIncomparable: 'The machines differ, so times are incomparable:',
    differs: (name: string, base: string, now: string) => `${name}: ${base || 'unknown'}, now ${now || 'unknown'}`,
    oneEach:
      'One run each: times of equal runs differ as well. Whether a change is real, npm run compare decides, with both side by side.',
    words: {
      better: 'better',
      worse: 'worse',
      same: 'about the same',
      differs: 'differs',
      incomparable: 'incomparable',
      missing: 'not measured',
    },
  },
} as const;
