import {
  GraphQLError,
  Kind,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  isObjectType,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLDirective,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { badValue } from '../errors.ts';
import type { CheckArgument } from './arguments.ts';
import { refused, refusedBy } from './errors.ts';
import { LIMITS, PAGE_LIMIT } from './limits.ts';

type VariableValues = Parameters<typeof getArgumentValues>[2];
interface Rules {
  value: number;
  times: number;
  each: number;
  per?: string;
  rate?: string;
  scope?: string;
}
/** What an operation asks for, known before it runs. */
export interface Demand {
  complexity: number;
  /** Scopes that its root fields need. */
  scopes: ReadonlySet<string>;
  /** Limits beside `requests` by which it counts, and how often. */
  rates: ReadonlyMap<string, number>;
  /** Whether polygons are selected anywhere: they are read with their results, or not at all. */
  polygons: boolean;
}
/** `__schema` and `__type`: graphql-js bounds their depth by itself. */
const INTROSPECTION_COST = 100;

/** How often what lies below a field may come, by one of its arguments: a page's limit, or the length of a list. */
function timesBy(args: Record<string, unknown>, path: string): number {
  const value = path
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], args);
  if (Array.isArray(value)) return value.length;
  if (typeof value !== 'number' || value < 1 || value > PAGE_LIMIT)
    throw badValue(path, value, `an integer from 1 to ${PAGE_LIMIT}`);
  return value;
}

/**
 * Walks an operation before it runs: checks every argument, and sums the cost of each field and of what is selected below it as
 * often as it may come.
 * @throws RefusedError TOO_DEEP, TOO_COMPLEX, VARIABLES_INVALID; ApiError VALIDATION for an argument that is not allowed
 */
export function demandOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: VariableValues,
  check: CheckArgument,
): Demand {
  const fragments = new Map(
    document.definitions
      .filter((node): node is FragmentDefinitionNode => node.kind === Kind.FRAGMENT_DEFINITION)
      .map((node) => [node.name.value, node]),
  );
  const directives = ['cost', 'needs'].map((name) => schema.getDirective(name) as GraphQLDirective);
  const known = new Map<GraphQLField<unknown, unknown>, Rules>();
  const scopes = new Set<string>();
  const rates = new Map<string, number>();
  const usual = operation.operation === 'mutation' ? 'write' : 'read';
  let visits = 0;
  let polygons = false;

  function rulesOf(field: GraphQLField<unknown, unknown>): Rules {
    const found = known.get(field);
    if (found) return found;
    const own = directives.map((directive) => field.astNode && getDirectiveValues(directive, field.astNode));
    const rules: Rules = Object.assign({ value: 1, times: 1, each: 0 }, ...own);
    known.set(field, rules);
    return rules;
  }
  function argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Record<string, unknown> {
    try {
      return getArgumentValues(field, node, variables);
    } catch (error) {
      // a variable that may be null where a default stands in for it, and is
      if (error instanceof GraphQLError) throw refusedBy('VARIABLES_INVALID', [error], 'what the schema declares');
      throw error;
    }
  }
  function ofField(parent: GraphQLObjectType, node: FieldNode, depth: number): number {
    const name = node.name.value;
    if (name === '__typename') return 0;
    if (name.startsWith('__')) return INTROSPECTION_COST;
    if (depth > LIMITS.depth)
      throw refused('TOO_DEEP', `${name} lies ${depth} fields deep: at most ${LIMITS.depth} are allowed`);
    const field = parent.getFields()[name] as GraphQLField<unknown, unknown> | undefined;
    if (!field) return 0;
    const { value, times, each, per, rate, scope } = rulesOf(field);
    if (depth === 1) scopes.add(scope ?? usual);
    if (rate !== undefined) rates.set(rate, (rates.get(rate) ?? 0) + 1);
    if (name === 'polygons') polygons = true;
    const args = argumentsOf(field, node);
    for (const { name: argument } of field.args) check(name, argument, args[argument]);
    const factor = per === undefined ? times : timesBy(args, per);
    const type = getNamedType(field.type);
    const below = node.selectionSet && isObjectType(type) ? ofSelection(type, node.selectionSet, depth + 1) : 0;
    return value + factor * (below + each);
  }
  function ofSelection(parent: GraphQLObjectType, { selections }: SelectionSetNode, depth: number): number {
    let sum = 0;
    for (const node of selections) {
      if (++visits > LIMITS.visits)
        throw refused(
          'TOO_COMPLEX',
          `fragments repeat more than ${LIMITS.visits} selections: at most that many are allowed`,
        );
      if (node.kind === Kind.FIELD) sum += ofField(parent, node, depth);
      else {
        const set =
          node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : fragments.get(node.name.value)?.selectionSet;
        if (set) sum += ofSelection(parent, set, depth);
      }
    }
    return sum;
  }

  const root = schema.getRootType(operation.operation);
  const complexity = root ? ofSelection(root, operation.selectionSet, 1) : 0;
  return { complexity, scopes, rates, polygons };
}
