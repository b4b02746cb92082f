#!/bin/sh
# Of pg_isready what health checks ask of it: code 0 when this container's server takes connections, which it writes into its lock file.
while read -r line; do
  case $line in ready*) exit 0 ;; esac
done 2>/dev/null <"${PGDATA:-/tmp/postgres}/postmaster.pid"
exit 2
