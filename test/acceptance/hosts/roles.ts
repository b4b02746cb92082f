/** Roles of the service on one host: node roles.ts api relay … Settings come from the environment. */
import { startRole, type Role } from '../../../service/src/role-process.ts';
import { tell, untilEnded } from './message.ts';

const roles = await Promise.all(
  process.argv.slice(2).map((role) =>
    startRole({
      role: role as Role,
      env: process.env,
      log: (name, line) => console.error(`${process.env['HOSTS_NAME'] ?? ''} ${name}: ${line}`),
      onGroup: () => {},
    }),
  ),
);
untilEnded(async () => {
  await Promise.all(roles.map((one) => one.stop()));
});
for (const one of roles)
  void one.exited.then(({ role, code, signal }) => {
    console.error(`${process.env['HOSTS_NAME'] ?? ''} ${role} ended: ${signal ?? `code ${code}`}`);
  });
tell({ type: 'ready', roles: roles.map(({ role, metricsUrl }) => ({ role, metricsUrl })) });
