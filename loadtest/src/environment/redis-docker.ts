import { imageNames } from './containers/images.ts';
import { capture, onPath } from './processes.ts';
import type { FindOptions, RedisProgram } from './redis-program.ts';

/**
 * Redis in a container, for machines without a package of it. The client stays attached: its end is the server's end, and
 * `--rm` leaves no container; `remove` is for clients that were killed.
 */
export async function dockerRedis({ env, log, signal }: FindOptions): Promise<RedisProgram | string> {
  const command = onPath('docker', env);
  if (!command) return 'no docker';
  const image = imageNames(env).redis;
  const options = { env, signal };
  const server = await capture(command, ['version', '--format', '{{.Server.Version}}'], options);
  if (server.code !== 0) return `docker does not answer (${server.stderr.trim().split('\n')[0]})`;
  if ((await capture(command, ['image', 'inspect', image], options)).code !== 0) {
    log(`pulling the Docker image ${image}`);
    const pull = await capture(command, ['pull', '-q', image], options);
    if (pull.code !== 0) return `docker pull ${image} fails (${pull.stderr.trim().split('\n').at(-1)})`;
  }
  const about = await capture(command, ['run', '--rm', image, 'redis-server', '--version'], options);
  const version = about.stdout.match(/v=(\d+(\.\d+)*)/)?.[1];
  if (!version) return `docker run ${image} fails (${about.stderr.trim().split('\n').at(-1)})`;
  return {
    source: 'docker',
    version,
    command,
    env: {},
    native: false,
    args: ({ port, dir, name }) => {
      const publish = ['-p', `127.0.0.1:${port}:6379`, '-v', `${dir}:/data`];
      // As ourselves, so that what it writes into our folder can be removed again.
      const user = process.getuid && process.getgid ? ['--user', `${process.getuid()}:${process.getgid()}`] : [];
      return ['run', '--rm', '-i', '--init', '--name', name, ...user, ...publish, image, 'redis-server', '-'];
    },
    remove: async (name) => {
      await capture(command, ['rm', '-f', name], { env }).catch(() => {});
    },
  };
}
