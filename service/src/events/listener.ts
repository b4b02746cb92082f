import postgres from 'postgres';
import { reconnectSeconds } from '../database/client.ts';

export interface Listener {
  close(): Promise<void>;
}

/** What postgres.js takes but does not declare: called for every NotificationResponse of the connection (`src/connection.js` of 3.4.9). */
interface NotifyOption {
  onnotify: (channel: string, payload: string) => void;
}
const RECONNECT_MS = 250;

/**
 * Listens on channels of PostgreSQL through a connection of its own, and connects again for ever. (`sql.listen` of postgres.js
 * gives up silently when its first attempt to reconnect fails, so a restart of PostgreSQL would leave it deaf.)
 * @param onConnected after every (re)connect: notifications may have been missed, read everything
 */
export function listenTo(options: {
  databaseUrl: string;
  channels: readonly string[];
  onNotify: (channel: string, payload: string) => void;
  onConnected(): void;
}): Listener {
  let closed = false;
  let current: postgres.Sql | undefined;
  let retry: NodeJS.Timeout | undefined;

  function again(sql: postgres.Sql): void {
    if (current !== sql) return;
    current = undefined;
    void sql.end({ timeout: 0 }).catch(() => {});
    if (!closed) retry = setTimeout(connect, RECONNECT_MS);
  }
  function connect(): void {
    const notify: NotifyOption = { onnotify: options.onNotify };
    const sql: postgres.Sql = postgres(options.databaseUrl, {
      max: 1,
      max_lifetime: null,
      fetch_types: false,
      connect_timeout: 5,
      backoff: reconnectSeconds,
      onnotice: () => {},
      onclose: () => again(sql),
      connection: { application_name: 'segbench-listener' },
      ...notify,
    });
    current = sql;
    Promise.all(options.channels.map((channel) => sql`LISTEN ${sql(channel)}`)).then(
      () => {
        if (current === sql) options.onConnected();
      },
      () => again(sql),
    );
  }
  connect();
  return {
    async close() {
      closed = true;
      clearTimeout(retry);
      const sql = current;
      current = undefined;
      await sql?.end({ timeout: 1 }).catch(() => {});
    },
  };
}
