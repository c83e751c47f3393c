// Recognises a choice among answers of any kind: a lone letter or a letter with its option. Knows nothing of mathematics.

export interface Choice {
  /** A to Z. */
  letter: string;
  /** The option behind the letter; undefined where nothing stands there. */
  rest?: string;
}

/** "B", "(B)", "B.", "\\text{(B)}", "option B"; "(B) 45" and "B. the cat" with text behind. Undefined for all else. */
export function choiceOf(text: string): Choice | undefined {
  const head = text.slice(0, 400).replace(/\\(?:text|textbf|mathrm|mathbf|bf|rm)\b/g, '');
  const short = head.replace(/[{}$*]/g, '').trim();
  const bare = /^(?:(?:option|choice|answer)\s{0,4}:?\s{0,4})?[([]?\s?([A-Z])\s?[)\]]?[.:]?$/i.exec(
    short,
  );
  if (bare !== null) {
    const lower = bare[1] !== bare[1].toUpperCase() && !/[()[\]]|option|choice/i.test(short);
    return lower ? undefined : { letter: bare[1].toUpperCase() };
  }
  const labelled =
    /^[{$*\s]{0,4}(?:option\s|choice\s)?[{$*\s]{0,4}(?:[([]([A-Z])[)\]]|([A-J])[).:])[}$*\s]{0,4}(?=\S)/.exec(
      head,
    );
  const letter = labelled?.[1] ?? labelled?.[2];
  if (labelled === null || letter === undefined || text.length > head.length + 400)
    return undefined;
  const rest = head.slice(labelled[0].length);
  // "(A), (B)" is a list and no choice with a text.
  return /^(?:[,;&]|and\b|or\b)/i.test(rest) ? undefined : { letter, rest };
}
