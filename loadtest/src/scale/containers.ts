/** One container of the project, as the engine describes it. */
export interface Container {
  id: string;
  name: string;
  service: string;
  /** Which of its service's: 1 for the first. */
  number: number;
  /** Id of the image that it was made from. */
  image: string;
  state: string;
  /** Absent where the service has no health check. */
  health?: string;
  exitCode: number;
  memoryLimitBytes: number;
}

/** The parts of `docker inspect` that are read here. */
export interface Inspected {
  Id: string;
  Name: string;
  Image: string;
  Config: { Labels: Record<string, string> };
  HostConfig: { Memory: number };
  State: { Status: string; ExitCode: number; Health?: { Status: string } };
}

export function toContainer({ Id, Name, Image, Config, HostConfig, State }: Inspected): Container {
  return {
    id: Id,
    name: Name.replace(/^\//, ''),
    service: Config.Labels['com.docker.compose.service'] ?? '',
    number: Number(Config.Labels['com.docker.compose.container-number'] ?? 0),
    image: Image,
    state: State.Status,
    ...(State.Health ? { health: State.Health.Status } : {}),
    exitCode: State.ExitCode,
    memoryLimitBytes: HostConfig.Memory,
  };
}

export const isUp = ({ state }: Container): boolean => state === 'running' || state === 'restarting';
/** Can do its work: its health check said so, or it has none and runs. */
export const isHealthy = ({ state, health }: Container): boolean =>
  state === 'running' && (health === undefined || health === 'healthy');

export const ofService = (all: readonly Container[], service: string): Container[] =>
  all.filter((one) => one.service === service).sort((a, b) => a.number - b.number);
