import { readFileSync } from 'node:fs';

const EVERY_MS = 500;
const SHELL = /^(sh|bash|dash|zsh|ash|busybox)$/;

/** @param {number} pid @returns {{ name: string, parent: number } | undefined} */
function about(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const end = stat.lastIndexOf(')');
    return { name: stat.slice(stat.indexOf('(') + 1, end), parent: Number(stat.slice(end + 2).split(' ')[1]) };
  } catch {
    return undefined;
  }
}

/** Who our life hangs on: our parent, and npm above it where npm started us through a shell. */
function ancestors() {
  const parent = process.ppid;
  const shell = about(parent);
  const npm = shell && SHELL.test(shell.name) ? shell.parent : undefined;
  return `${parent} ${npm ?? ''}`;
}

/**
 * Calls `gone` once npm, which started this process, is gone: killed by -9 it can tell nobody. Does nothing where npm did not
 * start it: then a parent that ends may just have put it into the background.
 * @param {() => void} gone
 */
export function watchAncestors(gone) {
  if (!process.env.npm_lifecycle_event) return;
  const first = ancestors();
  const timer = setInterval(() => {
    if (ancestors() === first) return;
    clearInterval(timer);
    gone();
  }, EVERY_MS);
  timer.unref();
}
