// Capital letters that stand alone and may name a choice.
import type { Span } from './span.ts';

export interface Letter extends Span {
  /** Written as a choice is: "(B)", "B)", "option B", "**B**", "is B". */
  labelled: boolean;
}

const alone = /(?<![\p{Lu}\p{Ll}\p{N}'\u2019\\_^=+/-])[A-Z](?![\p{Lu}\p{Ll}\p{N}'\u2019_^=+/(-])/gu;
const bold = /(?<=\*\*\(?|\$)[A-Z](?=[).:]{0,2}(?:\*\*|\$)|[).:] ?\P{L}{0,2}\p{L}.{0,60}\*\*)/gu;

const labelBefore =
  /(?:[([{]\s?|(?<!\p{L})(?:option|choice|answer|letter|only|is|be|choose|chose|pick|select|so|thus|therefore|hence)[ \t]{1,2}(?:\*{1,2})?|[:=\uff1a\u9009\u9078\u62e9\u64c7\u662f\u4e3a][ \t]{0,2}(?:\*{1,2})?)$/iu;

/** What is said against a choice is not the answer. */
const against =
  /(?<!\p{L})(?:not|rather than|instead of|unlike|because|since|wrong|incorrect)(?!\p{L})/iu;

/** The letters that stand alone inside `span`, in order. */
export function lettersIn(text: string, span: Span): Letter[] {
  const part = text.slice(span.start, span.end);
  const stop = part.search(against);
  const starts = new Map<number, boolean>();
  for (const { index } of part.matchAll(alone)) {
    if (!isWord(part, index)) starts.set(index, isLabelled(part, index));
  }
  for (const { index } of part.matchAll(bold)) starts.set(index, true);
  const letters = [...starts].sort(([one], [other]) => one - other);
  const before = letters.filter(([index]) => stop < 0 || index < stop);
  return (before.length > 0 ? before : letters).map(([index, labelled]) => {
    const start = span.start + index;
    return { start, end: start + 1, labelled };
  });
}

/** "A cat", "I think". */
function isWord(part: string, index: number): boolean {
  return /^(?:A\s[\p{Ll}\d]|I\s\p{Ll})/u.test(part.slice(index, index + 3));
}

function isLabelled(part: string, index: number): boolean {
  const behind = part.slice(index + 1, index + 4);
  if (/^[)\]]/u.test(behind)) return true;
  if (/^[.:]\s/u.test(behind) && /(?:^|\s|\*)$/u.test(part.slice(0, index))) return true;
  return labelBefore.test(part.slice(Math.max(0, index - 16), index));
}
