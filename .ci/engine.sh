# shellcheck shell=bash
# The Docker engine of .ci/run, which has the folder $work and `step`.
engine_pid=
docker_missing=

# An engine of its own, on a socket and with data of its own: what runs here already is left alone, and `--environment auto` does not find it.
# A machine that has none or lets none start has docker_missing; what an engine that runs refuses is a failure.
start_engine() {
  command -v docker >/dev/null && command -v dockerd >/dev/null || { docker_missing='no docker and dockerd: apt-get install docker.io'; return; }
  mkdir "$work/docker"
  dockerd --data-root "$work/docker/data" --exec-root "$work/docker/exec" --pidfile "$work/docker/pid" -H "unix://$work/docker.sock" >"$work/docker/log" 2>&1 &
  engine_pid=$!
  export SEGBENCH_TEST_DOCKER_HOST=unix://$work/docker.sock
  local tries=0
  until engine version >/dev/null 2>&1; do
    tries=$((tries + 1))
    if ! kill -0 "$engine_pid" 2>/dev/null; then
      docker_missing="dockerd does not start here: $(tail -n 1 "$work/docker/log")"
      stop_engine
      unset SEGBENCH_TEST_DOCKER_HOST
      return
    fi
    [ "$tries" -le 120 ] || break
    sleep 0.5
  done
  step 'images of the servers' make_images
}
# No registry needs to be reached: the images are made of what npm and the distribution gave.
make_images() {
  DOCKER_HOST=$SEGBENCH_TEST_DOCKER_HOST test/images/make.sh || { tail -n 5 "$work/docker/log"; return 1; }
  export BENCH_POSTGRES_IMAGE=segbench-postgres:local BENCH_REDIS_IMAGE=segbench-redis:local
}
stop_engine() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null
  wait "$engine_pid" 2>/dev/null
  engine_pid=
}
engine() { DOCKER_HOST=$SEGBENCH_TEST_DOCKER_HOST docker "$@"; }
