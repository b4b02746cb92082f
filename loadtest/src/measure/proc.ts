import { readFileSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Linux' USER_HZ: fixed at 100 for user space on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

export interface ProcStat {
  /** User and system time of the process itself. */
  cpuSeconds: number;
  /** The same of its children that ended and were waited for. */
  reapedCpuSeconds: number;
}

/** Parses `/proc/<pid>/stat`; the command may contain spaces and brackets, so fields count from its last `)`. */
export function parseStat(text: string): ProcStat {
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = (index: number) => (fields[index] ?? 0) / TICKS_PER_SECOND;
  return { cpuSeconds: ticks(11) + ticks(12), reapedCpuSeconds: ticks(13) + ticks(14) };
}

/** One `Name: n kB` line of a `/proc` text, in bytes. */
export function kilobytesLine(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text);
  return match ? Number(match[1]) * 1024 : 0;
}

/** At once: the kernel answers from memory, and a promise for each of a process's threads costs six times the CPU. */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process ended between listing and reading.
    return null;
  }
}

export interface ProcReading extends ProcStat {
  pid: number;
  command: string;
  rssBytes: number;
  /** Resident and of no file: what a leak is made of. Pages of files come and go as the kernel likes. */
  anonymousBytes: number;
  /** The kernel's own high-water mark: no peak between two samples escapes it. */
  peakRssBytes: number;
}

export function readProcess(pid: number): ProcReading | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  const status = readOrNull(`/proc/${pid}/status`);
  if (stat === null || status === null) return null;
  return {
    pid,
    command: /^Name:\s+(.*)$/m.exec(status)?.[1] ?? '',
    ...parseStat(stat),
    rssBytes: kilobytesLine(status, 'VmRSS'),
    anonymousBytes: kilobytesLine(status, 'RssAnon'),
    peakRssBytes: kilobytesLine(status, 'VmHWM'),
  };
}

/** Proportional set size, in bytes: shared pages count by their share. 0 when the process is gone. */
export async function readPss(pid: number): Promise<number> {
  // The kernel walks all pages for it: not on this thread.
  return kilobytesLine(await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => ''), 'Pss');
}

/** All descendants' pids, through `/proc/<pid>/task/<tid>/children`. */
export function descendants(pid: number): number[] {
  let tasks: string[];
  try {
    tasks = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const lists = tasks.map((task) => readOrNull(`/proc/${pid}/task/${task}/children`));
  const children = lists.flatMap((list) => (list ?? '').split(' ').filter(Boolean).map(Number));
  return [...children, ...children.flatMap(descendants)];
}
