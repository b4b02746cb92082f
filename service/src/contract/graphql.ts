import { Type, type Static } from 'typebox';
import { Nullable, closed } from './common.ts';

const AnyObject = Type.Record(Type.String(), Type.Unknown());

export const GraphqlBody = Type.Object(
  {
    query: Type.String({ minLength: 1, description: 'A GraphQL document' }),
    operationName: Type.Optional(Nullable(Type.String({ description: 'Which of several operations runs' }))),
    variables: Type.Optional(Nullable(AnyObject)),
    extensions: Type.Optional(Nullable(AnyObject)),
  },
  closed,
);
export type GraphqlBody = Static<typeof GraphqlBody>;

export const GraphqlError = Type.Object({
  message: Type.String(),
  locations: Type.Optional(Type.Array(Type.Object({ line: Type.Integer(), column: Type.Integer() }))),
  path: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Integer()]))),
  extensions: Type.Object({
    code: Type.String(),
    statusCode: Type.Integer({ description: 'What the same failure is over HTTP' }),
    retryAfterSeconds: Type.Optional(Type.Integer()),
  }),
});
export type GraphqlError = Static<typeof GraphqlError>;

export const GraphqlReply = Type.Object({
  data: Type.Optional(Nullable(AnyObject)),
  errors: Type.Optional(Type.Array(GraphqlError)),
  extensions: Type.Optional(
    Type.Object({
      cost: Type.Object({
        complexity: Type.Integer(),
        requests: Type.Integer({ description: 'How many of the key’s requests a minute it counted as' }),
      }),
    }),
  ),
});
export type GraphqlReply = Static<typeof GraphqlReply>;
