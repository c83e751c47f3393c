// Brings the many ways to write one thing into one: Unicode mathematics to LaTeX, spacing and size commands away, Markdown
// away. Text in, text out, linear in the length. Knows nothing of what the text means.
import { fractions, signs, synonyms } from './signs.ts';

const superscripts = new Map(
  [...'⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿⁱ⁽⁾'].map((char, i) => [char, '0123456789+-ni()'[i]]),
);
const subscripts = new Map(
  [...'₀₁₂₃₄₅₆₇₈₉₊₋ₐₙₓᵢⱼₖ'].map((char, i) => [char, '0123456789+-anxijk'[i]]),
);

/** Full-width and Chinese punctuation. */
const punctuation = new Map([
  ['、', ', '],
  ['，', ', '],
  ['。', '. '],
  ['；', '; '],
  ['：', ': '],
]);

/** Commands that change how something looks and not what it is. */
const dressing = new Set(
  (
    'left right bigl bigr Bigl Bigr biggl biggr Biggl Biggr big Big bigg Bigg middle displaystyle textstyle ' +
    'scriptstyle limits nolimits nonumber notag hfill hline ! , ; : > quad qquad enspace thinspace medspace ' +
    'thickspace negthinspace kern mathopen mathclose mathrel mathord mathbin rm bf it sf tt boldmath ' +
    'small large Large normalsize centering smallskip medskip bigskip noindent bigstar'
  ).split(' '),
);

/** Symbols that synonyms turn commands into; they keep no backslash. */
const bare = new Set(['<', '>', '|', '[', ']', ':', '(', ')']);

/**
 * `answer` in one way of writing: Unicode signs as LaTeX, size and spacing commands off, Markdown emphasis off.
 * Superscript digits become `^{..}`, vulgar fractions ` 1/2`. A currency sign written `\$` stays `\$`; other dollar signs
 * are taken off.
 */
export function clean(answer: string): string {
  const latex = oneBrace(
    negations(withoutDelimiters(unicodeToLatex(openInterval(oneNotation(answer))))),
  );
  const plain = withoutCommands(latex).replace(/\^\s?\{?\s?\\circ\s?\}?/g, '\\degree ');
  return ordinals(withoutAsides(plain))
    .replace(/[\s\u200b\u200e\u200f\u2060\ufeff]+/g, ' ')
    .replace(/\\mu ?(?:\\(?:text|mathrm) ?\{)? ?(m|g|s|F|L|A|C|V|W|J|N)\b ?\}?$/, '\\text{μ$1}')
    .replace(/\\+$/, '')
    .trim();
}

/** Thousands with a thin gap, angle brackets, primes and ohms in one notation. */
function oneNotation(answer: string): string {
  return answer
    .replace(/,\s{0,3}\\!\s{0,3}(?=\d{3})/g, ',')
    .replace(/\\left ?</g, '\\langle ')
    .replace(/\\right ?>/g, '\\rangle ')
    .replace(/\^ ?\{? ?((?:\\prime ?){1,3})\}?/g, (_, primes: string) =>
      "'".repeat(primes.split('prime').length - 1),
    )
    .replace(/\\(?:text|mathrm) ?\{[~ ]?([kMm]?) ?\\Omega ?\}/g, '\\text{$1Ω}')
    .replace(/(?<=[\d}] ?)([kMm]?) ?\\Omega ?$/, '\\text{$1Ω}');
}

/** "]0, 1[" as "(0, 1)": the outward brackets of other countries. */
function openInterval(answer: string): string {
  const found = /^\s*(\\left)?([\][])([^[\]]{1,200}[,;][^[\]]{1,200}?)(\\right)?([\][])\s*$/.exec(
    answer,
  );
  if (found === null || (found[2] === '[' && found[5] === ']')) return answer;
  return `${found[2] === ']' ? '(' : '['}${found[3]}${found[5] === '[' ? ')' : ']'}`;
}

/** A brace that \\right. closes invisibly stands before a system of equations. */
function oneBrace(text: string): string {
  const unclosed = /\\\{/.test(text) && !/\\\}/.test(text);
  return unclosed ? text.replace(/\\\{/, ' ') : text;
}

/** "\\not=" is one sign. What else is negated is no mathematics that is read here. */
function negations(text: string): string {
  return text
    .replace(/(?<!\\|[a-zA-Z])\{\s*\}/g, ' ')
    .replace(/\\not ?=/g, '\\ne ')
    .replace(/\\not ?\\in(?![a-z])/g, '\\notin ');
}

/** The set that a free integer is from, and the points of "p.m.": both are written or left out at will. */
function withoutAsides(text: string): string {
  // "1 < k < 4, k \in Z" is another set than without its condition.
  const bounded = /[<>]|\\[lg]e(?![a-z])/.test(text);
  return (bounded ? text : withoutIntegers(text)).replace(/\b([ap])\. ?m\b\.?/gi, '$1m');
}

function withoutIntegers(text: string): string {
  return text.replace(
    /(?:[,;]|\\(?:text|mathrm) ?\{[^{}]{0,20}\}|where|for|with)?\s{0,4}\(?\s{0,4}[kmn] ?\\in ?(?:\\math(?:bb|bf|rm) ?\{ ?[ZN] ?\}|\\mathbb ?[ZN]|[ZN])(?: ?[\^_] ?\{? ?[*+] ?\}?)?\s{0,4}\)?\s{0,4}\.?\s{0,4}(\\\})?$/,
    '$1',
  );
}

/** "3rd" and `5^{\text{th}}` are 3 and 5. */
function ordinals(text: string): string {
  return text.replace(
    /(\d) ?\^? ?\{? ?(?:\\(?:text|mathrm|textrm) ?\{ ?)?(?:st|nd|rd|th)(?![a-zA-Z])(?: ?\}){0,2}/g,
    '$1',
  );
}

function unicodeToLatex(answer: string): string {
  let out = '';
  let script: 'up' | 'down' | undefined;
  for (const char of answer) {
    const up = superscripts.get(char);
    const down = up === undefined ? subscripts.get(char) : undefined;
    const now = up !== undefined ? 'up' : down !== undefined ? 'down' : undefined;
    if (script !== undefined && script !== now) out += '}';
    if (now !== undefined && now !== script) out += now === 'up' ? '^{' : '_{';
    script = now;
    out += up ?? down ?? asLatex(char);
  }
  return script === undefined ? out : `${out}}`;
}

function asLatex(char: string): string {
  if (char < '\u0080') return char;
  // "①③" names two statements of a question.
  if (char >= '①' && char <= '⑳') return ` ${char}, `;
  const fraction = fractions.get(char);
  if (fraction !== undefined) return ` ${fraction} `;
  const sign = signs.get(char);
  if (sign !== undefined) return sign.startsWith('\\') ? `${sign} ` : sign;
  return punctuation.get(char) ?? char.normalize('NFKC');
}

/** Markdown emphasis, LaTeX math delimiters and dollar signs that are not currency. */
function withoutDelimiters(text: string): string {
  return text
    .replace(/\\(?:left|right)\s{0,9}\./g, ' ')
    .replace(/(?<=[\w)])\*\*(?=[\d(-])/g, '^')
    .replace(/\*\*|__(?=\S)|`/g, ' ')
    .replace(/^\s{0,9}[*_]([^*_]{1,4000})[*_]\s{0,9}$/, '$1')
    .replace(/\\[()]/g, ' ')
    .replace(/(^|[^\\])\\([[\]])/g, '$1 ')
    .replace(/(\\?)\$/g, (_, slash: string) => (slash === '' ? ' ' : '\\$'));
}

function withoutCommands(text: string): string {
  return text
    .replace(/\\([a-zA-Z]+|[^a-zA-Z])/g, (whole, name: string) => {
      if (name === ' ' || name === '~' || name === '\n') return ' ';
      if (dressing.has(name)) return name === '!' ? '' : ' ';
      if (name === '\\') return '\\\\';
      const other = synonyms.get(name);
      if (other === undefined) return whole;
      if (bare.has(other)) return ` ${other} `;
      return other === '{' || other === '}' || other === '$' ? `\\${other}` : `\\${other} `;
    })
    .replace(/~/g, ' ');
}
