import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Document } from '../../src/openapi/document.ts';

/** Strict draft 2020-12 over the document's own components; words that only annotate are declared, none is ignored. */
export function createAjv(document: Document): Ajv2020 {
  const ajv = new Ajv2020({ strict: true, allErrors: true, strictRequired: false, allowUnionTypes: false });
  (addFormats as unknown as (ajv: Ajv2020) => void)(ajv);
  ajv.addVocabulary(['example', 'components']);
  ajv.addSchema({ $id: 'segbench:document', components: { schemas: document.components.schemas } });
  return ajv;
}

const compiled = new WeakMap<object, (value: unknown) => boolean>();
/** What is wrong with `value`, each with its place; none when it fits. */
export function errorsIn(ajv: Ajv2020, schema: unknown, value: unknown): string[] {
  const key = schema as object;
  const known = compiled.get(key);
  const check =
    known ??
    ajv.compile(
      JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"segbench:document#/components/')) as object,
    );
  compiled.set(key, check);
  if (check(value)) return [];
  const { errors } = check as { errors?: { instancePath: string; message?: string; params: unknown }[] };
  return (errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}
