# shellcheck shell=bash
# How .ci/run judges each run of the bench, which has the folder $work, `step` and `not_run`.

# What a bench runs within; empty for nothing.
around=()

# bench NAME [OPTION]...: a run, with its results in $work/NAME. What a busy machine alone explains may be inconclusive, times and loads that
# came late, and goes to the file `open`; nothing else may: no contradiction of two counts, and nothing that was not measured or proves nothing.
bench() {
  "${around[@]}" npm run -s bench -- "${@:2}" --out "$work/$1" --on-inconclusive warn || return
  PATH=$PWD/node_modules/.bin:$PATH node --input-type=module -e '
    import { readFileSync, writeFileSync } from "node:fs";
    import { noiseOnly } from "./loadtest/src/judge/noise-only.ts";
    const [result, file] = process.argv.slice(1);
    const { open, wrong } = noiseOnly(JSON.parse(readFileSync(result, "utf8")));
    for (const text of wrong) console.log(`no pass on any machine: ${text}`);
    writeFileSync(file, open.map((text) => `${text}\n`).join(""));
    process.exit(wrong.length > 0 ? 1 : 0);
  ' "$work/$1/latest/result.json" "$work/open"
}

# judged NAME COMMAND...: a step, and what of it the machine could not show.
judged() {
  local line
  : >"$work/open"
  step "$@"
  while IFS= read -r line; do not_run "$1: ${line%%:*}" "${line#*: }"; done <"$work/open"
}
