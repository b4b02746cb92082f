import type { HubSocket } from '../../src/events/client.ts';

/** A socket of no network: it keeps what is sent, and takes nothing off its buffer. `emit` says what `ws` would. */
export function stuckSocket() {
  const listeners = new Map<string, (() => void)[]>();
  const socket = {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    closedWith: null as number | null,
    sent: [] as string[],
    send(text: string) {
      socket.bufferedAmount += text.length;
      socket.sent.push(text);
    },
    ping() {},
    close(code: number) {
      socket.closedWith = code;
      socket.readyState = 2;
    },
    on(event: string, listener: () => void) {
      listeners.set(event, [...(listeners.get(event) ?? []), listener]);
    },
    emit(event: 'close' | 'pong' | 'error') {
      if (event === 'close') socket.readyState = 3;
      listeners.get(event)?.forEach((listener) => listener());
    },
  };
  return socket satisfies HubSocket;
}
