import type { Forecast, ForecastReply, Forecasts, ScoredForecast } from '#contract/forecasts.ts';
import { counted, formatBytes, formatChange, formatCount, formatDuration, formatPercent } from '../models/format.ts';

const range = ({ low, high }: Forecast): string => `${formatDuration(low)} to ${formatDuration(high)}`;

/** "1,000 images on 2 workers: about 25 s (22 s to 29 s), results 4.1 MB". */
function forecastWords({ forecast, reused, reason, images }: ForecastReply): string {
  const known = reused > 0 ? ` ${formatCount(reused)} more are known already.` : '';
  if (reason === 'NOTHING_TO_SEGMENT') return `${counted(images, 'image')}, all known already: done at once`;
  if (reason === 'NO_WORKER') return `${counted(images, 'image')} would wait: no worker has reported itself`;
  if (!forecast) return 'How long this takes is known once a dozen images were tried';
  const ahead = forecast.imagesAhead > 0 ? `, after ${formatCount(forecast.imagesAhead)} of others` : '';
  const doubt = forecast.basis.outside ? ' Sizes like these were not measured yet.' : '';
  const work = `${counted(forecast.images, 'image')} on ${counted(forecast.workers, 'worker')}${ahead}`;
  return `${work}: about ${formatDuration(forecast.seconds)} (${range(forecast)}), results ${formatBytes(forecast.resultBytes)}.${known}${doubt}`;
}

function basisWords({ basis }: Forecast): string {
  const from = `From ${counted(basis.images, 'measured image')} of ${basis.ownProject ? 'this project' : 'other projects'}`;
  return basis.batches === 0
    ? `${from}. The range is wide until batches like this one have ended.`
    : `${from}, corrected by ${counted(basis.batches, 'earlier batch', 'earlier batches')} like this one.`;
}

type Score = NonNullable<Forecasts['score']>;
function scoreWords({ batches, bias, error, coverage }: Score): string {
  const lean =
    Math.abs(bias) < 0.005
      ? 'neither too long nor too short'
      : `${formatPercent(Math.abs(bias))} ${bias > 0 ? 'longer' : 'shorter'} than was said`;
  return `${counted(batches, 'batch', 'batches')}: on the whole they took ${lean}; half were off by more than ${formatPercent(error)}; ${formatPercent(coverage)} of the ranges held what happened (95 % is meant).`;
}

export const WORDS = {
  forecast: forecastWords,
  basis: basisWords,
  capacity: {
    title: 'Capacity',
    intro: 'Before a batch starts, its page says how long it will take. Here is what was said beside what happened.',
    none: 'No batch has ended yet that anything was said of. Try a few images of a project first; what is started after that has a forecast.',
    failed: (message: string) => `Forecasts could not be read: ${message}`,
    score: scoreWords,
    table: 'Forecasts and what happened',
    columns: {
      when: 'Started',
      project: 'Project',
      images: 'Images',
      workers: 'Workers',
      said: 'Said',
      range: 'Range',
      took: 'Took',
      off: 'Off by',
      bytes: 'Results, said and got',
      inside: 'In the range',
    },
    range,
    off: ({ tookSeconds, forecast }: ScoredForecast): string => formatChange(tookSeconds / forecast.seconds - 1),
    bytes: ({ forecast, gotBytes }: ScoredForecast): string =>
      `${formatBytes(forecast.resultBytes)}, ${formatBytes(gotBytes)}`,
    yes: '✓ yes',
    no: '✕ no',
    planTitle: 'More workers, another machine',
    plan: 'How many workers a number of images in a given time needs, what binds, and what it costs, is answered from a measured run:',
    commands: [
      'npm run -s bench -- --scenario capacity',
      'npm run -s plan -- --from bench-results/latest --images 50000 --deadline 8h',
    ],
  },
} as const;
