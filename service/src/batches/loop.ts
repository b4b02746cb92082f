export interface Loop {
  /** Runs soon: `gatherMs` from now, or at once where that is 0. */
  wake(): void;
  /** Ends the loop and resolves when the step that runs now is done. */
  stop(): Promise<void>;
}

/**
 * Runs `step` again and again: `everyMs` after the last one, sooner when woken, at once when it says there is more to do. A step
 * that fails is reported and tried again after `everyMs`.
 */
export function startLoop(options: {
  everyMs: number;
  /** How long a wake waits for company. */
  gatherMs?: number;
  step(): Promise<boolean | void>;
  onError(error: unknown): void;
}): Loop {
  const { gatherMs = 0 } = options;
  let stopped = false;
  let woken = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  async function run(): Promise<void> {
    woken = false;
    let more = false;
    try {
      more = (await options.step()) === true;
    } catch (error) {
      if (!stopped) options.onError(error);
    }
    running = undefined;
    if (stopped) return;
    if (more) schedule(0);
    else schedule(woken ? gatherMs : options.everyMs);
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
