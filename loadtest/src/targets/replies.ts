/** What an adapter gives, held against the interface: null, or what is wrong with it in words that follow the function's name. */
import type { TargetFile } from './target.ts';

const STATUSES = ['uploaded', 'queued', 'processing', 'completed', 'failed', 'unknown'];
const EVENT_STATUSES = STATUSES.slice(0, -1);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 200);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isOptional = (value: unknown, type: 'number' | 'string'): boolean =>
  value === undefined || (typeof value === type && (type === 'string' || Number.isFinite(value)));

export function checkAbout(reply: unknown): string | null {
  if (isRecord(reply) && isText(reply['name']) && isText(reply['address'])) {
    const { workers } = reply;
    if (workers === undefined || (Number.isInteger(workers) && (workers as number) > 0)) return null;
  }
  return `gave ${shown(reply)}, expected {name, address, version?, workers?}`;
}

export function checkUploads(reply: unknown, files: readonly Pick<TargetFile, 'name'>[]): string | null {
  if (!Array.isArray(reply)) return `gave ${shown(reply)}, expected a list with an answer for each file`;
  const left = new Set(files.map(({ name }) => name));
  for (const answer of reply as unknown[]) {
    if (!isRecord(answer) || !(isText(answer['imageId']) || isText(answer['rejected'])))
      return `gave ${shown(answer)}, expected {name, imageId} or {name, rejected}`;
    if (!left.delete(String(answer['name'])))
      return `answered for ${shown(answer['name'])}, which was not sent with this call, or twice`;
  }
  return left.size === 0 ? null : `gave no answer for ${[...left].slice(0, 3).join(', ')} (${left.size} files)`;
}

export function checkResults(reply: unknown, ids: readonly string[]): string | null {
  if (!Array.isArray(reply)) return `gave ${shown(reply)}, expected a list with the state of each image`;
  const left = new Set(ids);
  for (const state of reply as unknown[]) {
    if (!isRecord(state) || !STATUSES.includes(String(state['status'])) || typeof state['result'] !== 'boolean')
      return `gave ${shown(state)}, expected {imageId, status: ${STATUSES.join(' | ')}, result: true | false}`;
    if (!isOptional(state['endedAt'], 'number')) return `gave endedAt ${shown(state['endedAt'])}, expected epoch ms`;
    const stages = state['stages'] ?? {};
    if (!isRecord(stages) || !Object.values(stages).every((ms) => typeof ms === 'number' && Number.isFinite(ms)))
      return `gave the stages ${shown(stages)}, expected milliseconds by name`;
    if (!left.delete(String(state['imageId'])))
      return `gave the state of ${shown(state['imageId'])}, which was not asked for, or twice`;
  }
  return left.size === 0 ? null : `gave no state of ${[...left].slice(0, 3).join(', ')} (${left.size} images)`;
}

export function checkProcesses(reply: unknown): string | null {
  const isPid = (pid: unknown): boolean => Number.isInteger(pid) && (pid as number) > 1;
  return Array.isArray(reply) && reply.every(isPid) ? null : `gave ${shown(reply)}, expected a list of process ids`;
}

export function checkEvent(event: unknown): string | null {
  const expected = `expected {imageId, status: ${EVENT_STATUSES.join(' | ')}, at?, sequence?, stream?, connection?, code?}`;
  if (!isRecord(event) || !isText(event['imageId']) || !EVENT_STATUSES.includes(String(event['status'])))
    return `handed over ${shown(event)}, ${expected}`;
  const numbers = ['at', 'sequence', 'connection'].every((name) => isOptional(event[name], 'number'));
  const texts = ['stream', 'code'].every((name) => isOptional(event[name], 'string'));
  return numbers && texts ? null : `handed over ${shown(event)}, ${expected}`;
}
