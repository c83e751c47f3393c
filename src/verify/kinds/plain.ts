// Takes the wrapping off an answer (Markdown, LaTeX delimiters, quotes, a closing full stop) and brings typography into
// one form. Linear in the length. Knows nothing of what an answer means.

import { unwrap } from '../unwrap.ts';

/** Commands that only change the look of their argument. */
const fonts =
  /\\(?:text|textbf|textit|textrm|textsf|texttt|mathrm|mathbf|mathit|mathsf|mathtt|mbox|emph|operatorname)\s?\{([^{}]*)\}/g;

/** Fonts inside fonts, deeper than this, are left on. */
const maxLayers = 8;

/** `answer` without what is wrapped around the whole of it, and without fonts. Case and inner spaces stay as they are. */
export function unwrapped(answer: string): string {
  return unwrap(withoutFonts(unwrap(answer)));
}

/** `\text{cm}` is "cm", wherever it stands. */
export function withoutFonts(text: string): string {
  let plain = text;
  for (let layer = 0; layer < maxLayers && plain.includes('\\'); layer++) {
    const inner = plain.replace(fonts, '$1');
    if (inner === plain) break;
    plain = inner;
  }
  return plain;
}

const raised = '\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079';

/**
 * Unicode NFKC with one kind of quote, dash and space. Raised digits and vulgar fractions come first: NFKC alone would
 * make 102 of 10², and 11/2 of 1½.
 */
export function plainTypography(text: string): string {
  return text
    .replace(/[\u2070\u00b9\u00b2\u00b3\u2074-\u2079\u207b]+/g, asPower)
    .replace(/[\u00bc-\u00be\u2150-\u215e\u2189]/g, (char) => ` ${char}`)
    .normalize('NFKC')
    .replace(/\u2044/g, '/')
    .replace(/[\u2018\u2019\u201a\u201b\u2032]/g, "'")
    .replace(/[\u201c-\u201f\u2033\u00ab\u00bb]/g, '"')
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u200b\u2060\ufeff]/g, '');
}

function asPower(digits: string): string {
  const plain = Array.from(digits, (char) => (char === '\u207b' ? '-' : raised.indexOf(char)));
  return `^{${plain.join('')}}`;
}
