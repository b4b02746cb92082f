import { EnvironmentError } from './errors.ts';
import type { Environment, EnvironmentOptions } from './types.ts';

export { EnvironmentError } from './errors.ts';
export type * from './types.ts';
export { ENVIRONMENT_KINDS } from './types.ts';

export function startEnvironment(_options: EnvironmentOptions): Promise<Environment> {
  return Promise.reject(new EnvironmentError('embedded: not yet written'));
}
