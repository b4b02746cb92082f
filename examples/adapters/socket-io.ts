import { WebSocket } from 'ws';

/** Engine.IO 4 packets, and Socket.IO 5 packets inside its messages, as far as a listener needs them. */
const ENGINE = { open: '0', ping: '2', pong: '3', message: '4' } as const;
const SOCKET = { connect: '0', disconnect: '1', event: '2', connectError: '4' } as const;
const AGAIN_MS = 500;
const STANDS_WITHIN_MS = 10_000;

export interface Listener {
  /** Resolves when the first connection stands; rejects when the server refuses it. */
  first: Promise<void>;
  close(): void;
}

/**
 * Listens to a Socket.IO server's default namespace by WebSocket, and comes back whenever the connection ends. A server that
 * falls silent for longer than it promised to ping is left.
 * @param url http: or ws: @param headers such as `cookie`, asked for anew with each connection
 */
export function listenTo(given: {
  url: string;
  headers: () => Record<string, string>;
  onConnect: (connection: number) => void;
  onEvent: (name: string, data: unknown, connection: number) => void;
}): Listener {
  const address = new URL(given.url.replace(/^http/, 'ws'));
  address.pathname = '/socket.io/';
  address.search = 'EIO=4&transport=websocket';
  const first = Promise.withResolvers<void>();
  let socket: WebSocket | undefined;
  let again: NodeJS.Timeout | undefined;
  let silence: NodeJS.Timeout | undefined;
  let connections = 0;
  let closed = false;

  function connect(): void {
    const opened = new WebSocket(address, { headers: given.headers(), handshakeTimeout: STANDS_WITHIN_MS });
    let silentMs = STANDS_WITHIN_MS;
    socket = opened;
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => opened.terminate(), silentMs);
    };
    hear();
    opened.on('message', (data: Buffer) => {
      const text = data.toString();
      const type = text[0];
      if (type === ENGINE.open) {
        const { pingInterval = 25_000, pingTimeout = 20_000 } = JSON.parse(text.slice(1)) as Record<string, number>;
        silentMs = pingInterval + pingTimeout;
        opened.send(ENGINE.message + SOCKET.connect);
      } else if (type === ENGINE.ping) opened.send(ENGINE.pong);
      else if (type === ENGINE.message) onPacket(text.slice(1), opened);
      hear();
    });
    opened.on('error', (error) => connections === 0 && first.reject(error));
    opened.on('close', () => {
      clearTimeout(silence);
      if (!closed && connections > 0) again = setTimeout(connect, AGAIN_MS);
    });
  }
  function onPacket(packet: string, opened: WebSocket): void {
    const type = packet[0];
    if (type === SOCKET.connect) {
      given.onConnect(++connections);
      first.resolve();
    } else if (type === SOCKET.connectError) {
      first.reject(new Error(`${address.origin} refused the socket: ${packet.slice(1)}`));
      opened.terminate();
    } else if (type === SOCKET.disconnect) opened.terminate();
    else if (type === SOCKET.event) {
      const [name, data] = JSON.parse(packet.slice(1)) as [string, unknown];
      given.onEvent(name, data, connections);
    }
  }
  connect();
  return {
    first: first.promise,
    close() {
      closed = true;
      clearTimeout(again);
      clearTimeout(silence);
      socket?.terminate();
    },
  };
}
