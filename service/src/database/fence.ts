type Work = (scoped: object) => unknown;
const NEVER = new Promise<never>(() => {});

function refusing(scoped: object, isOver: () => boolean): object {
  const check = () => {
    if (isOver())
      throw Object.assign(new Error('the transaction is over: its connection was closed'), {
        code: 'CONNECTION_CLOSED',
      });
  };
  return new Proxy(scoped, {
    apply(target, self, args) {
      check();
      return Reflect.apply(target as (...list: unknown[]) => unknown, self, args);
    },
    get(target, key) {
      const member: unknown = Reflect.get(target, key);
      if (key !== 'unsafe' && key !== 'savepoint') return member;
      return (...args: unknown[]) => {
        check();
        return Reflect.apply(member as (...list: unknown[]) => unknown, target, args);
      };
    },
  });
}

/**
 * `begin` for postgres.js 3.4.9, whose transactions outlive their connection: what the work of one sends after that, and the COMMIT or ROLLBACK at its
 * end, goes out on whatever that connection has become, into the middle of another transaction (https://github.com/porsager/postgres/issues/1216).
 * Here the work can send nothing any more once `begin` has failed, and its end is not heard.
 */
export function fencedBegin(begin: (...args: unknown[]) => Promise<unknown>): (...args: unknown[]) => Promise<unknown> {
  return (...args) => {
    let over = false;
    const fence =
      (work: Work): Work =>
      async (scoped) => {
        try {
          const given = work(refusing(scoped, () => over));
          const result: unknown = await (Array.isArray(given) ? Promise.all(given as unknown[]) : given);
          return over ? await NEVER : result;
        } catch (error) {
          if (over) return NEVER;
          throw error;
        }
      };
    const done = begin(...args.map((arg) => (typeof arg === 'function' ? fence(arg as Work) : arg)));
    done.catch(() => (over = true));
    return done;
  };
}
