/** The report's style: one column, system fonts, colours as variables for light and dark. Rows become cards on a phone. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #17202a; --soft: #5b6775; --line: #dfe4ea; --accent: #2f6fde;
  --s0: #1d4ed8; --s1: #b45309; --s2: #047857; --s3: #7e22ce; --s4: #b91c1c; --s5: #0e7490;
  --pass: #17794a; --fail: #c2321f; --warn: #8f5a00; --none: #6b7684;
  --pass-bg: #e3f4ea; --fail-bg: #fde8e4; --warn-bg: #fdf0d8; --none-bg: #edf0f3;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10151b; --card: #182029; --ink: #e6ebf1; --soft: #9aa7b5; --line: #2a3541; --accent: #6ea3ff;
    --s0: #7fb0ff; --s1: #f2b84b; --s2: #4fd1a5; --s3: #cfa0ff; --s4: #ff8a8a; --s5: #5fd0e6;
    --pass: #5bd394; --fail: #ff8a76; --warn: #f2b84b; --none: #93a0ad;
    --pass-bg: #143524; --fail-bg: #43211c; --warn-bg: #3b2d10; --none-bg: #232d37;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1060px; margin: 0 auto; padding: 20px 16px 48px; }
h1 { font-size: 17px; margin: 0 0 12px; font-weight: 600; }
h1 small { color: var(--soft); font-weight: 400; }
h2 { font-size: 16px; margin: 0 0 10px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px; margin-top: 14px; }
p { margin: 6px 0; } ul { margin: 6px 0; padding-left: 20px; } li { overflow-wrap: anywhere; }
.soft { color: var(--soft); } .num { font-variant-numeric: tabular-nums; }
.pass { --tone: var(--pass); --tone-bg: var(--pass-bg); } .fail, .regression, .error { --tone: var(--fail); --tone-bg: var(--fail-bg); }
.inconclusive, .interrupted, .not-run { --tone: var(--warn); --tone-bg: var(--warn-bg); } .n-a { --tone: var(--none); --tone-bg: var(--none-bg); }
.banner { display: flex; gap: 16px; align-items: center; border-left: 6px solid var(--tone); background: var(--tone-bg); }
.banner .mark { font-size: 40px; line-height: 1; color: var(--tone); width: 44px; text-align: center; flex: none; }
.banner strong { display: block; font-size: 24px; line-height: 1.2; color: var(--tone); text-transform: capitalize; }
.banner p { margin: 4px 0 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin-top: 14px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tile b { display: block; font-size: 20px; line-height: 1.3; white-space: nowrap; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 13px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 13px; padding: 4px 10px 6px 0; white-space: nowrap; }
td { padding: 7px 10px 7px 0; border-top: 1px solid var(--line); vertical-align: top; }
th.r, td.r { text-align: right; white-space: nowrap; } td:last-child, th:last-child { padding-right: 0; }
code { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.why { display: block; color: var(--soft); font-size: 13px; } .note { display: block; color: var(--tone); font-size: 13px; }
.badge { display: inline-block; white-space: nowrap; padding: 1px 9px; border-radius: 99px; font-size: 13px; font-weight: 600; color: var(--tone); background: var(--tone-bg); }
.use { min-width: 170px; } .use small { display: block; color: var(--soft); }
meter { display: block; width: 100%; height: 14px; margin-top: 4px; }
figure { margin: 6px 0 0; overflow-x: auto; } figure svg { display: block; max-width: 100%; height: auto; min-width: 640px; } td figure { margin: 0; } td figure svg { min-width: 0; }
.plot text { white-space: pre; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 0 14px; } .two > section { min-width: 0; }
h3 { font-size: 14px; margin: 14px 0 4px; } summary { cursor: pointer; margin-top: 10px; }
footer { margin-top: 16px; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
@media (max-width: 720px) {
  .two { grid-template-columns: 1fr; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; }
  .budgets, .budgets tbody { display: block; } .budgets thead { display: none; }
  .budgets tr { display: grid; grid-template-columns: minmax(0, 1fr) max-content; gap: 2px 10px; padding: 10px 0; border-top: 1px solid var(--line); }
  .budgets td { border: 0; padding: 0; } .budgets td.r { text-align: left; } .budgets .verdict { grid-column: 2; grid-row: 1; justify-self: end; }
  .budgets .name { grid-column: 1; grid-row: 1; } .budgets .use { grid-column: 1 / -1; } .budgets .limit { text-align: right; }
}
@media print { body { background: none; } section, .tile { break-inside: avoid; } }
`;
