/**
 * The look of the page: one style sheet as text, light and dark and print. The colours come from the
 * Okabe-Ito palette, darkened or lightened until every line and mark has a contrast of 3:1 or more
 * with its background and every text 4.5:1. The text must hold no character that the renderer
 * escapes (quotes, ampersand, less-than), because it goes through the renderer like any other text.
 * The browser app takes its colours, tables, charts and traces from here too.
 */

export const LIGHT = `
  color-scheme: light;
  --bg: #ffffff; --panel: #f6f7f9; --line: #d5d9df; --soft: #e7eaee; --fg: #1a1d21; --dim: #565d67;
  --blue: #0072b2; --orange: #c24e00; --green: #00815d; --purple: #a3467f; --teal: #2b7a9b;
  --olive: #7a6a00; --grey: #6b727c;
  --r-discard: #9aa2ad; --r-self: #3f9fd0; --r-annotate: #e08a00; --on-route: #10141a;
  --heat: 0, 114, 178; --pivot: #c24e00; --warn-bg: #fff3e0; --warn-line: #a84300;`;

export const DARK = `
  color-scheme: dark;
  --bg: #14171b; --panel: #1c2026; --line: #3a414b; --soft: #262b33; --fg: #e8eaed; --dim: #a8b0ba;
  --blue: #5ab4f0; --orange: #ff9455; --green: #3fcf9f; --purple: #e39ac8; --teal: #7fcbe6;
  --olive: #d8c64a; --grey: #a0a8b2;
  --r-discard: #8b94a0; --r-self: #4fa9dc; --r-annotate: #e69f20; --on-route: #0c0f13;
  --heat: 90, 180, 240; --pivot: #ff9455; --warn-bg: #33261a; --warn-line: #ff9455;`;

export const TONES = `
.c-blue { --c: var(--blue) } .c-orange { --c: var(--orange) } .c-green { --c: var(--green) }
.c-purple { --c: var(--purple) } .c-teal { --c: var(--teal) } .c-olive { --c: var(--olive) }
.c-grey { --c: var(--grey) } .c-discard { --c: var(--r-discard) } .c-self { --c: var(--r-self) }
.c-annotate { --c: var(--r-annotate) }
.c-f1 { --c: #8fc4ea } .c-f2 { --c: #f2b55c } .c-f3 { --c: #83d0b0 }
.c-f4 { --c: #e0a8cb } .c-f5 { --c: #bcc3cc } .c-f6 { --c: #d8cd72 }`;

const PAGE = `
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--bg); color: var(--fg); overflow-wrap: break-word;
  font: 16px/1.55 system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif }
main, header.top, footer { max-width: 1160px; margin: 0 auto; padding: 0 20px }
header.top { padding-top: 28px }
footer { padding-top: 16px; padding-bottom: 40px; color: var(--dim); font-size: 14px }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px }
h2 { font-size: 21px; line-height: 1.3; margin: 0 0 10px }
h3 { font-size: 16px; line-height: 1.35; margin: 0 0 6px }
p { margin: 0 0 12px; max-width: 78ch }
a { color: var(--blue) }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace; font-size: 14px }
section { border-top: 1px solid var(--line); padding: 26px 0 22px }
nav ul { display: flex; flex-wrap: wrap; gap: 4px 16px; list-style: none; margin: 14px 0 22px; padding: 0; font-size: 14px }
.dim { color: var(--dim) } .small { font-size: 14px }
@media print {
  body { font-size: 11pt } nav { display: none } section, article, figure { break-inside: avoid-page }
  section { break-inside: auto } .table { overflow: visible }
  details::details-content { content-visibility: visible; block-size: auto }
}`;

export const PIECES = `
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 230px), 1fr)); gap: 10px 24px; margin: 16px 0 }
.facts dt { color: var(--dim); font-size: 13px } .facts dd { margin: 0 }
pre.command { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px;
  margin: 6px 0 14px; overflow-x: auto; white-space: pre }
.lead { font-size: 18px; line-height: 1.5 }
.verdict { background: var(--panel); border-left: 4px solid var(--blue); border-radius: 0 6px 6px 0; padding: 14px 16px; margin: 0 0 18px }
.verdict p:last-child, .verdict ul:last-child { margin-bottom: 0 }
.verdict ul { margin: 0 0 8px; padding-left: 20px }
.warning { background: var(--warn-bg); border: 1px solid var(--warn-line); border-left-width: 6px; border-radius: 6px;
  padding: 10px 14px; margin: 0 0 14px }
.warning p { margin: 0 } .warning strong { color: var(--warn-line) }
.missing { color: var(--dim); border: 1px dashed var(--line); border-radius: 6px; padding: 12px 14px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 0 0 18px }
.tiles div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 10px 12px }
.tiles dt { color: var(--dim); font-size: 13px; line-height: 1.3 }
.tiles dd { margin: 2px 0 0; font-size: 20px; line-height: 1.25; font-variant-numeric: tabular-nums }
.tiles dd span { display: block; font-size: 13px; line-height: 1.35; color: var(--dim) }`;

export const TABLES = `
.table { overflow-x: auto; margin: 0 0 16px; border: 1px solid var(--line); border-radius: 6px }
.table:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.4 }
caption { text-align: left; padding: 9px 12px; color: var(--dim); font-size: 14px; border-bottom: 1px solid var(--line) }
caption span { display: inline-block; position: sticky; left: 12px; max-width: min(78ch, calc(100vw - 68px)) }
th, td { padding: 7px 10px; text-align: left; vertical-align: top; border-bottom: 1px solid var(--soft) }
tbody tr:last-child > * { border-bottom: 0 }
thead th { background: var(--panel); font-weight: 600; vertical-align: bottom; border-bottom: 1px solid var(--line) }
thead th { min-width: 70px }
th.n, td.n { text-align: right; font-variant-numeric: tabular-nums }
td.n { white-space: nowrap }
tbody th, tfoot th { position: sticky; left: 0; background: var(--bg) }
tbody th { font-weight: 600; min-width: 130px } tbody th .small { font-weight: 400; display: block }
tr.mark > * { background: var(--panel) }
tfoot th, tfoot td { border-top: 1px solid var(--line); font-weight: 600 }
td .ci { display: block; color: var(--dim); font-size: 13px }
td.text { min-width: 180px; overflow-wrap: anywhere }`;

export const CHARTS = `
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 22px 28px; margin: 0 0 18px }
.small-multiples { grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)) }
figure { margin: 0 0 18px; min-width: 0 } .charts figure { margin: 0 }
figcaption { font-size: 14px; color: var(--dim); margin: 0 0 6px; max-width: 78ch }
figcaption strong { display: block; color: var(--fg); font-size: 15px }
.plot { container-type: inline-size }
svg { display: block; width: 100%; height: auto; overflow: visible }
svg text { font: 12px system-ui, -apple-system, Segoe UI, Roboto, DejaVu Sans, sans-serif; fill: var(--dim) }
.plot .wide { display: none }
@container (min-width: 740px) { .plot .wide { display: block } .plot .wide ~ .narrow { display: none } }
.plot .narrow { max-width: 480px }
.grid { stroke: var(--soft); stroke-width: 1; fill: none } .axis { stroke: var(--line); stroke-width: 1; fill: none }
.curve { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round }
.thin { stroke-width: 1.6 }
.leader { stroke: var(--c); stroke-width: 1; opacity: .45; fill: none }
.band { fill: var(--c); opacity: .17; stroke: none }
.dot { fill: var(--c); stroke: var(--bg); stroke-width: .75 }
.hollow { fill: var(--bg); stroke: var(--c); stroke-width: 1.8 }
.area { fill: var(--c) } .rule { stroke: var(--fg); stroke-width: 1.2; stroke-dasharray: 5 4; fill: none }
svg text.tag { fill: var(--c); font-weight: 600 } svg text.strong { fill: var(--fg); paint-order: stroke; stroke: var(--bg); stroke-width: 3px; stroke-linejoin: round }
svg text.on { fill: var(--on-route); font-weight: 600 }
.legend { display: flex; flex-wrap: wrap; gap: 3px 16px; list-style: none; margin: 0 0 6px; padding: 0; font-size: 13px }
.legend li { display: flex; align-items: center; gap: 6px }
.legend svg { flex: none; width: 28px; height: 12px }
.key { display: inline-block; width: 12px; height: 12px; border-radius: 3px; background: var(--c); flex: none; vertical-align: -1px }`;

export const TRACES = `
details.trace { border: 1px solid var(--line); border-radius: 6px; padding: 0; margin: 0 0 14px }
details.trace > summary { padding: 10px 14px; cursor: pointer; overflow-wrap: anywhere }
details.trace > summary:focus-visible { outline: 2px solid var(--blue) }
.trace .body { padding: 4px 14px 14px; border-top: 1px solid var(--soft) }
.badge { display: inline-block; padding: 0 8px; border-radius: 10px; background: var(--c); color: var(--on-route); font-size: 13px; font-weight: 600 }
.trace h4 { font-size: 13px; color: var(--dim); font-weight: 600; margin: 10px 0 4px }
.trace pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; line-height: 1.75; background: var(--panel); border-radius: 4px; padding: 8px 10px; max-height: 460px; overflow-y: auto }
.trace pre:focus-visible { outline: 2px solid var(--blue) }
.t { unicode-bidi: isolate; border-radius: 2px; padding: 1px 0 }
.t1 { background: rgba(var(--heat), .06) } .t2 { background: rgba(var(--heat), .12) } .t3 { background: rgba(var(--heat), .18) }
.t4 { background: rgba(var(--heat), .24) } .t5 { background: rgba(var(--heat), .31) } .t6 { background: rgba(var(--heat), .38) }
mark.t { color: inherit; background-color: transparent } mark.t1 { background: rgba(var(--heat), .06) }
mark.t2 { background: rgba(var(--heat), .12) } mark.t3 { background: rgba(var(--heat), .18) } mark.t4 { background: rgba(var(--heat), .24) }
mark.t5 { background: rgba(var(--heat), .31) } mark.t6 { background: rgba(var(--heat), .38) }
mark.t { outline: 2px solid var(--pivot); outline-offset: -1px; font-weight: 700 }
.scale { display: inline-flex; vertical-align: middle; border: 1px solid var(--line); border-radius: 2px }
.scale i { width: 16px; height: 12px }
@media print { .trace pre { max-height: none; overflow: visible } .t, .badge, .key { print-color-adjust: exact; -webkit-print-color-adjust: exact } }`;

/** The whole style sheet. */
export const STYLE = [
  `:root {${LIGHT}\n}`,
  `@media (prefers-color-scheme: dark) { @media not print { :root {${DARK}\n} } }`,
  TONES,
  PAGE,
  PIECES,
  TABLES,
  CHARTS,
  TRACES,
].join('\n');
