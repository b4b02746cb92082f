import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InferenceFailure } from '../../../src/inference/pool/backend.ts';
import { until } from '../../batches/fixture.ts';
import { executed, scriptedPool } from './scripted.ts';

const never = () => new Promise<undefined>(() => {});
const gate = () => {
  let open = () => {};
  const opened = new Promise<undefined>((resolve) => (open = () => resolve(undefined)));
  return { opened, open: () => open() };
};

describe('batches', () => {
  it('run at once on idle workers, and together behind busy ones', async () => {
    const { opened, open } = gate();
    const { outcomes, log, pool } = scriptedPool(() => opened, { maxBatch: 4, executors: 2 });
    const all = outcomes('abcdefg');
    expect(log).toEqual(['e0 a', 'e1 b']);
    expect(pool.stats()).toMatchObject({ queued: 5, running: 2 });
    open();
    expect(await all).toEqual([1, 1, 4, 4, 4, 4, 1]);
    expect(log.slice(2)).toEqual(['e0 cdef', 'e1 g']);
    const flushes = { size: 1, idle: 3, delay: 0, deadline: 0 };
    expect(pool.stats().batches).toMatchObject({ executions: 4, inferences: 7, meanBatch: 7 / 4, flushes });
  });

  it('wait beside an idle worker for company, as long as they were told to and no longer', async () => {
    const { pool, infer, outcomes, log } = scriptedPool(undefined, { maxBatch: 4, maxDelayMs: 20 });
    const all = outcomes('abcde');
    // Four are a batch; the fifth has time.
    expect(log).toEqual(['e0 abcd']);
    expect(await all).toEqual([4, 4, 4, 4, 1]);
    await infer('f');
    expect(log.slice(1)).toEqual(['e0 e', 'e0 f']);
    expect(pool.stats().batches.flushes).toEqual({ size: 1, idle: 0, delay: 2, deadline: 0 });
  });

  it('do not wait for company until they are late', async () => {
    const { pool, infer } = scriptedPool(undefined, {
      maxBatch: 4,
      maxDelayMs: 60_000,
      queueTimeoutMs: 30_000,
      time: { fixed: 29_980, each: 0 },
    });
    await infer('a');
    expect(pool.stats().batches.flushes).toEqual({ size: 0, idle: 0, delay: 0, deadline: 1 });
  });

  it('never mix models, and put the urgent first', async () => {
    const { opened, open } = gate();
    const { infer, log } = scriptedPool(() => opened, { maxBatch: 4 });
    const all = [
      infer('a'),
      infer('b', { modelDir: '/model/2' }),
      infer('c'),
      infer('d', { modelDir: '/model/2' }),
      infer('e', { priority: 5 }),
    ];
    open();
    await Promise.all(all);
    expect(log).toEqual(['e0 a', 'e0 ec', 'e0 bd']);
  });

  it('are tried apart when they fail as a whole: only the image that is to blame fails', async () => {
    const { outcomes, log } = scriptedPool(
      (ids) => {
        if (ids.includes('c')) throw new InferenceFailure('CRASHED', 'died', { crashed: true });
        return undefined;
      },
      { maxBatch: 4 },
    );
    expect(await outcomes('abcde')).toEqual([1, 1, 'CRASHED', 1, 1]);
    expect(log).toEqual(['e0 a', 'e0 bcde', 'e0 b', 'e0 c', 'e0 d', 'e0 e']);
  });

  it('answer each image by its own result', async () => {
    const bad = new InferenceFailure('INVALID_IMAGE', 'not a picture');
    const { opened, open } = gate();
    const { outcomes } = scriptedPool(
      async (ids) => {
        await opened;
        return ids.map((id) => (id === 'c' ? bad : executed('e')));
      },
      { maxBatch: 4 },
    );
    const all = outcomes('abcd');
    open();
    expect(await all).toEqual([1, 3, 'INVALID_IMAGE', 3]);
  });
});

describe('memory', () => {
  const short = (most: number) => (ids: string[]) => {
    if (ids.length > most) throw new InferenceFailure('OUT_OF_MEMORY', 'no more');
    return undefined;
  };
  it('that is short halves the batch, and the halves run', async () => {
    const { outcomes, log } = scriptedPool(short(2), { maxBatch: 4 });
    expect(await outcomes('abcde')).toEqual([1, 2, 2, 2, 2]);
    expect(log).toEqual(['e0 a', 'e0 bcde', 'e0 bc', 'e0 de']);
  });

  it('that is short again starts the worker anew and runs each alone, once', async () => {
    const { outcomes, log } = scriptedPool(
      (ids) => {
        if (ids.length > 1 || ids[0] === 'd') throw new InferenceFailure('OUT_OF_MEMORY', 'no more');
        return undefined;
      },
      { maxBatch: 4 },
    );
    expect(await outcomes('abcde')).toEqual([1, 1, 1, 'OUT_OF_MEMORY', 1]);
    expect(log.filter((line) => line.endsWith('anew'))).toHaveLength(2);
    expect(log.filter((line) => line === 'e0 d')).toHaveLength(1);
  });

  it('that is short for a half of eight as well leaves no quarter of them together', async () => {
    const { outcomes, log } = scriptedPool(short(3), { maxBatch: 8 });
    expect(await outcomes('abcdefghi')).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const runs = log.filter((line) => !line.endsWith('anew'));
    expect(runs.slice(0, 3)).toEqual(['e0 a', 'e0 bcdefghi', 'e0 bcde']);
    expect(runs.slice(3)).toEqual(['e0 b', 'e0 c', 'e0 d', 'e0 e', 'e0 fghi', 'e0 f', 'e0 g', 'e0 h', 'e0 i']);
    expect(log.indexOf('e0 anew')).toBe(3);
  });

  it('that is short for one image gives it one new worker, then up', async () => {
    const { outcomes, log } = scriptedPool(short(0));
    expect(await outcomes('a')).toEqual(['OUT_OF_MEMORY']);
    expect(log).toEqual(['e0 a', 'e0 anew', 'e0 a']);
  });

  it('is measured at the start, and batches and images that it cannot bear are not tried', async () => {
    const at = (images: number, side: number) => ({
      images,
      pixels: side * side,
      ms: 5 + (images * side * side) / 1e4,
      peakBytes: 1e8 + 1000 * images * side * side,
    });
    const { opened, open } = gate();
    const { pool, infer, log } = scriptedPool(() => opened, {
      maxBatch: 8,
      memoryBytes: 1e8 + 4.5 * 1024 * 256 * 256,
      measured: [at(1, 256), at(1, 512), at(8, 256)],
    });
    await pool.load();
    expect(pool.stats().time!.fixed).toBeCloseTo(5);
    expect(pool.stats().time!.each).toBeCloseTo(1e-4);
    expect(pool.stats().memory!.fixed).toBeCloseTo(1e8, -3);
    expect(pool.stats().memory!.each).toBeCloseTo(1000);
    const all = 'abcdefg'.split('').map((id) => infer(id));
    await expect(infer('x', { width: 1024, height: 1024 })).rejects.toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: 'an image of 1024x1024 does not fit into the memory of a worker',
    });
    open();
    await Promise.all(all);
    expect(log).toEqual(['e0 a', 'e0 bcde', 'e0 fg']);
    expect(pool.stats().batches).toMatchObject({ fill: 7 / 12, rejects: { 'too-large': 1 } });
  });
});

describe('waiting', () => {
  it('has a bound, and what is over is refused at once', async () => {
    const { infer, pool } = scriptedPool(never, { maxQueue: 2 });
    const waiting = ['a', 'b', 'c'].map((id) => infer(id).catch((error: unknown) => error));
    await expect(infer('d')).rejects.toMatchObject({ code: 'TIMEOUT', message: 'the inference queue is full' });
    expect(pool.stats().batches.rejects['queue-full']).toBe(1);
    await pool.close();
    expect((await Promise.all(waiting.slice(1))).map((error) => (error as InferenceFailure).code)).toEqual([
      'CRASHED',
      'CRASHED',
    ]);
  });

  it('ends in time although every worker hangs', async () => {
    const { infer, pool } = scriptedPool(never, { queueTimeoutMs: 30 });
    void infer('a').catch(() => {});
    await expect(infer('b')).rejects.toMatchObject({ code: 'TIMEOUT', message: 'no worker was free within 30 ms' });
    expect(pool.stats()).toMatchObject({ queued: 0, running: 1, batches: { expired: 1 } });
    await pool.close();
  });

  it('ends when it is given up, and what was given up is never run', async () => {
    const { opened, open } = gate();
    const { infer, log } = scriptedPool(() => opened, { maxBatch: 4 });
    const control = new AbortController();
    const all = [infer('a'), infer('b', { signal: control.signal }), infer('c')];
    control.abort(new Error('cancelled by a person'));
    await expect(all[1]).rejects.toThrow('cancelled by a person');
    open();
    await Promise.all([all[0], all[2]]);
    expect(log).toEqual(['e0 a', 'e0 c']);
  });

  it('tells a worker when nobody waits for its batch any more, and not while anybody does', async () => {
    const signals: AbortSignal[] = [];
    const { opened, open } = gate();
    const { infer } = scriptedPool(
      (_ids, _executor, signal) => {
        signals.push(signal!);
        return signals.length === 1 ? opened : never();
      },
      { maxBatch: 2 },
    );
    const controls = [new AbortController(), new AbortController()];
    const first = infer('a');
    const all = controls.map(({ signal }, i) => infer('bc'[i]!, { signal }).catch((error: unknown) => error));
    open();
    await first;
    await until(() => signals.length === 2);
    controls[0]!.abort(new Error('cancelled'));
    expect(signals[1]!.aborted).toBe(false);
    controls[1]!.abort(new Error('cancelled'));
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
    await Promise.all(all);
  });

  it('ends at once, naming the cause, when no worker starts any more', async () => {
    const { infer } = scriptedPool(undefined, { startsBroken: true });
    await expect(infer('a')).rejects.toMatchObject({
      code: 'MODEL_ERROR',
      message: 'no inference worker starts: no such model',
    });
  });
});

it('a new model reaches one worker after the other, and nothing fails meanwhile', async () => {
  const { pool, infer, log } = scriptedPool(() => new Promise((resolve) => setTimeout(resolve, 2, undefined)), {
    executors: 3,
  });
  const all = Array.from({ length: 60 }, (_, i) => infer(String.fromCharCode(97 + (i % 26))));
  await pool.reload('/model/2');
  expect((await Promise.allSettled(all)).filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(log.filter((line) => line.includes('anew'))).toEqual([0, 1, 2].map((i) => `e${i} anew /model/2`));
  expect(pool.health().status).toBe('healthy');
});

it('every image is answered once, whatever fails, is short of memory or is given up', async () => {
  const Fate = fc.constantFrom('ok', 'ok', 'bad', 'crash', 'memory', 'gone');
  await fc.assert(
    fc.asyncProperty(
      fc.array(Fate, { minLength: 1, maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 3 }),
      async (fates, maxBatch, executors) => {
        const alone = new Map<string, number>();
        const { pool, infer } = scriptedPool(
          async (ids) => {
            await new Promise(setImmediate);
            const fateOf = (id: string) => fates[Number(id)]!;
            for (const id of ids) if (ids.length === 1) alone.set(id, (alone.get(id) ?? 0) + 1);
            if (ids.some((id) => fateOf(id) === 'crash'))
              throw new InferenceFailure('CRASHED', 'died', { crashed: true });
            if (ids.some((id) => fateOf(id) === 'memory')) throw new InferenceFailure('OUT_OF_MEMORY', 'no more');
            return ids.map((id) => (fateOf(id) === 'bad' ? new InferenceFailure('INVALID_IMAGE', id) : executed(id)));
          },
          { maxBatch, executors },
        );
        const gone = new AbortController();
        let answers = 0;
        const ends = Promise.allSettled(
          fates.map((fate, i) =>
            infer(String(i), fate === 'gone' ? { signal: gone.signal } : {}).finally(() => answers++),
          ),
        );
        gone.abort(new Error('gone'));
        const expected = { ok: 'ok', bad: 'INVALID_IMAGE', crash: 'CRASHED', memory: 'OUT_OF_MEMORY', gone: 'gone' };
        const seen = (await ends).map((end) =>
          end.status === 'fulfilled' ? 'ok' : ((end.reason as InferenceFailure).code ?? 'gone'),
        );
        expect(seen).toEqual(fates.map((fate) => expected[fate]));
        expect(answers).toBe(fates.length);
        await until(() => pool.stats().running === 0);
        expect(pool.stats()).toMatchObject({ queued: 0, completed: seen.filter((one) => one === 'ok').length });
        expect(Math.max(0, ...[...alone].filter(([id]) => fates[Number(id)] === 'ok').map(([, n]) => n))).toBeLessThan(
          2,
        );
      },
    ),
    { numRuns: 100 },
  );
});
