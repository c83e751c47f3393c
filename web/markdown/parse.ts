/**
 * Markdown with LaTeX, read into tokens. Raw HTML is text, and links and images keep only addresses that cannot run
 * anything. Knows nothing of how tokens are shown.
 *
 * Formulas are cut out before Markdown is read (its rules would break them: `_`, `*`, `\\`, lines that begin with `-`)
 * and stand in the tokens as `maths`. Where they turn up in code or an address they are text again.
 */
import MarkdownIt, { type Token } from 'markdown-it';
import { type Segment, splitMaths } from './maths.ts';

type Formula = Extract<Segment, { kind: 'maths' }>;

export interface Parsed {
  tokens: Token[];
  /** The formulas that tokens of type `maths` name by the number in their content. */
  formulas: readonly Formula[];
}

/** Formulas in one text that are set; further ones stay source. */
const MOST_FORMULAS = 400;

const IMAGE = /^data:image\/(?:png|jpe?g|webp|gif);base64,[a-z0-9+/=\s]*$/i;

/** The address of a link as it may be followed: http, https or mailto; null for all others. */
export function safeLink(address: string): string | null {
  let parsed: URL;
  try {
    parsed = new URL(address);
  } catch {
    return null;
  }
  return ['http:', 'https:', 'mailto:'].includes(parsed.protocol) ? parsed.href : null;
}

/** The address of an image as it may be shown: data of a picture in dots; null for all others. */
export function safeImage(address: string): string | null {
  return IMAGE.test(address) ? address : null;
}

/** Reads a text. */
export function parse(text: string): Parsed {
  const source = text.replaceAll('\r\n', '\n').replaceAll('\0', '\ufffd');
  const [open, close] = unused(source);
  const formulas: Formula[] = [];
  const markdown = splitMaths(source)
    .map((segment) => {
      if (segment.kind === 'text' || formulas.length >= MOST_FORMULAS) return segment.source;
      formulas.push(segment);
      return `{${open}${formulas.length - 1}${close}`;
    })
    .join('');
  const tokens = reader(`{${open}`, close).parse(markdown, {});
  restore(tokens, plainly(open, close, formulas));
  return { tokens, formulas };
}

/** Two characters for private use that the text does not have, so that no text can name a formula. */
function unused(text: string): [string, string] {
  const found: string[] = [];
  for (let code = 0xe000; code <= 0xf8ff && found.length < 2; code += 1) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) found.push(character);
  }
  const [open = '\ue000', close = '\ue001'] = found;
  return [open, close];
}

/** A reader that takes a number between two marks for a formula. The first mark begins with '{', where its text rule stops. */
function reader(open: string, close: string) {
  const markdown = new MarkdownIt('default', {
    html: false,
    linkify: false,
    typographer: false,
    breaks: true,
    maxNesting: 40,
  });
  markdown.validateLink = (address) => safeLink(address) !== null || safeImage(address) !== null;
  // With definitions one line of a prompt could change the links of another; nobody writes them in prompts.
  markdown.block.ruler.disable('reference');
  markdown.inline.ruler.before('text', 'maths', (state, silent) => {
    if (!state.src.startsWith(open, state.pos)) return false;
    const end = state.src.indexOf(close, state.pos);
    if (end === -1) return false;
    if (!silent) state.push('maths', '', 0).content = state.src.slice(state.pos + open.length, end);
    state.pos = end + close.length;
    return true;
  });
  return markdown;
}

/** Puts formulas back as they were written, in text and in addresses, which Markdown encodes. */
function plainly(
  open: string,
  close: string,
  formulas: readonly Formula[],
): (content: string) => string {
  const plain = new RegExp(`\\{${open}(\\d+)${close}`, 'g');
  const encoded = new RegExp(`(?:\\{|%7B)${encodeURI(open)}(\\d+)${encodeURI(close)}`, 'g');
  const source = (mark: string, index: string) => formulas[Number(index)]?.source ?? mark;
  return (content) =>
    content
      .replace(plain, source)
      .replace(encoded, (mark, index) => encodeURIComponent(source(mark, index)));
}

function restore(tokens: readonly Token[], back: (content: string) => string): void {
  for (const token of tokens) {
    if (token.type !== 'maths' && token.type !== 'inline') token.content = back(token.content);
    token.info = back(token.info);
    token.attrs = token.attrs?.map(([name, value]) => [name, back(String(value))]) ?? null;
    if (token.children !== null) restore(token.children, back);
  }
}
