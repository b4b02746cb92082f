/** The command line asks for something that does not exist. `message` names the flag, its value and what is allowed; exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError';
}
