import {
  FieldsOnCorrectTypeRule,
  GraphQLError,
  KnownArgumentNamesRule,
  NoSchemaIntrospectionCustomRule,
  isObjectType,
  specifiedRules,
  type ValidationRule,
} from 'graphql';

const listed = (names: readonly string[]) =>
  names.length > 0 ? `expected one of ${names.join(', ')}` : 'expected none';

/** As the two rules of graphql-js, but telling all that is allowed and not the nearest guess. */
const AllowedNamesRule: ValidationRule = (context) => ({
  Field(node) {
    const type = context.getParentType();
    if (!isObjectType(type) || context.getFieldDef()) return;
    const names = Object.keys(type.getFields());
    context.reportError(
      new GraphQLError(`${type.name} has no field "${node.name.value}": ${listed(names)}.`, { nodes: node }),
    );
  },
  Argument(node) {
    const field = context.getFieldDef();
    if (context.getArgument() || context.getDirective() || !field) return;
    const names = field.args.map(({ name }) => name);
    const where = `${context.getParentType()?.name}.${field.name}`;
    context.reportError(
      new GraphQLError(`${where} has no argument "${node.name.value}": ${listed(names)}.`, { nodes: node }),
    );
  },
});
const REPLACED = new Set<ValidationRule>([FieldsOnCorrectTypeRule, KnownArgumentNamesRule]);

/** Where the schema is open to all. Directives' arguments are few, and checked by graphql-js. */
export const OPEN_RULES: readonly ValidationRule[] = [
  ...specifiedRules.filter((rule) => !REPLACED.has(rule)),
  AllowedNamesRule,
];
/** No introspection; errors tell no names. */
export const CLOSED_RULES: readonly ValidationRule[] = [...specifiedRules, NoSchemaIntrospectionCustomRule];
