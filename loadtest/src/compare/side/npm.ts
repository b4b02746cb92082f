import { inherited } from '../../../../service/src/supervise.ts';
import { EnvironmentError } from '../../environment/errors.ts';
import { onPath } from '../../environment/processes.ts';

/** Where `npm run` puts the programs of the clone that it runs in: another clone's come first under its own. */
const OWN_PROGRAMS = /(^|\/)node_modules\/\.bin$/;

/** This process' environment as it was before npm started us, and without settings of the service. */
export function outerEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const isNpms = (name: string): boolean => /^npm_(?!config_(cache|registry|userconfig)$)/.test(name);
  const left = Object.entries(inherited(env)).filter(([name]) => !isNpms(name) && name !== 'NODE_ENV');
  const path = (env['PATH'] ?? '').split(':').filter((dir) => !OWN_PROGRAMS.test(dir));
  return { ...Object.fromEntries(left), PATH: path.join(':') };
}

/** `npm start -- …`, the one command by which every commit can be started. */
export function startCommand(args: readonly string[]): { command: string; args: string[] } {
  const npm = onPath('npm', outerEnvironment());
  if (npm === undefined) throw new EnvironmentError('npm is not on PATH: both sides are started by npm start');
  return { command: npm, args: ['start', '--', ...args] };
}
