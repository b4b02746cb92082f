import { randomUUID } from 'node:crypto';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { closed } from '#contract/common.ts';
import { fixedFile, NO_STORE } from '../cdn/cache-control.ts';
import { THUMBNAIL_PX } from '../cdn/urls.ts';
import { MAX_SIDE, nameOfWhole } from '../pictures/formats.ts';
import { Bytes, replies } from './schemas.ts';

/** A screen of a gallery; with more, the address would be longer than some proxies take. */
const MAX_IDS = 64;
const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const FORMAT = 'webp';

/** The same for every answer, so that equal ones are equal; what is drawn here cannot hold it. */
const BOUNDARY = `segbench-${randomUUID()}`;
const partOf = (id: string, bytes: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${id}"; filename="${id}"\r\nContent-Type: image/${FORMAT}\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);

const Query = Type.Object(
  {
    ids: Type.String({
      pattern: `^${UUID}(?:,${UUID}){0,${MAX_IDS - 1}}$`,
      title: `1 to ${MAX_IDS} ids of images with commas between`,
    }),
    w: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SIDE })),
  },
  closed,
);

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/api/thumbnails', {
    onRequest: app.requireScope('read'),
    config: { rate: 'reads' },
    compress: false,
    schema: {
      tags: ['pictures'],
      summary: 'Small pictures of several images in one answer',
      description: `What \`/api/images/{id}/render?w=&f=webp\` gives for each, as far as it is drawn already (\`w\` is ${THUMBNAIL_PX} where it is absent, as in \`thumbnailUrl\`): a part each, named by the image’s id. One that is absent was not drawn yet, or there is no such image; asked for alone, it is drawn.`,
      querystring: Query,
      response: replies({ 200: Bytes('multipart/form-data') }),
    },
    handler: async ({ tenant, query }, reply) => {
      const ids = new Set(query.ids.toLowerCase().split(','));
      const name = tenant.pictures + nameOfWhole({ width: query.w ?? THUMBNAIL_PX, format: FORMAT });
      const pictures = await Promise.all(
        (await tenant.images.many([...ids])).map(async ({ id, sha256 }) => {
          const bytes = await app.pictures.kept(app.storage.derivedPath(sha256, name));
          return bytes ? [partOf(id, bytes)] : [];
        }),
      );
      const parts = pictures.flat();
      return reply
        .header('cache-control', parts.length === ids.size ? fixedFile({ secondsLeft: null }) : NO_STORE)
        .type(`multipart/form-data; boundary=${BOUNDARY}`)
        .send(Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]));
    },
  });
};
export default routes;
