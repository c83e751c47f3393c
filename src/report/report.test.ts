import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import type { ReportData } from './data.ts';
import { renderReport, writeReport } from './report.tsx';
import { emptyReport, sampleReport } from './testing/fixture.ts';
import { STYLE } from './theme.ts';

const WORDS = /NaN|undefined|Infinity|\[object/;

/** `value` with every number, string and boolean replaced by what `change` makes of it. */
function mapLeaves(
  value: unknown,
  change: (leaf: unknown, key: string) => unknown,
  key = '',
): unknown {
  if (Array.isArray(value)) return value.map((item) => mapLeaves(item, change, key));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, mapLeaves(item, change, name)]),
    );
  }
  return change(value, key);
}

function changed(change: (leaf: unknown, key: string) => unknown): ReportData {
  return mapLeaves(sampleReport(), change) as ReportData;
}

/** Keys whose strings are words of our own, not foreign text. */
const OWN = new Set(['kind', 'route', 'rule', 'verdict', 'parameter', 'reached', 'reference']);

/** Every foreign string of the sample replaced; ids stay distinct by a number at the end. */
function hostile(text: string): ReportData {
  let count = 0;
  return changed((leaf, key) =>
    typeof leaf === 'string' && !OWN.has(key) ? `${text}${count++}` : leaf,
  );
}

/** How often each element occurs, and what no report may contain. */
function census(html: string): { names: Map<string, number>; bad: string[] } {
  const names = new Map<string, number>();
  const bad: string[] = [];
  for (const element of parseHTML(html).document.querySelectorAll('*')) {
    const name = element.tagName.toLowerCase();
    names.set(name, (names.get(name) ?? 0) + 1);
    if (/^(script|img|iframe|object|embed|form|base|foreignobject)$/.test(name)) bad.push(name);
    for (const attribute of element.attributes) {
      const link = attribute.name === 'href' && !/^(#|data:,$)/.test(attribute.value);
      if (link || /^(on|srcdoc$|action$|src$)/i.test(attribute.name)) bad.push(attribute.name);
    }
  }
  return { names, bad };
}

describe('renderReport', () => {
  const html = renderReport(sampleReport());
  const { document } = parseHTML(html);

  it('has every section with a heading that its landmark is named by', () => {
    const sections = [...document.querySelectorAll('main > section')];
    expect(sections.map((s) => s.id)).toEqual([
      'summary',
      'routes',
      'score',
      'sensitivity',
      'training',
      'routing',
      'examples',
      'cost',
    ]);
    for (const section of sections) {
      const heading = section.querySelector('h2');
      expect(heading?.id).toBe(section.getAttribute('aria-labelledby'));
      expect(document.querySelector(`nav a[href="#${section.id}"]`)?.textContent).toBe(
        heading?.textContent,
      );
    }
    expect(document.querySelectorAll('h1').length).toBe(1);
    expect(document.querySelectorAll('.missing').length).toBe(0);
  });

  it('forbids everything but its own style', () => {
    const policy = document.querySelector('meta[http-equiv="Content-Security-Policy"]');
    expect(policy?.getAttribute('content')).toMatch(
      /^default-src 'none'; style-src 'unsafe-inline'/,
    );
    expect(html).not.toMatch(/<script|url\(|@import|https?:/i);
    expect(STYLE).not.toMatch(/["&<]/);
  });

  it('shows every arm, the losing ones too, with labels and what was not reached', () => {
    const rows = [...document.querySelectorAll('#summary tbody tr')].map((row) => row.textContent);
    expect(rows.length).toBe(6);
    const random = rows.find((row) => row.includes('Random triage'));
    expect(random).toContain('75.6\u00a0%');
    expect(random).toContain('not reached');
    expect(random).toContain('29.3\u00a0%');
    expect(document.querySelector('#summary .verdict')?.textContent).toContain(
      'one seed is one seed',
    );
  });

  it('puts length beside the score and warns of ties', () => {
    const tiles = document.querySelector('#score .tiles')?.textContent ?? '';
    expect(tiles).toContain('−0.73');
    expect(tiles).toContain('−0.53');
    expect(tiles).toContain('−0.35');
    expect(document.querySelector('#score .warning')?.textContent).toContain('arbitrary');
  });

  it('warns loudly of a score no better than chance and of a fallback', () => {
    const data = sampleReport();
    if (data.score !== null) {
      data.score.beatsChance = false;
      data.score.fallback = 'quota by mean entropy';
    }
    if (data.triage !== null) data.triage.fallback = 'random routes';
    const text = parseHTML(renderReport(data)).document.querySelector('main')?.textContent;
    expect(text).toContain('does not rank prompts better than chance');
    expect(text).toContain('quota by mean entropy');
    expect(text).toContain('random routes');
  });

  it('draws every probe, every threshold and a line per arm, once per size', () => {
    const rank = document.querySelectorAll('#score figure')[0];
    for (const size of ['wide', 'narrow']) {
      const svg = rank?.querySelector(`svg.${size}`);
      expect(svg?.querySelectorAll('g.c-orange > *').length).toBe(100);
      expect(svg?.querySelectorAll('path.rule').length).toBe(2);
      const curves = document.querySelectorAll(
        `#training figure:first-of-type svg.${size} path.curve`,
      );
      expect(curves.length).toBeGreaterThanOrEqual(5);
    }
  });

  it('marks exactly the pivots of an example', () => {
    const wanted = sampleReport().examples?.[2]?.tokens.filter((t) => t.pivot).length;
    expect(wanted).toBeGreaterThan(0);
    const last = [...document.querySelectorAll('details.trace')][2];
    expect(last?.querySelectorAll('mark').length).toBe(wanted);
    expect(last?.querySelector('pre[role]')?.textContent).toContain('check: 45 - 28 = 17');
  });

  it('tells how to fill each section when nothing was run', () => {
    const empty = renderReport(emptyReport());
    const missing = [...parseHTML(empty).document.querySelectorAll('.missing code')];
    expect(missing.length).toBe(8);
    for (const code of missing) expect(code.textContent).toMatch(/^pivottrace [a-z]+/);
    expect(empty).not.toMatch(WORDS);
  });

  it('copes with empty lists everywhere', () => {
    const strip = (value: unknown): unknown => {
      if (Array.isArray(value)) return [];
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, strip(v)]));
    };
    expect(renderReport(strip(sampleReport()) as ReportData)).not.toMatch(WORDS);
  });

  it('never prints a number that is none', () => {
    for (const bad of [Number.NaN, Infinity, -Infinity, null]) {
      const text = renderReport(changed((leaf) => (typeof leaf === 'number' ? bad : leaf)));
      expect(text).not.toMatch(WORDS);
      expect(text).not.toMatch(/"null"|>null</);
    }
    fc.assert(
      fc.property(fc.array(fc.double(), { minLength: 40, maxLength: 40 }), (numbers) => {
        let i = 0;
        const data = changed((leaf) =>
          typeof leaf === 'number' ? (numbers[i++ % numbers.length] ?? 0) : leaf,
        );
        expect(renderReport(data)).not.toMatch(WORDS);
      }),
      { numRuns: 10 },
    );
  });

  it('keeps hostile text inert in every field', () => {
    const attacks = [
      '<script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='alert(1)",
      '</style><script>alert(1)</script>',
      '</title></svg><svg onload=alert(1)>',
      '<!--',
      ']]><foreignObject><iframe src=javascript:alert(1)>',
      '&lt;script&gt;',
      '\u202e\u0000\ud800',
    ];
    const plain = census(renderReport(hostile('plain')));
    for (const attack of attacks) {
      const text = renderReport(hostile(attack));
      expect(census(text)).toEqual(plain);
      for (const bad of ['\u0000', '\u202e', '\ud800']) expect(text.includes(bad)).toBe(false);
    }
    expect(plain.bad).toEqual([]);
    const shown = parseHTML(renderReport(hostile('<b>x</b>'))).document;
    expect(shown.querySelector('h1')?.textContent).toBe('<b>x</b>0');
    expect(shown.querySelector('details pre')?.textContent).toContain('<b>x</b>');
  });

  it('gives the same text for the same data, and is written whole', () => {
    expect(renderReport(sampleReport())).toBe(html);
    const folder = mkdtempSync(join(tmpdir(), 'report-'));
    writeReport(join(folder, 'report.html'), sampleReport());
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toBe(html);
    expect(readdirSync(folder)).toEqual(['report.html']);
    rmSync(folder, { recursive: true });
  });
});
