import { capture, onPath } from '../../loadtest/src/environment/processes.ts';

interface Where {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** Commands in a folder and an environment, and Docker's among them. */
export function createCommands(where: Where) {
  /** Runs to its end. @returns what it printed @throws Error with the end of what it said */
  const run = async (command: string, args: readonly string[], more: Partial<Where> = {}): Promise<string> => {
    const { code, stdout, stderr } = await capture(command, [...args], { ...where, ...more });
    if (code !== 0)
      throw new Error(`${command} ${args.join(' ')}: code ${code}\n${`${stdout}\n${stderr}`.slice(-2500)}`);
    return stdout;
  };
  const succeeds = async (...args: string[]): Promise<boolean> => (await capture('docker', args, where)).code === 0;
  const docker = (...args: string[]) => run('docker', args);
  /** What keeps Docker from being used, in one sentence. */
  const withoutDocker = async (): Promise<string | undefined> => {
    if (!onPath('docker')) return 'no docker: apt-get install docker.io docker-compose';
    const { code, stderr } = await capture('docker', ['version'], where);
    return code === 0 ? undefined : `no Docker engine answers: ${stderr.trim().split('\n').at(-1)}`;
  };
  /** Ids of the containers that run for a service of a composed project; in another form by Docker's template. */
  const containersOf = async (project: string, service: string, format = '{{.ID}}'): Promise<string[]> => {
    const filters = Object.entries({ project, service }).flatMap(([name, value]) => [
      '--filter',
      `label=com.docker.compose.${name}=${value}`,
    ]);
    return (await docker('ps', ...filters, '--format', format)).split('\n').filter(Boolean);
  };
  /** Containers and volumes of a composed project, whether they run or not; empty where none is left. */
  const leftOf = async (project: string): Promise<string> => {
    const label = `label=com.docker.compose.project=${project}`;
    const containers = await docker('ps', '-aq', '--filter', label);
    return `${containers} ${await docker('volume', 'ls', '-q', '--filter', label)}`.trim();
  };
  return { run, docker, succeeds, withoutDocker, containersOf, leftOf };
}
