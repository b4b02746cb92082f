export interface Loop {
  /** Runs soon: `gatherMs` from now, or at once where that is 0. */
  wake(): void;
  /** Ends the loop and resolves when the step that runs now is done. */
  stop(): Promise<void>;
}

/**
 * Runs `step` again and again: `everyMs` after the last one, sooner when woken, at once when it says there is more to do, or after
 * the milliseconds that it answers. A step that fails is reported and tried again after `everyMs`.
 */
export function startLoop(options: {
  everyMs: number;
  /** How long a wake waits for company. */
  gatherMs?: number;
  step(): Promise<boolean | number | void>;
  onError(error: unknown): void;
}): Loop {
  const { gatherMs = 0 } = options;
  let stopped = false;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    woken = false;
    let nextMs = options.everyMs;
    try {
      const answer = await options.step();
      if (typeof answer === 'number') nextMs = answer;
      else if (answer === true) nextMs = 0;
    } catch (error) {
      if (!stopped) options.onError(error);
    }
    running = undefined;
    if (stopped) return;
    schedule(woken && nextMs > 0 ? gatherMs : nextMs);
  }
  function schedule(delayMs: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      running = run();
    }, delayMs);
  }
  schedule(0);
  return {
    wake() {
      if (stopped || woken) return;
      woken = true;
      if (running === undefined) schedule(gatherMs);
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
