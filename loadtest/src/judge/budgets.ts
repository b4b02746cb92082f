import type {
  BudgetName,
  BudgetSpec,
  BudgetVerdict,
  JudgedBudget,
  Measurement,
  Measurements,
  NoiseInfo,
  Operator,
} from '../contract.ts';

/** Comparisons as data: `holds[operator](actual, limit)`. */
export const holds: Readonly<Record<Operator, (actual: number, limit: number) => boolean>> = {
  '<': (actual, limit) => actual < limit,
  '<=': (actual, limit) => actual <= limit,
  '=': (actual, limit) => actual === limit,
  '>=': (actual, limit) => actual >= limit,
};

/**
 * From here on the clocks are not believed in small things. A quarter of the machine taken by others slows two busy
 * workers on two cores by a third; 50 ms of lateness is half an event window.
 */
export const NOISY = { foreignCpuShare: 0.25, generatorLagP99Ms: 50 } as const;
/** How far past its limit a time must be on a noisy machine to count as failed for its own reasons, were the machine its own. */
export const NOISE_FACTOR = 2;

/** What is left of a machine to a process makes all that it does so much longer: with three quarters taken, four times. */
export function noiseFactor({ foreignCpuShare = null }: Partial<NoiseInfo> = {}): number {
  return NOISE_FACTOR / Math.max(0.05, 1 - (foreignCpuShare ?? 0));
}

export interface JudgeContext {
  /** Images that the run worked on. */
  imageCount: number;
  noise?: NoiseInfo | undefined;
  /** Declared by scenario or target, each with its reason. */
  notApplicable?: Partial<Record<BudgetName, string>> | undefined;
}

/**
 * Judges every budget of the table, in its order; one that the run does not mention is `not-run`, never `pass`.
 *
 * - `n/a`: declared not applicable, or passed with fewer images than `minCount` (a violation with few images still fails).
 * - `not-run`: nothing measured, or no finite number. A wait that timed out has to be handed in as the time waited.
 * - `fail`: the limit is crossed. Counts, bytes and ratios do not depend on a clock: they fail whatever the machine did.
 * - `inconclusive`, in four cases. A time under a load that came late (`unjudgeable`) is not the service's alone. A *pass* under a load that fell short of the scenario (`weakened`) proves nothing.
 *   And since foreign load only ever makes times longer, a *violation* of a timed budget by less than twice its limit on
 *   a machine that others kept busy may be theirs, by more where they took more of it. Noise never saves a clear violation, and never spoils a pass: what was
 *   fast enough beside other work is fast enough without. A violation where the machine's `floor` crosses the limit too says nothing, unless it is twice the floor. The run's own load (PSI counts it too) is no noise.
 */
export function judgeBudgets(
  measurements: Measurements,
  specs: readonly BudgetSpec[],
  context: JudgeContext,
): JudgedBudget[] {
  const noise = describeNoise(context.noise);
  return specs.map((spec) => {
    const measured = measurements[spec.name] ?? { actual: null, note: 'not measured' };
    const declared = measured.notApplicable ?? context.notApplicable?.[spec.name];
    const { verdict, notes } =
      declared === undefined ? judgeOne(spec, measured, context, noise) : notApplicable(declared);
    const note = [measured.note, ...notes].filter((text) => text !== undefined && text !== '').join('; ');
    const judged: JudgedBudget = {
      name: spec.name,
      unit: spec.unit,
      operator: spec.operator,
      limit: spec.limit,
      actual: isFinite(measured.actual) ? measured.actual : null,
      values: measured.values ?? [],
      verdict,
      source: spec.source,
      ...(measured.percentile ? { percentile: measured.percentile } : {}),
    };
    return note === '' ? judged : { ...judged, note };
  });
}

type Opinion = { verdict: BudgetVerdict; notes: string[] };

function judgeOne(spec: BudgetSpec, measured: Measurement, context: JudgeContext, noise: string | undefined): Opinion {
  const { actual, weakened } = measured;
  if (actual === null) return { verdict: 'not-run', notes: measured.note ? [] : ['not measured'] };
  if (!isFinite(actual))
    return { verdict: 'not-run', notes: [`measured ${String(actual)}, which is no finite number`] };
  if (measured.unjudgeable !== undefined)
    return { verdict: 'inconclusive', notes: [`proves nothing: ${measured.unjudgeable}`] };
  if (!holds[spec.operator](actual, spec.limit)) {
    const floor = describeFloor(spec, measured);
    if (floor !== undefined) return { verdict: 'inconclusive', notes: [floor] };
    const factor = noiseFactor(context.noise);
    if (noise !== undefined && isTimed(spec) && !isClearViolation(spec, actual, factor)) {
      return { verdict: 'inconclusive', notes: [`over the limit by less than ${factor.toFixed(1)}× while ${noise}`] };
    }
    return { verdict: 'fail', notes: weakened ? [weakened] : [] };
  }
  if (weakened !== undefined) return { verdict: 'inconclusive', notes: [`a pass proves nothing: ${weakened}`] };
  if (spec.minCount !== undefined && context.imageCount < spec.minCount) {
    return { verdict: 'n/a', notes: [`a pass with ${context.imageCount} of ${spec.minCount} images proves nothing`] };
  }
  return { verdict: 'pass', notes: [] };
}

/** Why the machine alone may be what crossed the limit, in words. */
function describeFloor(spec: BudgetSpec, { actual, floor }: Measurement): string | undefined {
  if (!floor || !isFinite(actual) || holds[spec.operator](floor.actual, spec.limit)) return undefined;
  if (actual >= NOISE_FACTOR * floor.actual) return undefined;
  return `over the limit by less than ${NOISE_FACTOR}× what ${floor.of} took, ${floor.actual.toFixed(1)} ms, while it was measured`;
}

function notApplicable(reason: string): Opinion {
  return { verdict: 'n/a', notes: [reason] };
}

function isTimed(spec: BudgetSpec): boolean {
  return spec.timed === true || spec.unit === 'ms' || spec.unit === 'per-minute';
}

function isClearViolation(spec: BudgetSpec, actual: number, factor: number): boolean {
  const isUpper = spec.operator === '<' || spec.operator === '<=';
  return isUpper ? actual >= spec.limit * factor : actual <= spec.limit / factor;
}

/** What disturbed the clocks, in words; undefined on a quiet machine or where nothing was measured. */
export function describeNoise(noise: NoiseInfo | undefined): string | undefined {
  const { foreignCpuShare = null, generatorLagP99Ms = null } = noise ?? {};
  const parts: string[] = [];
  if (foreignCpuShare !== null && foreignCpuShare >= NOISY.foreignCpuShare) {
    parts.push(`other processes took ${Math.round(foreignCpuShare * 100)} % of the CPU`);
  }
  if (generatorLagP99Ms !== null && generatorLagP99Ms >= NOISY.generatorLagP99Ms) {
    parts.push(`the load generator ran ${Math.round(generatorLagP99Ms)} ms late (p99)`);
  }
  return parts.length > 0 ? parts.join(' and ') : undefined;
}

function isFinite(value: number | null): value is number {
  return value !== null && Number.isFinite(value);
}
