// Does a few words look like an answer, or are they prose? Looks at short texts only (see `maxShape`) and knows nothing of
// whether an answer is right.
import type { Seek } from '../types.ts';
import { formulasIn } from './formula.ts';

/** Longer texts are no short answers, in UTF-16 units. */
const maxShape = 2048;

/** Words that a mathematical answer may have without being prose. */
const mathWords = new Set(
  `sin cos tan sec csc cot arcsin arccos arctan sinh cosh tanh log ln lg exp sqrt cbrt root pi mod gcd lcm max min det inf
  infinity and or by to in frac dfrac tfrac over alpha beta gamma theta lambda times cdot pm div circ le ge leq geq neq
  cup cap union set true false per of plus minus the value number degree approximately about`.split(
    /\s+/u,
  ),
);

/** Units and currencies that may follow a number. */
export const unitWord =
  /^(?:[kcmdnuµμM]?(?:m|g|l|L|s|A|V|W|J|N|Hz|Pa|mol|eV|bit|B)|k[mgWJNV]|[cdm]m|ms|h|hr|hrs|min|mins|sec|secs|in|ft|yd|mi|lb|lbs|oz|mph|kph|km\/h|m\/s|°C|°F|K|°|%|[\p{L}]{1,4}\^?[23²³]|(?:sq|square|cu|cubic)|(?:centi|milli|kilo|deci|nano|micro|mega)?(?:met(?:er|re)|gram|lit(?:er|re)|watt|joule|newton|volt|hertz|pascal|mole?)s?|seconds?|minutes?|hours?|days?|weeks?|months?|years?|inch(?:es)?|feet|foot|yards?|miles?|pounds?|ounces?|gallons?|degrees?|radians?|percent|dollars?|cents?|euros?|rupees?|yuan|usd|eur|元|米|厘米|千米|克|千克|小时|分钟|秒|天|岁|度)$/u;

/** Answers that are words. */
const wordAnswer =
  /^(?:yes|no|true|false|none|neither|both|even|odd|undefined|dne|infinity|infinite|infinitely many(?: \p{L}{1,12})?|no (?:real )?solutions?|no such \p{L}{1,12}(?: exists?)?|(?:all )?real numbers|all reals|(?:does|do) not exist|impossible|not possible|cannot be determined|not enough information|never|always|convergent|divergent|(?:con|di)verges|increasing|decreasing|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)$/iu;

/** What stands in a box or after a phrase when the writer quotes the task: "your answer here", "...". */
const placeholder =
  /^(?:\\text\{)?\s{0,8}(?:(?:your|the|my|insert|final|numerical|correct)\s){0,3}(?:answers?|results?|solution|option letter|number|letter)(?:\s(?:goes\s)?here)?\s{0,8}\}?$|^(?:\.{2,}|\u2026|\\[cl]?dots|_+|\?+|\[\.*\]|<[^<>]{0,24}>|\\(?:boxed|fbox)\{\s{0,8}\})$/iu;

export function isPlaceholder(text: string): boolean {
  return text.length < 60 && placeholder.test(text.trim());
}

const startsWithValue =
  /^[-+\u2212\u00b1~\u2248]?\s?(?:\\?[$\u20ac\u00a3\u00a5\u20b9])?\s?[-+\u2212]?(?:\d|\.\d|\ue000|\u00a7)/u;

/**
 * Whether `text` reads as an answer of the kind that is sought: a number with or without a unit, a formula, a choice
 * letter, a short phrase (`line`).
 */
export function isValue(text: string, seek: Seek): boolean {
  if (text === '' || text.length > maxShape) return false;
  if (seek === 'letter') return isChoice(text);
  if (seek === 'line') return wordsOf(text).length <= 12;
  if (seek === 'json' || seek === 'code') return false;
  const plain = text.replace(/[*`"\u201c\u201d]/gu, '').trim();
  if (wordAnswer.test(plain)) return true;
  const bones = skeleton(plain);
  if (!/[\d\ue000\u00a7\u03c0\u221e\u221a]|^[([{]?\p{L}(?!\p{L})/u.test(bones)) return false;
  const words = foreignWords(bones);
  if (words === 0) return !/[.?!]\s/u.test(bones);
  return words <= 3 && startsWithValue.test(bones) && !/[.:;?]\s|\p{L}!\s/u.test(bones);
}

/** Whether `text` is numbers, formulas and units without any other word. */
export function isQuantity(text: string): boolean {
  return text.length <= maxShape && foreignWords(skeleton(text)) === 0 && isValue(text, 'number');
}

/** The text with each formula as one sign and each command of TeX as another. */
function skeleton(text: string): string {
  let bones = '';
  let at = 0;
  for (const formula of formulasIn(text, 0, text.length)) {
    bones += `${text.slice(at, formula.start)}\ue000`;
    at = formula.end;
  }
  bones += text.slice(at);
  return bones
    .replace(/\\(?:text|mathrm|operatorname)\{([^{}]{0,80})\}/gu, ' $1 ')
    .replace(/\\[A-Za-z]{1,24}/gu, '\u00a7');
}

function foreignWords(bones: string): number {
  const words = bones.match(/\p{L}{2,}/gu) ?? [];
  return words.filter((word) => !mathWords.has(word.toLowerCase()) && !unitWord.test(word)).length;
}

/** The words of two letters or more, without formulas. */
export function wordsOf(text: string): string[] {
  return skeleton(text.slice(0, maxShape)).match(/\p{L}{2,}/gu) ?? [];
}

const choice =
  /^(?:(?:the )?(?:option|choice|answer|letter)s?:? )?(?:[([{]\s{0,2}[A-Za-z]\s{0,2}[)\]}]|[A-Z](?=$|[\s),.:;\]/&\u3001\uff0c\uff1a\uff0e]))/iu;

const letters = /^[A-J]{2,6}$/u;

/** Whether `text` begins with a choice letter: "B", "(b)", "B) 45", "B. Paris", "option B", "A, C", "ABD". */
function isChoice(text: string): boolean {
  const plain = withoutMarkup(text.slice(0, 80));
  if (letters.test(plain)) return true;
  const found = choice.exec(plain);
  if (found === null) return false;
  const rest = plain.slice(found[0].length);
  if (/^[a-z]$/u.test(found[0]) && rest !== '') return /^[).:]/u.test(rest);
  // "A" and "I" that begin a phrase are words.
  return !/^[AI]$/u.test(found[0]) || !/^ (?!and\b|or\b)[\p{Ll}\d]/u.test(rest);
}

function withoutMarkup(text: string): string {
  return text
    .replace(
      /\\(?:text|textbf|mathbf|mathrm|boldsymbol|bf)\s?(?=\{)|[*_`$"\u201c\u201d]|\\[()[\]]/gu,
      '',
    )
    .replace(/^\{(.{1,70})\}$/u, '$1')
    .trim();
}

/** What a sentence has and a bare answer has not. */
const sentenceWords =
  /(?<!\p{L})(?:is|are|was|were|so|thus|therefore|hence|we|let|because|since|then|equals?|gives?|find|have|has|there|this|that|it|answer)(?!\p{L})|\u6240\u4ee5|\u56e0\u6b64|\u4e00\u5171|\u7efc\u4e0a|\u7b49\u4e8e|[\u2234\u662f\u6709\u9009\u9078]/iu;

/** Whether `text` is an answer and nothing else: one line or one formula, few words, no sentence. */
export function isBare(text: string, seek: Seek): boolean {
  if (text === '' || isPlaceholder(text)) return false;
  if (text.length > 300) return isOneFormula(text);
  if (isOneFormula(text)) return true;
  if (text.includes('\n')) return isAssignments(text);
  if (seek === 'letter') return isBareChoice(text);
  if (seek === 'number') return isValue(text, seek) && isPlain(text);
  if (seek === 'line') return isPlain(text) && wordsOf(text).length <= 12;
  return isPlain(text) && (isValue(text, seek) || isName(text));
}

const label = /^(?:(?:option|choice) )?[([]?[A-Za-z][)\].:](?:\s|$)/iu;
const list =
  /^[([]?[A-Za-z][)\]]?(?:(?:\s{0,2}[,;&\u3001\uff0c]|\s)\s{0,2}(?:and\s)?[([]?[A-Z][)\]]?){0,8}$/u;

/** A letter, several, a letter with its text, or the text alone; "A or B, surely (C)" is a sentence. */
function isBareChoice(text: string): boolean {
  const plain = withoutMarkup(text.slice(0, 301));
  if (label.test(plain) || list.test(plain) || letters.test(plain)) return true;
  if (!isPlain(plain) || wordsOf(plain).length > 12) return false;
  return isChoice(plain) ? wordsOf(plain).length <= 1 : !/[([][A-Z][)\]]/u.test(plain);
}

/** An answer in words: "New York", "June 5", "all real numbers except 0"; not "Dividing, $1 \\div 6 = ...$". */
function isName(text: string): boolean {
  const words = wordsOf(text).length;
  if (!/[\d$\\]/u.test(text) || /^(?:all|every|any|no|none|the number)(?!\p{L})/iu.test(text))
    return words <= 6;
  return words === 1 && /^\p{Lu}\p{L}{1,24} \d{1,4}$/u.test(text);
}

function isPlain(text: string): boolean {
  return (
    !sentenceWords.test(skeleton(text)) &&
    !/(?<!\p{L})I \p{Ll}/u.test(text) &&
    !/[\p{L}$)\]][\p{L}$)\]}][.?!:]\s/u.test(text)
  );
}

function isOneFormula(text: string): boolean {
  const [formula, ...more] = formulasIn(text, 0, text.length);
  return more.length === 0 && formula?.start === 0 && formula.end === text.length;
}

/** A few lines such as "x = 1", "y = 2". */
function isAssignments(text: string): boolean {
  const lines = text.split('\n', 6);
  if (lines.length > 4) return false;
  return lines.every((line) =>
    /^\s{0,4}\$?[A-Za-z](?:_\{?\w{1,3}\}?)?\s?=\s?[^\s=][^=\n]{0,40}$/u.test(line),
  );
}
