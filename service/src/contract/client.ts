import type { Routes } from './api.gen.ts';

/** `METHOD /path/{parameter}`, as in the OpenAPI document. */
export type RouteName = keyof Routes;
type Part<R extends RouteName, K extends 'path' | 'query' | 'body'> = Routes[R] extends Record<K, infer T> ? T : never;
/** The key of a part that the route has: needed when something in it is, absent when the route has none. */
type Given<K extends string, T> = [T] extends [never]
  ? { [key in K]?: never }
  : Record<never, never> extends T
    ? { [key in K]?: T }
    : { [key in K]: T };
export type Address<R extends RouteName> = Given<'path', Part<R, 'path'>> & Given<'query', Part<R, 'query'>>;
export type Call<R extends RouteName> = Address<R> & Given<'body', Part<R, 'body'>>;
export type ReplyOf<R extends RouteName> = Routes[R]['reply'];
export type BodyOf<R extends RouteName> = Part<R, 'body'>;
/** Routes of one method, by their path alone: `PathOf<'GET'>`. */
export type PathOf<M extends string> = RouteName extends infer R ? (R extends `${M} ${infer P}` ? P : never) : never;
/** A call's argument may be left out where nothing in it is needed. */
export type Optional<T> = Record<never, never> extends T ? [given?: T] : [given: T];

interface Loose {
  path?: Readonly<Record<string, string>> | undefined;
  query?: Readonly<Record<string, string | number | undefined>> | undefined;
}

/** Path and query of a call, encoded; what is undefined is left out. */
export function fillPath(template: string, { path = {}, query = {} }: Loose = {}): string {
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return pairs.length > 0 ? `${filled}?${pairs.join('&')}` : filled;
}

/** Where a route is called, its parameters checked by the compiler. */
export function addressOf<R extends RouteName>(route: R, ...[given]: Optional<Address<R>>): string {
  return fillPath(route.slice(route.indexOf(' ') + 1), given as Loose | undefined);
}
