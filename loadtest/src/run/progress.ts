export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}
export interface Progress {
  /** Ends the phase before, and begins one; `total` gives the bar its end. */
  phase(name: string, total?: number): void;
  update(done: number): void;
  line(text: string): void;
  /** Ends the phase that is open; `note` is what came of it. */
  done(note?: string): void;
  close(): void;
}

const HEARTBEAT_MS = 10_000;
const REDRAW_MS = 200;
const seconds = (ms: number) => (ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`);

/** `upload [####----] 480/1000 · 96/s · ETA 5.4 s`; without a total only the name and the time. Pure. */
export function describe(phase: { name: string; total?: number; done: number; elapsedMs: number }, bar = 0): string {
  const { name, total, done, elapsedMs } = phase;
  if (!total) return `${name} · ${seconds(elapsedMs)}`;
  const rate = elapsedMs > 0 ? (done / elapsedMs) * 1000 : 0;
  const eta = rate > 0 && done < total ? ` · ETA ${seconds(((total - done) / rate) * 1000)}` : '';
  const filled = Math.round((done / total) * bar);
  const drawn = bar > 0 ? ` [${'#'.repeat(filled)}${'-'.repeat(bar - filled)}]` : '';
  return `${name}${drawn} ${done}/${total} · ${rate < 10 ? rate.toFixed(1) : Math.round(rate)}/s${eta} · ${seconds(elapsedMs)}`;
}

/** Progress on a terminal is one line that redraws; elsewhere a line a phase and a heartbeat every 10 s. */
export function createProgress(stream: ProgressStream, now: () => number = Date.now): Progress {
  const live = stream.isTTY === true;
  let current: { name: string; total?: number; done: number; startedAt: number } | undefined;
  const text = (bar: number) =>
    current ? describe({ ...current, elapsedMs: now() - current.startedAt }, bar) : undefined;
  const clear = () => live && stream.write('\r\u001b[2K');
  const draw = () => {
    const line = text(20);
    if (line === undefined) return;
    clear();
    // A terminal that does not know its size says 0.
    stream.write(line.slice(0, (stream.columns || 80) - 1));
  };
  const timer = setInterval(
    () => {
      if (!current) return;
      if (live) draw();
      else stream.write(`  … ${text(0)}\n`);
    },
    live ? REDRAW_MS : HEARTBEAT_MS,
  );
  timer.unref();
  const progress: Progress = {
    phase(name, total) {
      progress.done();
      current = { name, total, done: 0, startedAt: now() };
      if (live) draw();
    },
    update(done) {
      if (current) current.done = done;
    },
    line(message) {
      clear();
      stream.write(`${message}\n`);
      if (live) draw();
    },
    done(note) {
      if (!current) return;
      const { name, startedAt } = current;
      current = undefined;
      clear();
      stream.write(`${name}: ${seconds(now() - startedAt)}${note ? ` · ${note}` : ''}\n`);
    },
    close() {
      progress.done('stopped');
      clearInterval(timer);
    },
  };
  return progress;
}
