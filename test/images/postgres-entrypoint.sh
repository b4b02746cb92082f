# What the official image's entrypoint does, as far as the harness asks for it: a database at the first start, with a password for everybody.
# Shell builtins only: the image has no other programs.
set -eu
data=${PGDATA:-/tmp/postgres}
if ! [ -s "$data/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?is not set}"
  (
    umask 077
    printf %s "$POSTGRES_PASSWORD" >/tmp/password
  )
  # shellcheck disable=SC2086 # several arguments
  initdb -D "$data" -U "${POSTGRES_USER:-postgres}" --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
  printf 'host all all all scram-sha-256\n' >>"$data/pg_hba.conf"
  [ "${POSTGRES_DB:-postgres}" = postgres ] || printf 'create database "%s"\n' "$POSTGRES_DB" | postgres --single -D "$data" postgres >/dev/null
fi
export PGDATA="$data"
[ "${1:-}" = postgres ] || exec "$@"
shift
exec postgres -c 'listen_addresses=*' -c unix_socket_directories=/var/run/postgresql "$@"
