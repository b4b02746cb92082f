import type { Forecast } from '../contract/forecasts.ts';
import type { KeptForecast } from './predict.ts';

/** A forecast as others see it. */
export function shown(kept: KeptForecast): Forecast {
  const { workSeconds, ...forecast } = kept;
  void workSeconds;
  return forecast;
}
