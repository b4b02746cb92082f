#!/usr/bin/env bash
# Makes the images segbench-postgres:local and segbench-redis:local for a Docker engine that reaches no registry. They hold the PostgreSQL of the npm
# package and the redis-server that the harness runs (from PATH, or unpacked from the distribution's packages), the libraries these ask for, and a
# shell; they take the same variables and commands as the official images. Linux on glibc only. Needs docker, and npm ci done before.
#   test/images/make.sh [postgres|redis]...
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
  for program in "$@"; do ldd "$program"; done | grep -o '/[^ ]*' | sort -u | while read -r library; do
    case $library in
      "$PWD"/*) ;; # beside its program, copied with it
      *) install -D "$(readlink -f "$library")" "$root$library" ;;
    esac
  done
}

base() {
  local root=$1
  mkdir -p "$root"/{etc,tmp,var/lib,bin,usr/local/bin}
  chmod 1777 "$root/tmp" "$root/var/lib"
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
  tar -C "$root" --owner=0 --group=0 -c . | docker import \
    -c 'ENV PATH=/opt/postgres/bin:/usr/local/bin:/bin' -c 'USER 999:999' -c 'EXPOSE 5432' \
    -c 'ENTRYPOINT ["/bin/sh", "/usr/local/bin/entrypoint"]' -c 'CMD ["postgres"]' - segbench-postgres:local
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
  LD_LIBRARY_PATH=${found#* } copy_libraries "$root" "$program"
  # Libraries of a private folder are looked for where they were: told to the loader by the same variable.
  tar -C "$root" --owner=0 --group=0 -c . | docker import \
    -c "ENV PATH=/usr/local/bin:/bin LD_LIBRARY_PATH=${found#* }" -c 'WORKDIR /tmp' -c 'USER 999:999' -c 'EXPOSE 6379' \
    -c 'CMD ["redis-server"]' - segbench-redis:local
}

for name in "${@:-postgres redis}"; do
  for one in $name; do "make_$one"; done
done
