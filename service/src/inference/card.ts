import { Type, type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_TILE } from './tiles.ts';

const closed = { additionalProperties: false };
const whole = (least: number, most: number, text = `a whole number from ${least} to ${most}`) =>
  Type.Integer({ minimum: least, maximum: most, description: text });
const text = (what: string) => Type.String({ minLength: 1, description: what });

/** Thresholds of the step from probabilities to cells; what is absent is as in RULES. */
const Instances = Type.Object(
  {
    seedThreshold: Type.Optional(
      Type.Number({
        minimum: 0.5,
        exclusiveMaximum: 1,
        description: 'a number from 0.5 to less than 1: the interior probability of a seed at threshold 0.5',
      }),
    ),
    minSeedArea: Type.Optional(whole(1, 1e6, 'a whole number of pixels, 1 or more')),
    minCellArea: Type.Optional(whole(1, 1e6, 'a whole number of pixels, 1 or more')),
    minHoleArea: Type.Optional(whole(1, 1e6, 'a whole number of pixels, 1 or more')),
  },
  { ...closed, description: 'an object of seedThreshold, minSeedArea, minCellArea, minHoleArea, or a sentence' },
);

const Range = Type.Tuple([Type.Number(), Type.Number()], { description: 'two numbers, [least, most]' });
/** Ranges of `statisticsOf` over the training images. */
const Knows = Type.Object(
  {
    images: Type.Optional(whole(1, 1e9)),
    contrast: Type.Optional(Range),
    mean: Type.Optional(Range),
    bright: Type.Optional(Range),
    skewness: Type.Optional(Range),
    roughness: Type.Optional(Range),
  },
  { ...closed, description: 'an object of contrast, mean, bright, skewness, roughness, each [least, most]' },
);
export type Knows = Static<typeof Knows>;

/** What this code relies on of a card; all other fields are for people. */
const Card = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][\\w.-]*$', description: 'a name of letters, digits, ".", "_" and "-"' }),
    version: Type.String({ pattern: '^[0-9]+$', description: 'a whole number as text, such as "1"' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: '64 hex digits, the SHA-256 of model.onnx' }),
    input: Type.Object(
      {
        name: text("the name of the network's input"),
        multipleOf: Type.Integer({
          enum: [1, 2, 4, 8, 16, 32, 64, 128],
          description: 'one of 1, 2, 4, 8, 16, 32, 64, 128: what both sides of its images are multiples of',
        }),
        halo: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: MAX_TILE / 2 - 128,
            multipleOf: 128,
            description: `a multiple of 128 to ${MAX_TILE / 2 - 128}: pixels that a tile sees past what it keeps`,
          }),
        ),
      },
      { description: 'an object of name, multipleOf' },
    ),
    output: Type.Object(
      {
        name: text("the name of the network's output"),
        classes: Type.Tuple([Type.Literal('background'), Type.Literal('interior'), Type.Literal('boundary')], {
          description: '["background", "interior", "boundary"]',
        }),
      },
      { description: 'an object of name, classes' },
    ),
    instances: Type.Optional(Instances),
    knows: Type.Optional(Knows),
  },
  { description: 'a JSON object' },
);

/** The defaults of `instances`, those of the reference. Areas in pixels. */
export const RULES = { seedThreshold: 0.6, minSeedArea: 5, minCellArea: 20, minHoleArea: 8 } as const;
export type InstanceRules = { -readonly [name in keyof typeof RULES]: number };
export type ModelCard = Omit<Static<typeof Card>, 'instances'> & { instances?: InstanceRules };

type Step = TSchema & { properties?: Record<string, TSchema>; description?: string };

/** What is allowed at a path: the description nearest to it. */
function allowedAt(keys: readonly string[]): string | undefined {
  let at: Step | undefined = Card;
  let found = at.description;
  for (const key of keys) {
    at = at?.properties?.[key] as Step | undefined;
    if (at === undefined) break;
    found = at.description ?? found;
  }
  return found;
}

function valueAt(value: unknown, keys: readonly string[]): string {
  let at = value;
  for (const key of keys) at = (at as Record<string, unknown> | null | undefined)?.[key];
  return at === undefined ? 'missing' : (JSON.stringify(at) ?? typeof at).slice(0, 80);
}

/** Each wrong field once: `field is value, expected what is allowed`. */
function mistakes(value: unknown): string[] {
  const lines = new Map<string, string>();
  for (const { keyword, instancePath, params } of Value.Errors(Card, value)) {
    const keys = instancePath.split('/').slice(1);
    // An array's own field says more than its element.
    while (/^\d+$/.test(keys.at(-1) ?? '')) keys.pop();
    const { requiredProperties = [], additionalProperties = [] } = params as Record<string, string[]>;
    const names = keyword === 'required' ? requiredProperties : additionalProperties;
    for (const path of names.length > 0 ? names.map((name) => [...keys, name]) : [keys]) {
      const field = path.join('.') || 'the card';
      const unknown = keyword === 'additionalProperties';
      const expected = allowedAt(unknown ? keys : path);
      lines.set(field, `${field} is ${unknown ? 'unknown' : valueAt(value, path)}, expected ${expected}`);
    }
  }
  return [...lines.values()];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param file names the card in the error. @throws Error with one line for each field that is wrong. */
export function parseCard(json: string, file: string): ModelCard {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Error(`${file}: is not JSON: ${(error as Error).message}`, { cause: error });
  }
  // The sentence of the first cards tells what the defaults do.
  if (isObject(value) && typeof value['instances'] === 'string') {
    const { instances: _sentence, ...rest } = value;
    value = rest;
  }
  const wrong = mistakes(value);
  for (const [name, range] of Object.entries((isObject(value) && isObject(value['knows']) && value['knows']) || {}))
    if (wrong.length === 0 && Array.isArray(range) && !(range[0] <= range[1]))
      wrong.push(`knows.${name} is ${JSON.stringify(range)}, expected two numbers, [least, most]`);
  if (wrong.length > 0) throw new Error(wrong.map((line) => `${file}: ${line}`).join('\n'));
  const card = value as Static<typeof Card>;
  return { ...card, instances: { ...RULES, ...card.instances } };
}
