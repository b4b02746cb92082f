import { Type, type Static } from 'typebox';
import { Id, Literals, Nullable, SCOPES, Text, Timestamp, closed } from './common.ts';

const Scopes = Type.Array(Literals(SCOPES), { minItems: 1, uniqueItems: true });

export const TenantName = Text({ minLength: 1, maxLength: 100 });
export const KeyBody = Type.Object(
  {
    name: Text({ minLength: 1, maxLength: 100 }),
    scopes: Scopes,
    expiresAt: Type.Optional(Nullable(Timestamp)),
    /** Name of the tenant that the key shall belong to; the own one where it is absent. Only a key of the operator's tenant may name another, which is made when it is new. */
    tenant: Type.Optional(TenantName),
  },
  closed,
);
const WEEK_SECONDS = 604_800;
export const RotateBody = Type.Object(
  {
    /** How long the secret before still holds; 0 (default): it ends at once. */
    overlapSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: WEEK_SECONDS })),
  },
  closed,
);
export const Key = Type.Object({
  id: Id,
  name: Type.String(),
  scopes: Scopes,
  createdAt: Timestamp,
  expiresAt: Nullable(Timestamp),
  revokedAt: Nullable(Timestamp),
  lastUsedAt: Nullable(Timestamp),
});
export type Key = Static<typeof Key>;
/** `token` is shown in this reply and never again. */
export const NewKey = Type.Object({
  ...Key.properties,
  token: Type.String(),
  /** Where the request named one. */
  tenant: Type.Optional(Type.String()),
});

export const SessionBody = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 1000, writeOnly: true }) },
  closed,
);
export const Session = Type.Object({ keyId: Id, name: Type.String(), scopes: Scopes });
export const NewSession = Type.Object({ ...Session.properties, expiresAt: Timestamp });

export const AuditRow = Type.Object({
  id: Type.Integer(),
  at: Timestamp,
  keyId: Nullable(Id),
  keyName: Nullable(Type.String()),
  /** Method and route, e.g. `DELETE /api/projects/:id`. */
  action: Type.String(),
  targetType: Type.String(),
  targetId: Nullable(Type.String()),
  detail: Nullable(Type.Record(Type.String(), Type.Unknown())),
});
