import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { listenForInterrupts } from '../../src/cli/interrupt.ts';

function fakeProcess() {
  const exits: number[] = [];
  const source = Object.assign(new EventEmitter(), {
    connected: true,
    disconnect: () => (source.connected = false),
    exit: (code: number) => void exits.push(code),
  });
  return { source, exits };
}

describe('listenForInterrupts', () => {
  it('aborts with the first signal', () => {
    const { source } = fakeProcess();
    const interrupts = listenForInterrupts(source);
    expect(interrupts.received()).toBeUndefined();
    source.emit('SIGTERM');
    source.emit('SIGINT');
    expect(interrupts.signal.aborted).toBe(true);
    expect(interrupts.received()).toBe('SIGTERM');
  });

  it('takes the launcher’s word for a signal, and nothing else', () => {
    const { source } = fakeProcess();
    const interrupts = listenForInterrupts(source);
    for (const message of [null, 'SIGINT', { type: 'signal', signal: 'SIGKILL' }]) source.emit('message', message);
    expect(interrupts.received()).toBeUndefined();
    source.emit('message', { type: 'signal', signal: 'SIGINT' });
    expect(interrupts.received()).toBe('SIGINT');
  });

  it('hangs up when the launcher is gone', () => {
    const { source } = fakeProcess();
    const interrupts = listenForInterrupts(source);
    source.emit('disconnect');
    expect(interrupts.received()).toBe('SIGHUP');
  });

  it('counts one Ctrl-C once when it comes from terminal, npm and launcher', () => {
    const { source, exits } = fakeProcess();
    let nowMs = 0;
    listenForInterrupts(source, () => nowMs);
    source.emit('SIGINT');
    nowMs = 900;
    source.emit('SIGINT');
    source.emit('message', { type: 'signal', signal: 'SIGINT' });
    expect(exits).toEqual([]);
  });

  it('ends at once when a second Ctrl-C follows later', () => {
    const { source, exits } = fakeProcess();
    let nowMs = 0;
    listenForInterrupts(source, () => nowMs);
    source.emit('SIGINT');
    nowMs = 1500;
    source.emit('SIGINT');
    expect(exits).toEqual([130]);
  });

  it('listens no more and lets the launcher go when released', () => {
    const { source } = fakeProcess();
    listenForInterrupts(source).release();
    expect(source.connected).toBe(false);
    expect(source.eventNames()).toEqual([]);
  });
});
