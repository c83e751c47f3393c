/** Text that would do harm if it were anything but text: it sets `window.__hit`, asks other servers, or breaks a page. */

const HIT = 'window.__hit=1';
const OTHER = 'http://other.invalid';

/** In any language that a page might understand. */
export const MARKUP: readonly string[] = [
  `<script>${HIT}</script>`,
  `</textarea></title></script><script>${HIT}</script>`,
  `<img src=x onerror="${HIT}">`,
  `<svg onload="${HIT}"><script>${HIT}</script><animate onbegin="${HIT}"/></svg>`,
  `<math><mtext><style><img src=x onerror="${HIT}"></style></mtext></math>`,
  `<a href="javascript:${HIT}">go</a> <form action="javascript:${HIT}"><button>go</button></form>`,
  `[go](javascript:${HIT}) [go](JaVaScRiPt:${HIT}) [go](data:text/html,<script>${HIT}</script>)`,
  `<javascript:${HIT}> ![dots](javascript:${HIT}) ![dots](${OTHER}/spy.png) ${OTHER}/look`,
  `[a]: javascript:${HIT}\n[go][a] <iframe srcdoc="<script>parent.${HIT}</script>"></iframe>`,
  `<base href="${OTHER}/"><link rel=stylesheet href="${OTHER}/x.css"><meta http-equiv=refresh content="0;${OTHER}">`,
];

export const FORMULAS: readonly string[] = [
  String.raw`$\href{javascript:${HIT}}{x}$ $\url{javascript:${HIT}}$`,
  String.raw`$\htmlData{a=b}{x}$ $\htmlId{answer}{x}$ $\htmlStyle{position:fixed;inset:0}{x}$`,
  String.raw`$\includegraphics{${OTHER}/x.png}$ $\text{<img src=x onerror=${HIT}>}$`,
  String.raw`$\def\a{\a\a}\a$ $\rule{9999em}{9999em}$ $\kern-9999em x$`,
];

/** Text that turns around what stands beside it, or rings a bell. */
export const CHARACTERS = 'abc\u202egpj.exe\u202c \u2066x\u2069 \u200f \u0007\u001b[31m \u0085';

/** A text that ends too early for some, and halves of characters: no door from outside takes them. */
export const BROKEN = ['a\u0000b', 'a\ud800b', 'a\udc00b'] as const;

/** Nested, repeated and long beyond reason. */
export const EXCESS: readonly string[] = [
  '['.repeat(20_000),
  '> '.repeat(5_000),
  '$'.repeat(20_001),
  '*_'.repeat(10_000),
  'w'.repeat(30_000),
  `lorem ipsum $x$ **dolor** ${'w'.repeat(20)} `.repeat(20_000),
];

/** Names that objects have of their own. */
export const INHERITED = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'] as const;
