import { EXIT } from './exit.ts';

export type InterruptSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

const SIGNALS: readonly InterruptSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** One Ctrl-C arrives from the terminal, from npm and from the launcher: within this time they are one. */
const SAME_MS = 1000;

export interface Interrupts {
  /** Aborted with the first signal's name as reason. */
  signal: AbortSignal;
  /** The first signal, or undefined while none has come. */
  received: () => InterruptSignal | undefined;
  /** Stops listening, so that the process can end. */
  release(): void;
}

/** The parts of `process` that interrupts come from. */
export interface InterruptSource {
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  off(event: string, listener: (...args: unknown[]) => void): unknown;
  exit(code: number): void;
  connected?: boolean | undefined;
  disconnect?: (() => void) | undefined;
}

function signalOf(message: unknown): InterruptSignal | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message) || message.type !== 'signal')
    return undefined;
  return 'signal' in message ? SIGNALS.find((name) => name === message.signal) : undefined;
}

/**
 * Signals from the terminal, and from the launcher over IPC; a launcher that is gone counts as a hang-up. A second signal, more
 * than a second after the first, ends the process at once: the keeper then removes what is left.
 */
export function listenForInterrupts(source: InterruptSource = process, now: () => number = Date.now): Interrupts {
  const controller = new AbortController();
  let first: { name: InterruptSignal; at: number } | undefined;
  const receive = (name: InterruptSignal) => {
    if (!first) {
      first = { name, at: now() };
      controller.abort(new DOMException(`interrupted by ${name}`, 'AbortError'));
    } else if (now() - first.at > SAME_MS && name !== 'SIGHUP') source.exit(EXIT.interrupted);
  };
  const listeners = SIGNALS.map((name) => [name, () => receive(name)] as const);
  for (const [name, listener] of listeners) source.on(name, listener);
  const onMessage = (message: unknown) => {
    const name = signalOf(message);
    if (name) receive(name);
  };
  const onDisconnect = () => receive('SIGHUP');
  source.on('message', onMessage);
  source.on('disconnect', onDisconnect);
  return {
    signal: controller.signal,
    received: () => first?.name,
    release() {
      for (const [name, listener] of listeners) source.off(name, listener);
      source.off('message', onMessage);
      source.off('disconnect', onDisconnect);
      if (source.connected) source.disconnect?.();
    },
  };
}
