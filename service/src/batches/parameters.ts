/** What of a batch's settings changes the polygons. */
export interface SegmentationParameters {
  threshold: number;
  channel: number | null;
  page: number;
  detectHoles: boolean;
}

/**
 * Canonical text of the parameters, part of a result's key: equal settings give equal text. The threshold is rounded to
 * three digits, because it is stored as `real` and 0.1 must find what 0.1 wrote. Example: `t=0.5;c=;p=0;h=1`.
 */
export function parametersText(parameters: SegmentationParameters): string {
  const threshold = Number(parameters.threshold.toFixed(3));
  const holes = parameters.detectHoles ? 1 : 0;
  return `t=${threshold};c=${parameters.channel ?? ''};p=${parameters.page};h=${holes}`;
}
