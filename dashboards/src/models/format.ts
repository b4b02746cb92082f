const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });

const twoDigits = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2, minimumFractionDigits: 2 });
const justOne = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

/** Small numbers look the same without Intl, which costs too much for each cell of each frame of a gallery that is scrolled. */
export const formatCount = (value: number): string =>
  value >= 0 && value < 1000 && Number.isInteger(value) ? String(value) : whole.format(value);
/** "1 image", "1,000 images". */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${formatCount(count)} ${count === 1 ? one : many}`;
/** "0.50". */
export const formatThreshold = (value: number): string => twoDigits.format(value);
/** "17.0". */
export const formatMean = (value: number): string => justOne.format(value);
export const formatRate = (perSecond: number): string => `${oneDigit.format(perSecond)} images/s`;
export const formatPercent = (ratio: number): string => `${whole.format(ratio * 100)} %`;
export const formatMs = (ms: number): string =>
  ms >= 10_000 ? formatDuration(ms / 1000) : `${(ms < 10 ? oneDigit : whole).format(ms)} ms`;

/** Two units at most: "45 s", "3 min 20 s", "2 h 5 min". */
export function formatDuration(seconds: number): string {
  const total = Math.max(0, Math.round(seconds));
  if (total < 60) return `${total} s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return total % 60 ? `${minutes} min ${total % 60} s` : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1e6) return `${oneDigit.format(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${oneDigit.format(bytes / 1e6)} MB` : `${oneDigit.format(bytes / 1e9)} GB`;
}

interface Eta {
  seconds: number;
  low: number;
  high: number;
}
export const formatTimeLeft = (eta: Eta): string => `about ${formatDuration(eta.seconds)} left`;

/** " (35 s to 50 s)", or nothing where the range says nothing more. */
export function formatEtaRange(eta: Eta): string {
  const low = formatDuration(eta.low);
  const high = formatDuration(eta.high);
  return low === high ? '' : ` (${low} to ${high})`;
}

/** "about 40 s left (35 s to 50 s)". */
export const formatEta = (eta: Eta): string => `${formatTimeLeft(eta)}${formatEtaRange(eta)}`;

/** Square pixels, or µm² where the side of a pixel is known; nothing while it is not known whether it is. */
export const formatArea = (areaPx: number, pixelSizeUm: number | null | undefined): string =>
  pixelSizeUm === undefined
    ? '…'
    : pixelSizeUm === null
      ? `${whole.format(areaPx)} px²`
      : `${(areaPx * pixelSizeUm ** 2 < 100 ? oneDigit : whole).format(areaPx * pixelSizeUm ** 2)} µm²`;

/** Of an axis, where two units are one too many: "100 ms", "10 s". */
export const formatAxisMs = (ms: number): string =>
  ms < 1000 ? `${oneDigit.format(ms)} ms` : `${oneDigit.format(ms / 1000)} s`;

const signed = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0, signDisplay: 'exceptZero' });
/** "+12 %", of a change as a share. */
export const formatChange = (share: number): string => `${signed.format(share * 100)} %`;
/** "1.08 ×". */
export const formatRatio = (value: number): string => `${twoDigits.format(value)} ×`;
export const formatNumber = (value: number): string => oneDigit.format(value);

const moment = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
/** "2 Mar". */
export const formatDay = (iso: string): string => {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? iso : day.format(at);
};
const clockTime = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
/** "2 Mar 2026, 10:30", in the reader's time zone; the text itself where it is no date. */
export const formatMoment = (iso: string): string => {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? iso : moment.format(at);
};
/** "10:30:05" of seconds since 1970. */
export const formatClock = (seconds: number): string => clockTime.format(seconds * 1000);
