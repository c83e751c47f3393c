// The words that answers are written with: functions, numbers, joints, and phrases that mean a set. Knows no grammar.

/** Names that are one symbol although they have several letters, in plain text and in \operatorname. */
export const functionNames: ReadonlySet<string> = new Set(
  (
    'sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc asin acos atan sinh cosh tanh ' +
    'arsinh arcosh artanh arcsinh arccosh arctanh coth ln log exp sqrt cbrt abs floor ceil gcd lcm max min sgn sign det ' +
    'pi theta alpha beta gamma lambda mu sigma omega phi infinity infty inf oo binom cis Re Im arg tg ctg arctg'
  ).split(' '),
);

/** Short runs of letters that are words and not products. */
const shortWords = new Set(
  (
    'no yes on or and odd one two six ten red if is it at an as be by in of to we he she the for all any not are was has ' +
    'cat dog man boy sun mon tue wed thu fri sat jan feb mar apr jun jul aug sep oct nov dec may day set so go up us am pm ' +
    'via per sq mph hot new old low big box car cup bus pen pig cow hen dne na none true'
  ).split(' '),
);

/** A longer run of letters is no product of variables. */
const longestProduct = 12;

/** Whether a run of two or more letters is a word: anything long, and the short ones that are known. */
export function isWord(run: string): boolean {
  if (run.length > longestProduct) return true;
  const lower = run.toLowerCase();
  // Roman numerals: the order of their letters matters.
  if (/^(?=.*[IVX])[IVXLCDM]{2,}$/.test(run)) return true;
  if (shortWords.has(lower)) return true;
  if (run.length <= 3) return !/^[A-Za-z]+$/.test(run);
  return !/^(?:[a-d]+|[u-z]+|[p-s]+|[A-H]+|[P-Z]+|[k-n]+)$/.test(run) && !startsLikeProduct(lower);
}

/** "sinx", "pir", "logx" are products or applications written without blanks. */
function startsLikeProduct(run: string): boolean {
  return /^(?:sin|cos|tan|ln|log|pi|sqrt)[a-z]?$/.test(run);
}

const numberWords = new Map<string, number>(
  (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen ' +
    'seventeen eighteen nineteen twenty'
  )
    .split(' ')
    .map((word, i) => [word, i]),
);
for (const [i, word] of 'thirty forty fifty sixty seventy eighty ninety'.split(' ').entries()) {
  numberWords.set(word, 30 + 10 * i);
}
numberWords.set('hundred', 100).set('thousand', 1000).set('million', 1_000_000);

const parts = new Map([
  ['half', 2n],
  ['halve', 2n],
  ['third', 3n],
  ['quarter', 4n],
  ['fourth', 4n],
  ['fifth', 5n],
  ['sixth', 6n],
  ['eighth', 8n],
  ['tenth', 10n],
]);

/** The fraction that a text writes in words ("one half", "two thirds"); undefined where it writes none. */
export function fractionInWords(text: string): { n: bigint; d: bigint } | undefined {
  const found = /^(a|[a-z]+)[ -]([a-z]+?)s?$/.exec(text.toLowerCase());
  const above = found?.[1] === 'a' ? 1 : numberWords.get(found?.[1] ?? '');
  const below = parts.get(found?.[2] ?? '');
  return above === undefined || below === undefined ? undefined : { n: BigInt(above), d: below };
}

/** The number that a text writes in words ("five", "twenty-one", "three hundred"); undefined where it writes none. */
export function numberInWords(text: string): number | undefined {
  const words = text
    .toLowerCase()
    .split(/[\s-]+/)
    .filter((word) => word !== 'and' && word !== '');
  if (words.length === 0 || words.length > 8) return undefined;
  let total = 0;
  let current = 0;
  for (const word of words) {
    const value = numberWords.get(word);
    if (value === undefined) return undefined;
    if (value === 100) current = Math.max(1, current) * 100;
    else if (value >= 1000) {
      total += Math.max(1, current) * value;
      current = 0;
    } else if (current % 10 !== 0 || (current % 100 !== 0 && value >= 10)) return undefined;
    else current += value;
  }
  return total + current;
}

/** Phrases that stand for a set or for none; the key is what they share. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:no (?:real |integer |such |positive |valid )?(?:solutions?|roots?)(?: exists?)?|empty set|the empty set|there (?:is|are) no (?:real )?solutions?)$/,
    'empty',
  ],
  [
    /^(?:dne|does not exist|do not exist|undefined|not defined|the limit does not exist|doesn't exist)$/,
    'undefined',
  ],
  [
    /^(?:all (?:the )?real(?: number|s| numbers)?|(?:the )?set of (?:all )?real numbers|the reals|any real number|every real number)$/,
    'reals',
  ],
  [
    /^(?:infinitely many(?: solutions)?|infinite(?:ly many)? solutions|an infinite number of solutions)$/,
    'infinitely many',
  ],
];

/** What a phrase in normal form (lower case, single blanks) stands for. */
export function phraseOf(text: string): string | undefined {
  return phrases.find(([pattern]) => pattern.test(text))?.[1];
}
