import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';

const closed = { additionalProperties: false } as const;
const Positive = Type.Number({ exclusiveMinimum: 0 });
const Ratio = Type.Number({ minimum: 0, maximum: 1 });

/** One measured cell of the sweep. */
const Point = Type.Object(
  {
    /** Images of a batch. */
    images: Type.Integer({ minimum: 1, maximum: 1024 }),
    width: Type.Integer({ minimum: 1, maximum: 65_536 }),
    height: Type.Integer({ minimum: 1, maximum: 65_536 }),
    /** Of the whole batch, as `statistic` says. */
    ms: Positive,
    /** Executions measured. */
    n: Type.Integer({ minimum: 1 }),
  },
  closed,
);

/** What a device takes for a batch: `T = fixedMs + msPerMegapixel · images · megapixels`, times a residual. */
export const Profile = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,60}$' }),
    device: Type.String({ minLength: 1 }),
    model: Type.String({ minLength: 1 }),
    /** Runtime, driver and so on with their versions, as far as they are known. */
    versions: Type.Record(Type.String(), Type.String()),
    /** Who measured it, where and how. */
    source: Type.String({ minLength: 1 }),
    /** What `ms` of a point is. */
    statistic: Type.Unsafe<'mean' | 'median' | 'p95'>({ type: 'string', enum: ['mean', 'median', 'p95'] }),
    /** What an execution covers. */
    covers: Type.Unsafe<'decode to polygons' | 'model only'>({
      type: 'string',
      enum: ['decode to polygons', 'model only'],
    }),
    points: Type.Array(Point, { minItems: 2 }),
    time: Type.Object(
      {
        fixedMs: Type.Number({ minimum: 0 }),
        msPerMegapixel: Positive,
        /** Root mean square of (measured - fitted) / fitted over the points. */
        residual: Type.Number({ minimum: 0 }),
        r2: Ratio,
      },
      closed,
    ),
    /**
     * Single executions divided by what the line predicts, sorted, evenly spaced in probability: what the simulation draws from.
     * One entry of 1 where only summaries are known.
     */
    residuals: Type.Array(Positive, { minItems: 1 }),
    coldStartMs: Type.Number({ minimum: 0 }),
    /** Share of the images that fail with MODEL_ERROR. */
    failureRatio: Ratio,
  },
  closed,
);
export type Profile = Static<typeof Profile>;

/** Why a profile shows how something works but answers no question of a purchase; null where it does. */
export function whyIllustrative({ points, residuals }: Profile): string | null {
  const shapes = new Set(points.map(({ width, height }) => `${width}x${height}`));
  if (shapes.size < 3) return `measured with ${shapes.size === 1 ? 'one shape' : `${shapes.size} shapes`}, not three`;
  if (points.length < 9) return `measured at ${points.length} points, not nine`;
  if (residuals.length < 20) return `it has ${residuals.length} residuals, not twenty`;
  return null;
}

/** @throws Error naming POOL, the file, the field and what is expected */
export function parseProfile(text: string, file: string): Profile {
  const refuse = (why: string): never => {
    throw new Error(`POOL: profile ${file}: ${why}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse((error as Error).message);
  }
  const [first] = Value.Errors(Profile, value);
  if (first?.message === 'schema is false') refuse(`${first.instancePath} is not a field of a profile`);
  if (first !== undefined) refuse(`${first.instancePath || 'the file'} ${first.message}`);
  const profile = value as Profile;
  if (profile.residuals.some((each, i, all) => i > 0 && each < all[i - 1]!)) refuse('/residuals must be sorted');
  return profile;
}

/**
 * A profile by its name (a file of `folder`) or by the path of its file.
 * @throws Error naming POOL, what was asked for and the profiles there are
 */
export async function loadProfile(nameOrFile: string, folder: string): Promise<Profile> {
  const isPath = nameOrFile.includes('/') || nameOrFile.endsWith('.json');
  const file = isPath ? path.resolve(nameOrFile) : path.join(folder, `${nameOrFile}.json`);
  const text = await readFile(file, 'utf8').catch(async () => {
    const files = await readdir(folder).catch(() => []);
    const names = files.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
    throw new Error(`POOL is "sim:${nameOrFile}": expected a file, or one of ${names.join(', ')}`);
  });
  return parseProfile(text, file);
}
