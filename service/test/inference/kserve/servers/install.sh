#!/usr/bin/env bash
# install.sh DIR: inference servers written by others, each in a virtual environment of its own: DIR/kserve, DIR/mlserver, DIR/triton.
# Tests find them by KSERVE_SERVERS=DIR; where one cannot be installed they say so. PYTHON chooses the interpreter.
# Takes 2 minutes and 1.4 GB. Exit code 1 when one of them is missing.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:?usage: install.sh DIR}
python=${PYTHON:-python3}

install() {
  local requirements=$1 name
  name=$(basename "$requirements" .txt)
  name=${name#requirements-}
  "$python" -m venv "$dir/$name" && "$dir/$name/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" && return
  # Half of one is none.
  rm -rf "${dir:?}/$name"
  echo "not installed: $name"
  return 1
}

code=0 running=()
for requirements in "$here"/requirements-*.txt; do
  install "$requirements" &
  running+=($!)
done
for one in "${running[@]}"; do wait "$one" || code=1; done
exit "$code"
