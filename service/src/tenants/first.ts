/** The operator's tenant: it was made by the migration, has the bootstrap key, and alone may make others. */
export const FIRST_TENANT = '00000000-0000-7000-8000-000000000000';
/** Of who showed no key, and of a signed address to what is not there: a tenant that has nothing. */
export const NO_TENANT = '00000000-0000-0000-0000-000000000000';

/** What the names of a tenant's derived pictures begin with; those of the first one are called as they were before there were others. */
export const pictureTag = (tenantId: string): string => (tenantId === FIRST_TENANT ? '' : `t${tenantId}-`);
const TAGGED = /^t[0-9a-f]{8}-/;
export const hasTag = (name: string, tag: string): boolean => (tag === '' ? !TAGGED.test(name) : name.startsWith(tag));
