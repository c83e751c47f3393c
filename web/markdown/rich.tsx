/** @jsxImportSource preact */
/**
 * Shows Markdown with LaTeX of strangers: tokens become elements one by one, only of the kinds named here, and no text
 * is ever parsed as HTML.
 */

import type { Token } from 'markdown-it';
import { type ComponentChildren, type ComponentType, createElement } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { visible } from '../../src/report/format.ts';
import { scrollBox } from '../../src/report/sections/parts.tsx';
import { Foreign, LongText, ShowAll, safeCut } from '../parts/foreign.tsx';
import { Formula } from './formula.tsx';
import { type Parsed, parse, safeImage, safeLink } from './parse.ts';

/** Characters that are read as Markdown; of a longer text the rest comes on demand, as it is. */
const LONGEST = 20_000;

/** Markdown with LaTeX. */
export function Rich({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const long = text.length > LONGEST;
  const parsed = useMemo(() => parse(long ? safeCut(text, LONGEST) : text), [text, long]);
  if (long && all) return <LongText text={text} first={text.length} />;
  return (
    <div class="rich" dir="auto">
      {nodes(parsed)}
      {long ? <ShowAll length={text.length} onShow={() => setAll(true)} /> : null}
    </div>
  );
}

/** The elements of a parsed text. */
export function nodes(parsed: Parsed): ComponentChildren[] {
  return new Builder(parsed).build(parsed.tokens);
}

interface Open {
  /** null: its children stand without an element of their own (tight list items, refused links). */
  tag: string | ComponentType | null;
  props: Record<string, unknown>;
  children: ComponentChildren[];
}

const TAGS = new Set(
  'p ul ol li blockquote strong em s table thead tbody tr th td h1 h2 h3 h4 h5 h6'.split(' '),
);

class Builder {
  readonly #parsed: Parsed;
  readonly #open: Open[] = [{ tag: null, props: {}, children: [] }];
  #key = 0;

  constructor(parsed: Parsed) {
    this.#parsed = parsed;
  }

  build(tokens: readonly Token[]): ComponentChildren[] {
    for (const token of tokens) this.#take(token);
    while (this.#open.length > 1) this.#shut();
    return this.#open[0]?.children ?? [];
  }

  #take(token: Token): void {
    if (token.type === 'inline') this.#line(token.children ?? []);
    else if (token.nesting === 1) this.#open.push(opened(token));
    else if (token.nesting === -1) this.#shut();
    else this.#add(this.#leaf(token));
  }

  /** A formula on lines of its own needs no breaks around it, and the point behind a formula stays with it. */
  #line(tokens: readonly Token[]): void {
    for (let at = 0; at < tokens.length; at += 1) {
      const token = tokens[at];
      if (token === undefined) continue;
      const next = tokens[at + 1];
      if (token.type === 'softbreak' && (this.#isDisplay(tokens[at - 1]) || this.#isDisplay(next)))
        continue;
      const point = next?.type === 'text' ? /^[.,;:!?)\]}’”%]+/.exec(next.content)?.[0] : undefined;
      if (token.type === 'maths' && !this.#isDisplay(token) && next && point !== undefined) {
        this.#key += 1;
        this.#add(
          <span class="nowrap" key={this.#key}>
            {this.#leaf(token)}
            {point}
          </span>,
        );
        this.#add(visible(next.content.slice(point.length)));
        at += 1;
      } else this.#take(token);
    }
  }

  #isDisplay(token: Token | undefined): boolean {
    return (
      token?.type === 'maths' && this.#parsed.formulas[Number(token.content)]?.display === true
    );
  }

  #add(node: ComponentChildren): void {
    this.#open.at(-1)?.children.push(node);
  }

  #shut(): void {
    const { tag, props, children } = this.#open.pop() ?? { tag: null, props: {}, children: [] };
    if (tag === null) {
      for (const child of children) this.#add(child);
      return;
    }
    this.#key += 1;
    const made = createElement(tag, { ...props, key: this.#key }, ...children);
    this.#add(tag === 'table' ? scrolling(made, this.#key) : made);
  }

  #leaf(token: Token): ComponentChildren {
    this.#key += 1;
    const key = this.#key;
    switch (token.type) {
      case 'text':
      case 'text_special':
        return visible(token.content);
      case 'softbreak':
      case 'hardbreak':
        return <br key={key} />;
      case 'hr':
        return <hr key={key} />;
      case 'code_inline':
        return <code key={key}>{visible(token.content)}</code>;
      case 'fence':
      case 'code_block':
        return <Code key={key} text={token.content} />;
      case 'image':
        return <Picture key={key} token={token} />;
      case 'maths': {
        const formula = this.#parsed.formulas[Number(token.content)];
        return formula === undefined ? null : <Formula key={key} {...formula} />;
      }
      default:
        return visible(token.content);
    }
  }
}

function opened(token: Token): Open {
  const children: ComponentChildren[] = [];
  if (token.type === 'link_open') return { ...link(token.attrGet('href')), children };
  if (!TAGS.has(token.tag) || token.hidden) return { tag: null, props: {}, children };
  const heading = /^h([1-6])$/.exec(token.tag)?.[1];
  // The page has the first two levels for itself.
  const tag = heading === undefined ? token.tag : `h${Math.min(6, Number(heading) + 2)}`;
  const start = token.tag === 'ol' ? Number(token.attrGet('start') ?? 1) : 1;
  const align = /^text-align:(left|right|center)$/.exec(String(token.attrGet('style') ?? ''))?.[1];
  const props = {
    ...(start === 1 || !Number.isSafeInteger(start) ? {} : { start }),
    ...(align === undefined ? {} : { class: `align-${align}` }),
  };
  return { tag, props, children };
}

function link(href: string | number | null): Pick<Open, 'tag' | 'props'> {
  const safe = href === null ? null : safeLink(String(href));
  if (safe === null) return { tag: null, props: {} };
  return {
    tag: 'a',
    props: { href: safe, title: visible(safe), target: '_blank', rel: 'noopener noreferrer' },
  };
}

function scrolling(table: ComponentChildren, key: number): ComponentChildren {
  return (
    <div class="table" {...scrollBox('Table in the text')} key={key}>
      {table}
    </div>
  );
}

function Code({ text }: { text: string }) {
  return <LongText text={text.replace(/\n$/, '')} />;
}

function Picture({ token }: { token: Token }) {
  const url = safeImage(String(token.attrGet('src') ?? ''));
  const said = visible((token.children ?? []).map((child) => child.content).join('')).trim();
  return <Shown url={url} said={said} />;
}

/** An image, or a sentence that says why there is none; `address`: where the image is, when it is elsewhere. */
export function Shown(props: { url: string | null; said: string; address?: string | null }) {
  const { url, said, address = null } = props;
  const [broken, setBroken] = useState(false);
  if (address !== null) {
    return (
      <span class="no-image">
        [an image that this page does not load, since its owner would learn who looks:{' '}
        <Foreign text={address} />]
      </span>
    );
  }
  if (url === null || broken) {
    const why = broken ? 'this image cannot be read' : 'an image that is not shown';
    return <span class="no-image">[{said === '' ? why : `${said}: ${why}`}]</span>;
  }
  return (
    <img
      src={url}
      alt={said === '' ? 'Image of the question' : said}
      onError={() => setBroken(true)}
    />
  );
}
