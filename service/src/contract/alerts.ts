import { Type, type Static } from 'typebox';
import { Id, Literals, Text, closed } from './common.ts';

const Status = Literals(['firing', 'resolved']);
const Labels = Type.Record(Type.String(), Type.String());

const AlertFields = {
  status: Status,
  labels: Labels,
  annotations: Type.Optional(Labels),
  startsAt: Type.Optional(Text({ maxLength: 64 })),
  endsAt: Type.Optional(Text({ maxLength: 64 })),
  generatorURL: Type.Optional(Text({ maxLength: 10_000 })),
  fingerprint: Type.Optional(Text({ maxLength: 100 })),
};
/** Prometheus Alertmanager, `webhook_config`: its message of version 4, every field. */
export const AlertGroup = Type.Object(
  {
    version: Type.Literal('4'),
    groupKey: Text({ minLength: 1, maxLength: 10_000 }),
    status: Status,
    receiver: Type.Optional(Text({ maxLength: 1_000 })),
    truncatedAlerts: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    groupLabels: Type.Optional(Labels),
    commonLabels: Type.Optional(Labels),
    commonAnnotations: Type.Optional(Labels),
    externalURL: Type.Optional(Text({ maxLength: 10_000 })),
    alerts: Type.Array(Type.Object(AlertFields, closed), { minItems: 1, maxItems: 1_000 }),
  },
  closed,
);
export type AlertGroup = Static<typeof AlertGroup>;

/** `webhook-id` of the message that tells of it. */
export const AlertAccepted = Type.Object({ id: Id });
