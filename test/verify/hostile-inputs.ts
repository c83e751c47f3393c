/** Inputs for the fuzz test of the verifiers: broken LaTeX, random characters, and what is made to hang a reader. */
import { type RandomStream, stream } from '../../src/core/random.ts';

export interface FuzzInput {
  /** What kind of mischief it is. */
  what: string;
  gold: string;
  answer: string;
  /** `answer` somewhere in a response. */
  response: string;
}

/** The input with this number; the same seed and number always give the same. */
export function fuzzInput(seed: number, number: number): FuzzInput {
  const random = stream(seed, 'fuzz', number);
  const names = Object.keys(makers);
  const what = pick(random, names);
  const answer = makers[what](random);
  // Half of the golds are of the same kind of mischief: the two sides meet in the dearest rungs.
  const gold = random.uniform() < 0.5 ? makers[what](random) : pick(random, plain);
  return { what, gold, answer, response: pick(random, wrappings)(answer) };
}

const plain = [
  ...['45', '-3', '0.125', '1,000', '1 1/2', '\\frac{1}{2}', '\\dfrac{-3}{7}', '50\\%', '3.2e-5'],
  ...['2\\sqrt{3}', '\\pi/4', '3 + 4i', 'e^{2\\pi i}', '\\log_2 8', '\\sqrt[3]{-8}', '90^\\circ'],
  ...['(1, 2)', '[0, 5)', '(-\\infty, 3] \\cup (4, \\infty)', '\\{1, 2, 3\\}', '1 \\pm \\sqrt{2}'],
  ...['x = 5', 'x > 3', 'x = 1, y = 2', 'x^2 + 2x + 1', '(x+1)^2', 'a(b+c)', '\\frac{x^2-1}{x-1}'],
  ...[
    '\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}',
    '\\text{north}',
    '5 \\text{ cm}',
    '$12.50',
  ],
  ...[
    'B',
    '(C) the cat',
    'A, C',
    '½',
    '2×10³',
    'x₁',
    '∞',
    '{"a": [1, 2.5, null]}',
    '^a+b$',
    '1\n2\n3',
  ],
];

const wrappings: readonly ((answer: string) => string)[] = [
  (answer) => answer,
  (answer) => `So the answer is \\boxed{${answer}}.`,
  (answer) => `Let me see.\n\n**Final answer:** $${answer}$`,
  (answer) => `<think>${answer} or 3?</think>\n<answer>${answer}</answer>`,
  (answer) => `work\n#### ${answer}`,
  (answer) => `We get \\[ x = ${answer} \\] and are done.`,
  (answer) => `${'So on and so forth, x = 3. '.repeat(200)}\nThe answer is ${answer}`,
  (answer) => `\\boxed{${answer}} ${'\\boxed{'.repeat(50)}`,
];

const makers: Readonly<Record<string, (random: RandomStream) => string>> = {
  'mutated LaTeX': (random) => mutated(random, pick(random, plain), 1 + random.below(8)),
  'shuffled tokens': (random) => tokens(random, 1 + random.below(40)),
  'long tokens': (random) => tokens(random, 200 + random.below(800)),
  'random bytes': (random) => text(random, 1 + random.below(200), 256),
  'random characters': (random) => text(random, 1 + random.below(200), 0x10000),
  'odd characters': (random) => mutatedWith(random, pick(random, plain), 1 + random.below(12), odd),
  'tower of powers': (random) => tower(random, 2 + random.below(60)),
  'great powers': (random) => {
    const base = pick(random, ['2', '10', '0.5', '1.0000001', 'x', '(x+y+1)', '\\pi', '-3', 'i']);
    return `${base}^{${pick(random, ['-', ''])}${digits(random, 2 + random.below(12))}}`;
  },
  factorials: (random) => {
    const chain = `${'('.repeat(8)}${3 + random.below(9)}${'!)'.repeat(8)}`;
    return pick(random, [
      chain,
      `${digits(random, 1 + random.below(9))}${'!'.repeat(1 + random.below(50))}`,
    ]);
  },
  'dear functions': (random) => {
    const n = digits(random, 1 + random.below(10));
    return pick(random, [
      `\\binom{${n}}{${n}}`,
      `\\binom{${n}00}{${n}}`,
      `\\sum_{k=1}^{${n}} k^{${n}}`,
      `\\prod_{k=1}^{${n}} k`,
      `\\int_0^{${n}} e^{x^2} dx`,
      `\\gcd(${n}, ${n}1)`,
      `${n} \\bmod 7^{${n}}`,
      `\\log_{1.${'0'.repeat(20)}1} ${n}`,
      `1e${n}`,
      `10^{10^{${n}}}`,
      `\\sqrt[${n}]{${n}}`,
      `0.${n}\\overline{${n}${n}}`,
    ]);
  },
  'deep nesting': (random) => nested(random, 5 + random.below(1000)),
  expansion: (random) => {
    const power = 2 + random.below(200);
    return pick(random, [
      `(a+b+c+d+e+f+g)^{${power}}`,
      `(x+1)^{${power}}(x-1)^{${power}}`,
      Array.from({ length: power }, (_, i) => `(x+${i})`).join(''),
      Array.from({ length: power }, (_, i) => `\\sqrt{x+${i}}`).join('+'),
      Array.from({ length: 60 }, (_, i) => `\\frac{1}{x+${i}}`).join('+'),
      `(\\sqrt{2}+\\sqrt{3}+\\sqrt{5}+\\sqrt{7}+\\sqrt{11})^{${power}}`,
      `${'('.repeat(power)}x${')^2'.repeat(power)}`,
    ]);
  },
  'great matrix': (random) => {
    const size = 2 + random.below(60);
    const row = Array.from({ length: size }, (_, i) => `${i}`).join(' & ');
    return `\\begin{pmatrix}${Array.from({ length: size }, () => row).join(' \\\\ ')}\\end{pmatrix}`;
  },
  'long list': (random) => {
    const items = Array.from({ length: 2 + random.below(1500) }, () => String(random.below(99)));
    return pick(random, [
      `\\{${items.join(',')}\\}`,
      `(${items.join(', ')})`,
      items.join(' \\cup '),
    ]);
  },
  'many plus-minus': (random) =>
    Array.from({ length: 2 + random.below(40) }, () => '\\pm 1').join(' '),
  'long number': (random) =>
    digits(random, 1 + random.below(4000)) + pick(random, ['', '.5', '%', '/3', 'e9', '!', ' cm']),
  'a million characters': (random) =>
    pick(random, ['9', '(', '\\frac{', 'a+', '\\boxed{', ' ', '\n', '-', '{', '####', '$']).repeat(
      Math.ceil((200_000 + random.below(800_000)) / 4),
    ),
  'bait for regular expressions': (random) => {
    const many = 100 + random.below(3800);
    return pick(random, [
      `${'a'.repeat(many)}!`,
      `${'1,'.repeat(many / 2)}x`,
      `${' '.repeat(many)}x`,
      `${'\\ '.repeat(many / 2)}x`,
      `${'1 '.repeat(many / 2)}/`,
      `${'answer is '.repeat(many / 10)}`,
      `${'**'.repeat(many / 2)}x`,
      `${'1.'.repeat(many / 2)}`,
      `${'x='.repeat(many / 2)}1`,
    ]);
  },
  'bad patterns': (random) =>
    pick(random, [
      ...['^(a+)+$', '(x+x+)+y', '(a|aa)+$', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*)*b', '(?=.*a)*'],
      ...['(', '[', 'a{1,99999}', '(a{1,999}){1,999}', '\\p{L', '(?<n>a)\\k<n>', '(?:){99999999}'],
    ]),
  data: (random) => {
    const depth = 1 + random.below(2000);
    return pick(random, [
      '['.repeat(depth) + ']'.repeat(depth),
      `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      `{"__proto__": {"x": 1}, "a": ${digits(random, 300)}}`,
      `[${'1e999,'.repeat(100)}1]`,
      '{"a": 1, "a": 2}',
      '"\\ud800"',
    ]);
  },
};

const odd = [
  ...['\ud800', '\udfff', '\0', '\u202e', '\u2066', '\ufeff', '\u200b', '\u0301', '\u{1d7d8}'],
  ...['\u{1f600}', '\uff11', '\u0663', '\u00bd', '\u2212', '\u00a0', '\u2028', '\u221a', '\u2153'],
];

const pieces = [
  ...[
    '1',
    '2',
    '9',
    '0',
    '.',
    ',',
    '/',
    '+',
    '-',
    '*',
    '=',
    '<',
    '>',
    '^',
    '_',
    '{',
    '}',
    '(',
    ')',
  ],
  ...['[', ']', '|', '!', '%', '$', '&', '\\\\', ' ', '\n', 'x', 'y', 'i', 'e', 'A', '"', ':', ';'],
  ...[
    '\\frac',
    '\\sqrt',
    '\\pi',
    '\\pm',
    '\\cup',
    '\\infty',
    '\\left(',
    '\\right)',
    '\\text{',
    '\\log',
  ],
  ...[
    '\\sin',
    '\\begin{pmatrix}',
    '\\end{pmatrix}',
    '\\boxed{',
    '\\cdot',
    '\\times',
    '\\overline{',
  ],
  ...[
    '\\{',
    '\\}',
    '\\le',
    '\\ne',
    '\\circ',
    '\\binom',
    '\\sum_',
    '\\int',
    '\\mathbb{R}',
    '\\,',
    '\\',
  ],
];

function pick<T>(random: RandomStream, from: readonly T[]): T {
  return from[random.below(from.length)];
}

function digits(random: RandomStream, count: number): string {
  return Array.from({ length: count }, (_, i) => 1 * Number(i === 0) + random.below(9)).join('');
}

function tokens(random: RandomStream, count: number): string {
  return Array.from({ length: count }, () => pick(random, pieces)).join('');
}

function text(random: RandomStream, length: number, range: number): string {
  return String.fromCharCode(...Array.from({ length }, () => random.below(range)));
}

function mutated(random: RandomStream, from: string, times: number): string {
  return mutatedWith(random, from, times, pieces);
}

/** `from` after so many deletions, insertions, doublings and cuts. */
function mutatedWith(
  random: RandomStream,
  from: string,
  times: number,
  inserted: readonly string[],
): string {
  let now = from;
  for (let i = 0; i < times; i++) {
    const at = random.below(now.length + 1);
    const to = at + random.below(8);
    const part = now.slice(at, to);
    const middle = pick(random, [
      '',
      pick(random, inserted),
      part + part,
      part + pick(random, inserted),
    ]);
    now = now.slice(0, at) + middle + now.slice(to);
  }
  return now;
}

function tower(random: RandomStream, height: number): string {
  const base = String(2 + random.below(98));
  return pick(random, [
    `${`${base}^{`.repeat(height)}${base}${'}'.repeat(height)}`,
    `${'('.repeat(height)}${base}${`)^{${base}}`.repeat(height)}`,
    Array.from({ length: height }, () => base).join('^'),
    Array.from({ length: height }, () => base).join('**'),
  ]);
}

function nested(random: RandomStream, depth: number): string {
  const [open, close] = pick(random, [
    ['(', ')'],
    ['{', '}'],
    ['[', ']'],
    ['\\frac{', '}{2}'],
    ['\\frac{1}{1+', '}'],
    ['\\sqrt{', '}'],
    ['\\left(', '\\right)'],
    ['|', '|'],
    ['-(', ')'],
    ['\\text{', '}'],
    ['\\{', '\\}'],
    ['\\boxed{', '}'],
    ['\\sin(', ')'],
    ['1/(1+', ')'],
  ]);
  const closed = random.uniform() < 0.7 ? depth : random.below(depth);
  return `${open.repeat(depth)}x${close.repeat(closed)}`;
}
