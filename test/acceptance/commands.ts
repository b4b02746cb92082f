import { capture, onPath } from '../../loadtest/src/environment/processes.ts';

interface Where {
  cwd: string;
  env: NodeJS.ProcessEnv;
}

/** By the images that docker-compose.yml and the Dockerfile name. */
const STAND_INS = {
  'node:24-bookworm-slim': 'segbench-base:local',
  'postgres:18': 'segbench-postgres:local',
  'redis:7.4': 'segbench-redis:local',
  'haproxy:2.6-alpine': 'segbench-haproxy:local',
  'prom/prometheus:v2.55.1': 'segbench-prometheus:local',
  // made and never started: there is no Grafana to be had
  'grafana/grafana:11.6.0': 'segbench-prometheus:local',
};

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
  /** Gives images that are not here the name of their stand-in. @returns which neither is, in one sentence */
  const withoutStandIns = async (): Promise<string | undefined> => {
    for (const [name, local] of Object.entries(STAND_INS)) {
      if ((await succeeds('image', 'inspect', name)) || (await succeeds('tag', local, name))) continue;
      return `no image ${name}, and no ${local}: test/images/make.sh makes it`;
    }
    return undefined;
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
  return { run, docker, succeeds, withoutDocker, withoutStandIns, containersOf, leftOf };
}
