import { startLoop } from '../batches/loop.ts';
import { NotYet } from '../inference/failure.ts';
import { loadModelCard, readWeights, type Model } from '../inference/model.ts';
import type { InferenceBackend } from '../inference/pool/backend.ts';
import { textOf, type Log } from './role.ts';

export interface ModelWatchOptions {
  modelsDir: string;
  /** What runs now. */
  model: Model;
  everyMs: number;
  backend: Pick<InferenceBackend, 'reload'>;
  onChange: (model: Model) => void;
  log: Log;
}

/**
 * Looks for a newer version of the model and brings the workers to it, one after the other. Its weights are checked before any
 * worker is touched, and a version that no worker could load is not tried again.
 */
export function watchModel({ modelsDir, model, everyMs, backend, onChange, log }: ModelWatchOptions) {
  let current = model;
  let said = '';
  const refused = new Set<string>();
  const say = (message: string) => {
    if (message !== said) log('warn', message);
    said = message;
  };
  return startLoop({
    everyMs,
    async step() {
      const latest = await loadModelCard(modelsDir, model.name);
      if (latest.version === current.version || refused.has(latest.version)) return;
      await readWeights(latest.dir, latest.card);
      try {
        await backend.reload(latest.dir);
      } catch (error) {
        if (!(error instanceof NotYet)) refused.add(latest.version);
        throw error;
      }
      current = latest;
      log('info', `the workers run ${latest.name} ${latest.version}`);
      onChange(latest);
    },
    onError: (error) => say(`a newer version of ${model.name} is not taken: ${textOf(error)}`),
  });
}
