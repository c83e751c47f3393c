import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LONGEST_FORMULA, splitMaths } from './maths.ts';

const formulas = (text: string) =>
  splitMaths(text).flatMap((one) => (one.kind === 'maths' ? [[one.tex, one.display]] : []));

describe('splitMaths', () => {
  it('finds the four kinds of delimiters', () => {
    expect(formulas(String.raw`a $x$ b $$y$$ c \(z\) d \[w\] e`)).toEqual([
      ['x', false],
      ['y', true],
      ['z', false],
      ['w', true],
    ]);
  });

  it('takes whole environments, nested ones too, as display formulas', () => {
    const matrix = String.raw`\begin{matrix}\begin{matrix}1\end{matrix}\end{matrix}`;
    expect(formulas(`so ${matrix} holds`)).toEqual([[matrix, true]]);
    expect(formulas(String.raw`\begin{itemize}\item a\end{itemize}`)).toEqual([]);
  });

  it('leaves sums of money alone', () => {
    for (const text of [
      'It costs $5 and $10.',
      'from $5 to $10, or $20',
      'US$ 5 and US$ 6',
      '$1,000.50 is more than $999',
      '5$',
    ])
      expect(formulas(text)).toEqual([]);
  });

  it('finds a formula after a sum of money', () => {
    expect(formulas('costs $5 and $10 or $x$ more')).toEqual([['x', false]]);
  });

  it('takes a padded formula only where it holds something of LaTeX', () => {
    expect(formulas('if $ x^2 $ then')).toEqual([[' x^2 ', false]]);
    expect(formulas('a $ b $ c')).toEqual([]);
  });

  it('does not look into code', () => {
    for (const text of [
      '`$x$`',
      '``a ` $x$ ``',
      '```\n$x$\n```',
      '~~~tex\n$$x$$\n~~~',
      '> ```\n> $x$\n> ```',
      '```\nnever closed $x$',
    ])
      expect(formulas(text)).toEqual([]);
  });

  it('goes on after code, and after back ticks that close nothing', () => {
    expect(formulas('`a` $x$')).toEqual([['x', false]]);
    expect(formulas('a ` b $x$')).toEqual([['x', false]]);
    expect(formulas('```\na\n```\n$x$')).toEqual([['x', false]]);
  });

  it('heeds escapes outside and inside', () => {
    expect(formulas(String.raw`\$5$ and \\(x\\)`)).toEqual([]);
    expect(formulas(String.raw`$\$5$`)).toEqual([[String.raw`\$5`, false]]);
  });

  it('does not carry an inline formula over a blank line', () => {
    expect(formulas('a $x\n\ny$ b')).toEqual([]);
    expect(formulas('a $$x\n\ny$$ b')).toEqual([['x\n\ny', true]]);
  });

  it('leaves a formula without end, or too long, as text', () => {
    expect(formulas('$$x')).toEqual([]);
    expect(formulas(`$${'x'.repeat(LONGEST_FORMULA + 1)}$`)).toEqual([]);
  });

  it('loses and changes nothing of any text', () => {
    const parts = [
      '$',
      '$$',
      '\\',
      '\\(',
      '\\)',
      '\\[',
      '\\]',
      '`',
      '```',
      '~~~',
      '\n',
      ' ',
      'x',
      '5',
    ];
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(...parts)).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(text, (source) => {
        const pieces = splitMaths(source);
        expect(pieces.map((piece) => piece.source).join('')).toBe(source);
        for (let at = 1; at < pieces.length; at += 1)
          expect([pieces[at - 1]?.kind, pieces[at]?.kind]).not.toEqual(['text', 'text']);
        for (const piece of pieces)
          if (piece.kind === 'maths') expect(piece.source).toContain(piece.tex);
      }),
    );
  });

  it('comes to an end with texts made to make it slow', () => {
    for (const unit of ['$a ', '`a``b```c', '$$ ', '\\begin{matrix}', '\\(', '~~~\n'])
      expect(splitMaths(unit.repeat(20_000 / unit.length)).length).toBeGreaterThan(0);
  });
});
