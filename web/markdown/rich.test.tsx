/** @jsxImportSource preact */
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { renderToStaticMarkup as render } from 'preact-render-to-string';
import { describe, expect, it } from 'vitest';
import { safeImage, safeLink } from './parse.ts';
import { Rich } from './rich.tsx';

/** What the text becomes, as HTML of a renderer that escapes all text. */
const html = (text: string) => render(<Rich text={text} />).replace(/^<div[^>]*>|<\/div>$/g, '');
const page = (text: string) =>
  parseHTML(`<!doctype html><html><body>${render(<Rich text={text} />)}</body></html>`).document;

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<svg onload=alert(1)><a xlink:href="javascript:alert(1)">x</a></svg>',
  '[x](javascript:alert(1))',
  '[x](JaVaScRiPt:alert(1))',
  '[x](&#106;avascript:alert(1))',
  '[x](java\tscript:alert(1))',
  '[x](vbscript:x)',
  '[x](data:text/html,<script>alert(1)</script>)',
  '[x](data:image/svg+xml;base64,PHN2Zz4=)',
  '![x](javascript:alert(1))',
  '![x](data:image/svg+xml;base64,PHN2Zz4=)',
  '![x](https://example.org/spy.png)',
  '<javascript:alert(1)>',
  '[x]: javascript:alert(1)\n[x]',
  '[x](//example.org)',
  '[x](/people)',
  '[x](http://a"onmouseover="alert(1))',
  String.raw`$\href{javascript:alert(1)}{x}$`,
  String.raw`$\htmlData{x=y}{x}$`,
  '```html\n<script>alert(1)</script>\n```',
  '| <script>a</script> | b |\n|--|--|\n| [x](javascript:a) | c |',
];

/** Everything in a text that could run, load or lead somewhere. */
function dangers(text: string): string[] {
  const found: string[] = [];
  for (const element of page(text).querySelectorAll('*')) {
    const name = element.tagName.toLowerCase();
    if (!ALLOWED.has(name)) found.push(name);
    for (const { name: attribute, value } of element.attributes) {
      if (/^on|^style$|^srcdoc$|^action$/.test(attribute)) found.push(`${name} ${attribute}`);
      if (attribute === 'href' && !/^(?:https?:|mailto:)/.test(value)) found.push(value);
      if (attribute === 'src' && safeImage(value) === null) found.push(value);
    }
  }
  return found;
}

const ALLOWED = new Set(
  'html head body div p span br hr code pre button h3 h4 h5 h6 ul ol li blockquote strong em s a img table thead tbody tr th td'.split(
    ' ',
  ),
);

describe('Markdown of strangers', () => {
  it('becomes the elements that it means', () => {
    expect(html('**a** *b* ~~c~~ `d`')).toBe(
      '<p><strong>a</strong> <em>b</em> <s>c</s> <code>d</code></p>',
    );
    expect(html('- a\n- b')).toBe('<ul><li>a</li><li>b</li></ul>');
    expect(html('3. a\n4. b')).toBe('<ol start="3"><li>a</li><li>b</li></ol>');
    expect(html('> a')).toBe('<blockquote><p>a</p></blockquote>');
    expect(html('# a')).toBe('<h3>a</h3>');
    expect(html('a\nb')).toBe('<p>a<br/>b</p>');
    const cells = [...page('|a|b|\n|:-|-:|\n|1|2|').querySelectorAll('td')];
    expect(cells.map((cell) => [cell.textContent, cell.getAttribute('class')])).toEqual([
      ['1', 'align-left'],
      ['2', 'align-right'],
    ]);
  });

  it('never runs, loads or leads anywhere it should not', () => {
    for (const text of HOSTILE) expect([text, dangers(text)]).toEqual([text, []]);
  });

  it('shows HTML as the text that it is', () => {
    expect(page('<script>alert(1)</script>').querySelector('p')?.textContent).toBe(
      '<script>alert(1)</script>',
    );
  });

  it('stays harmless when hostile pieces are mixed at random', () => {
    const piece = fc.oneof(
      fc.constantFrom(...HOSTILE),
      fc.constantFrom(
        '\n',
        '\n\n',
        '> ',
        '- ',
        '    ',
        '`',
        '```',
        '$',
        '$$',
        '[',
        '](',
        ')',
        '![',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(dangers(pieces.join(''))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('opens links apart, without telling where they come from', () => {
    const link = page('[x](https://example.org/a?b=c)').querySelector('a');
    expect(link?.getAttribute('href')).toBe('https://example.org/a?b=c');
    expect(link?.getAttribute('rel')).toBe('noopener noreferrer');
    expect(link?.getAttribute('target')).toBe('_blank');
    expect(link?.getAttribute('title')).toBe('https://example.org/a?b=c');
  });

  it('shows pictures that hold their own dots, and says what is missing for others', () => {
    const picture = page('![a cat](data:image/png;base64,AAAA)').querySelector('img');
    expect([picture?.getAttribute('src'), picture?.getAttribute('alt')]).toEqual([
      'data:image/png;base64,AAAA',
      'a cat',
    ]);
    expect(page('![a cat](https://example.org/x.png)').body.textContent).toContain(
      'a cat: an image that is not shown',
    );
  });

  it('makes characters that reorder a line visible', () => {
    expect(page('a\u202eb `c\u2066d`').body.textContent).toBe('a[U+202E]b c[U+2066]d');
  });
});

describe('formulas in Markdown', () => {
  const sources = (text: string) =>
    [...page(text).querySelectorAll('.formula')].map((one) => one.textContent);

  it('keep what Markdown would take for its own', () => {
    expect(sources('$a_1*b_2*c_3$ and $$\nx\n- y\n= z\n$$')).toEqual([
      '$a_1*b_2*c_3$',
      '$$\nx\n- y\n= z\n$$',
    ]);
  });

  it('stand in emphasis, lists and cells', () => {
    expect(sources('**$x$**\n\n- $y$\n\n|a|\n|-|\n|$z$|')).toEqual(['$x$', '$y$', '$z$']);
    expect(page('**$x$**').querySelector('strong .formula')).not.toBeNull();
  });

  it('are text again in code and in addresses', () => {
    expect(page('    $x$').querySelector('pre')?.textContent).toBe('$x$');
    expect(page('[a](https://e.org/$b$)').querySelector('a')?.getAttribute('href')).toContain(
      'https://e.org/',
    );
    expect(page('[a](https://e.org/$b$)').body.innerHTML).not.toMatch(/[\ue000-\uf8ff]|%EE/);
  });

  it('cannot be named by a text that knows how they are marked', () => {
    const text = '{\ue0000\ue001 $x$ {\ue0020\ue003';
    expect(sources(text)).toEqual(['$x$']);
    expect(page(text).body.textContent).toBe(text);
  });

  it('keep the point that follows them, and need no breaks around those on lines of their own', () => {
    expect(page('so $x$. Then').querySelector('.nowrap')?.textContent).toBe('$x$.');
    expect(page('so\n$$x$$\nthen').querySelectorAll('br').length).toBe(0);
  });

  it('lose nothing of a text without marks of Markdown', () => {
    fc.assert(
      // A number and a dot at the start would be a list.
      fc.property(fc.stringMatching(/^a[a-z0-9 $(),.]{0,60}$/), (text) => {
        const shown = page(text).body.textContent ?? '';
        expect(shown.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
  });
});

describe('addresses', () => {
  it('of links are http, https and mailto only', () => {
    expect(safeLink('https://example.org')).toBe('https://example.org/');
    expect(safeLink('mailto:a@b.org')).toBe('mailto:a@b.org');
    for (const bad of [
      'javascript:1',
      ' javascript:1',
      'data:text/html,x',
      '//e.org',
      '/a',
      'x',
      '',
    ])
      expect(safeLink(bad)).toBeNull();
  });

  it('of images are data of pictures in dots only', () => {
    for (const type of ['png', 'jpeg', 'webp', 'gif'])
      expect(safeImage(`data:image/${type};base64,AA==`)).not.toBeNull();
    for (const bad of [
      'data:image/svg+xml;base64,AA==',
      'https://e.org/a.png',
      'data:text/html;base64,AA==',
    ])
      expect(safeImage(bad)).toBeNull();
  });
});
