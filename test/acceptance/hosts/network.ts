import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

/** Of the range for benchmarks between networks (RFC 2544): nobody's, and no route leaves the namespaces. */
const NET = '198.18.77';

/**
 * Hosts that see one another by a switch of their own, and nothing else: each a network namespace with one interface and one address.
 * The machine's own network is not part of it. Needs root and iproute2.
 */
export function createNetwork(names: readonly string[]) {
  const id = randomBytes(2).toString('hex');
  const namespace = (name: string) => `sb${id}-${name}`;
  const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });
  const address = (name: string) => `${NET}.${10 + names.indexOf(name)}`;
  const port = (name: string) => `p${names.indexOf(name)}`;
  const made: string[] = [];
  const add = (name: string) => {
    ip('netns', 'add', namespace(name));
    made.push(namespace(name));
    ip('-n', namespace(name), 'link', 'set', 'lo', 'up');
  };
  function close(): void {
    // interfaces go with their namespace
    for (const one of made.splice(0)) ip('netns', 'del', one);
  }
  try {
    add('switch');
    const within = namespace('switch');
    ip('-n', within, 'link', 'add', 'br0', 'type', 'bridge');
    ip('-n', within, 'link', 'set', 'br0', 'up');
    for (const name of names) {
      add(name);
      ip('-n', within, 'link', 'add', port(name), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace(name));
      ip('-n', within, 'link', 'set', port(name), 'master', 'br0', 'up');
      ip('-n', namespace(name), 'addr', 'add', `${address(name)}/24`, 'dev', 'eth0');
      ip('-n', namespace(name), 'link', 'set', 'eth0', 'up');
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    address,
    /** How a program is started on a host. */
    on: (name: string, command: string, args: readonly string[]): [string, string[]] => [
      'ip',
      ['netns', 'exec', namespace(name), command, ...args],
    ],
    /** Takes the cable out, without telling anybody: what is sent is lost. */
    cut: (name: string): void => void ip('-n', namespace('switch'), 'link', 'set', port(name), 'down'),
    mend: (name: string): void => void ip('-n', namespace('switch'), 'link', 'set', port(name), 'up'),
    close,
  };
}
export type Network = ReturnType<typeof createNetwork>;
