import { assertValidSchema, buildSchema, isObjectType, type GraphQLSchema } from 'graphql';
import type { Resolvers } from './context.ts';
import { MUTATIONS } from './mutations.ts';
import { QUERIES } from './queries.ts';
import { SUBSCRIPTIONS } from './subscriptions.ts';
import { TYPES } from './types.ts';
import { TYPE_DEFS } from './type-defs.ts';

/** The schema with what answers its fields. @throws Error for a resolver of a field that the schema lacks */
export function createSchema(): GraphQLSchema {
  const schema = buildSchema(TYPE_DEFS);
  assertValidSchema(schema);
  function fieldOf(type: string, name: string) {
    const owner = schema.getType(type);
    const field = isObjectType(owner) ? owner.getFields()[name] : undefined;
    if (!field) throw new Error(`resolver of ${type}.${name}: the schema has no such field`);
    return field;
  }
  const resolvers: Resolvers = { ...QUERIES, ...MUTATIONS, ...TYPES };
  for (const [type, fields] of Object.entries(resolvers))
    for (const [name, resolve] of Object.entries(fields))
      fieldOf(type, name).resolve = resolve as NonNullable<ReturnType<typeof fieldOf>['resolve']>;
  for (const [name, { subscribe, resolve }] of Object.entries(SUBSCRIPTIONS))
    Object.assign(fieldOf('Subscription', name), { subscribe, resolve });
  return schema;
}
