/** Prompts and texts of the parity check. */
import { stream } from '../../src/core/random.ts';
import type { Chat } from './python.ts';

const QUESTIONS = [
  'What is 17 + 28?',
  'Name three primary colours.',
  'Write a haiku about rain.',
  'A train travels 60 km in 45 minutes. What is its speed in km/h?',
  'Explain photosynthesis to a child in two sentences.',
  'Solve for x: 3x - 7 = 11. Give the answer in \\boxed{}.',
  'Translate "good morning" into French.',
  'Which is heavier, a kilogram of iron or a kilogram of feathers?',
  'List the first ten prime numbers.',
];

/** Chats of one question, and one of several turns with a system message. */
export const CHATS: readonly (readonly Chat[])[] = [
  ...QUESTIONS.map((content) => [{ role: 'user', content }]),
  [
    { role: 'system', content: 'You answer in one word.' },
    { role: 'user', content: 'Capital of Italy?' },
    { role: 'assistant', content: 'Rome' },
    { role: 'user', content: 'And of Spain?' },
  ],
];

/** Texts to continue. */
export const PLAIN: readonly string[] = [
  'The capital of France is',
  'Once upon a time, in a small village by the sea,',
  'def fibonacci(n):\n    """Return the n-th Fibonacci number."""\n',
  'Water boils at 100 degrees Celsius because',
  '1, 1, 2, 3, 5, 8, 13,',
  'Dear Sir or Madam,\n\nI am writing to',
  'The theorem states that for every',
  'To make a cake you need',
  'In 1969, the first humans',
  'import numpy as np\n\nx = np.',
];

/** A text long enough for far keys, several blocks of a prefill trace and received attention. */
export const LONG = Array.from(
  { length: 12 },
  (_, i) =>
    `Step ${i + 1}: take ${i * 7 + 3} apples from basket ${i % 4}, add ${i * i} pears, and write down the sum. `,
).join('');

/** What tokenizers stumble over. */
const HARD: readonly string[] = [
  ...PLAIN,
  ...QUESTIONS,
  LONG,
  '',
  ' ',
  '   leading and trailing   ',
  '\n\n\t mixed \r\n white  space\u00a0here\u2003too',
  "I'm, you're, it'S, WE'LL, they'd — \"quotes\" and ‘quotes’",
  '1234567890 3.14159 1,000,000 ½ ² ٣٤٥ 一二三 Ⅻ',
  'naïve café Ångström cafe\u0301 ﬁ ＡＢＣ',
  '你好，世界！今天天气很好。',
  'こんにちは世界。カタカナとひらがな',
  '안녕하세요 세계',
  'Привет, мир! Ещё раз.',
  'שלום עולם مرحبا بالعالم',
  'नमस्ते दुनिया สวัสดีชาวโลก',
  '😀 👨‍👩‍👧‍👦 🇫🇷 👍🏽 ✨',
  '\u0000\u0001\u007f\ufeff\u200b\u202e control',
  '\ud83d\ude00\u0301 combining after emoji',
  'e\u0301\u0323 stacked marks a\u030a',
  '<|im_start|>user\nHi<|im_end|>\n<|endoftext|>',
  '<|im_start|> <|im_end|>x<|im_start|>',
  'x<|endoftext|>y <|notatoken|> <repo_name>z',
  'https://example.org/a?b=c&d=%20#e user@example.org',
  '\\boxed{\\frac{1}{2}} $\\sqrt{x^2+y^2}$ \\alpha\\leq\\beta',
  'for (let i = 0; i < 10; i++) { console.log(i + 1); } // done',
  '{"key": [1, 2.5, null, true], "nested": {"a": "b\\n"}}',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  '!!!???...;;;:::---___***###@@@',
  'ALLCAPS camelCase snake_case kebab-case PascalCase',
  'ǅ ß İ ı ſ ŉ Ω Å',
  'x\u2028y\u2029z\u0085w\u000bv\u000cu',
];

/** Scripts, symbols, digits, marks, spaces and emoji, by their first and last code points. */
const RANGES: readonly (readonly [number, number])[] = [
  ...([
    [0x20, 0x7e],
    [0x20, 0x7e],
    [0x61, 0x7a],
    [0x09, 0x0d],
    [0xa0, 0x24f],
  ] as const),
  ...([
    [0x300, 0x36f],
    [0x370, 0x52f],
    [0x590, 0x6ff],
    [0x900, 0x97f],
    [0xe00, 0xe7f],
  ] as const),
  ...([
    [0x1e00, 0x1eff],
    [0x2000, 0x206f],
    [0x2070, 0x2bff],
    [0x3000, 0x30ff],
  ] as const),
  ...([
    [0x4e00, 0x9fa5],
    [0xac00, 0xd7a3],
    [0xfb00, 0xfb4f],
    [0xff01, 0xff60],
  ] as const),
  ...([
    [0x1d400, 0x1d7ff],
    [0x1f300, 0x1faff],
  ] as const),
];

function randomText(index: number): string {
  const random = stream(index, 'text');
  const letters = Array.from({ length: 1 + random.below(60) }, () => {
    const [first, last] = RANGES[random.below(RANGES.length)];
    return String.fromCodePoint(first + random.below(last - first + 1));
  });
  return letters.join('');
}

/** Texts whose tokens are compared: the hard ones and random ones. */
export const TEXTS: readonly string[] = [
  ...HARD,
  ...Array.from({ length: 1000 }, (_, i) => randomText(i)),
];
