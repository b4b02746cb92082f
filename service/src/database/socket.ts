import { Socket } from 'node:net';

/** What postgres.js 3.4.9 gives to its option `socket`, as far as it is read here. */
interface Place {
  host: readonly string[];
  port: readonly number[];
  path: string | false;
}

/**
 * A socket for postgres.js 3.4.9 that tells its end in two steps: as an error first, and by `close` two turns of the event loop later.
 *
 * On `close` postgres.js forgets its socket, and only then rejects what ran. A transaction that fails so sends its ROLLBACK to nobody: a TypeError out of
 * a timer, and since its bytes stay behind, that connection never gets through a start again. Each attempt waits for `connect_timeout`, and with it whoever
 * is given that connection, for as long as the process lives (https://github.com/porsager/postgres/issues/1133). So what ran is rejected while there is a
 * socket to write to.
 */
class TellingSocket extends Socket {
  #told = false;
  readonly #closed: () => void;

  constructor(closed: () => void) {
    super();
    this.#closed = closed;
  }
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'close' || this.#told) return super.emit(event, ...(args as []));
    this.#told = true;
    this.#closed();
    // under TLS it is not this socket that postgres.js listens to
    if (this.listenerCount('error') > 0)
      super.emit('error', Object.assign(new Error('the connection was closed'), { code: 'CONNECTION_CLOSED' }));
    // without `hadError`: then what came in between is rejected, too
    setImmediate(() => setImmediate(() => super.emit('close', false)));
    return true;
  }
}

/**
 * Options of postgres.js for one pool: how a connection is made, and how long one waits before it is made again.
 * @param waitSeconds by how many connections ended since PostgreSQL last said something: postgres.js counts those only that it sees end with an error
 */
export function tellingSockets(waitSeconds: (losses: number) => number): object {
  let turn = 0;
  let losses = 0;
  return {
    backoff: () => waitSeconds(losses),
    socket({ host, port, path }: Place): Socket {
      const socket = new TellingSocket(() => losses++);
      socket.once('data', () => (losses = 0));
      const at = turn++ % host.length;
      // postgres.js starts to write at once: a socket keeps that until it is connected
      if (path) return socket.connect(path);
      // where it looks for the name that a certificate must have
      return Object.assign(socket.connect(port[at]!, host[at]), { host: host[at], port: port[at] });
    },
  };
}
