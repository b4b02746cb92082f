import { Type, type Static } from 'typebox';
import { GraphqlError, Nullable, closed } from './common.ts';

const [PROJECT, IMAGE, BATCH] = [1, 2, 3].map((nth) => `01980000-0000-7000-8000-00000000000${nth}`);
/** Documents that work as they stand, once their ids are those of something. */
export const GRAPHQL_DOCUMENTS = [
  `{ project(id: "${PROJECT}") { title owner { name } images(pagination: { limit: 20 }) { items { thumbnailUrl segmentation { cellCount } } } stats { totalImages segmentedImages } } }`,
  `{ batch(id: "${BATCH}") { id status total counts { completed failed } failures { groups { code count } } } }`,
  `{ result(imageId: "${IMAGE}") { polygonCount polygons(lod: low) { points area } } }`,
  `{ images(projectId: "${PROJECT}", pagination: { limit: 5 }, filter: { status: [completed] }, sort: name_desc) { total items { name project { name } batch { status } } } }`,
  '{ me { name scopes } projects { total items { id stats { segmentedImages } } } queue { waiting workers { state } } }',
  `mutation { pauseBatch(id: "${BATCH}") { status } }`,
  'mutation { createProject(input: { name: "Plate 7", pixelSizeUm: 0.325 }) { id } }',
] as const;

const AnyObject = Type.Record(Type.String(), Type.Unknown());

export const GraphqlBody = Type.Object(
  {
    query: Type.String({ minLength: 1, description: 'A GraphQL document', examples: [...GRAPHQL_DOCUMENTS] }),
    operationName: Type.Optional(Nullable(Type.String({ description: 'Which of several operations runs' }))),
    variables: Type.Optional(Nullable(AnyObject)),
    extensions: Type.Optional(Nullable(AnyObject)),
  },
  closed,
);
export type GraphqlBody = Static<typeof GraphqlBody>;

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
