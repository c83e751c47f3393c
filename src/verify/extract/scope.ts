// Which part of a response is addressed to the reader. Models that think aloud put their thoughts between tags; what
// they try and throw away there is no answer.
//
// - After the last `</think>` only what follows is read, if anything but white space follows.
// - Where nothing follows, or a `<think>` is never closed, the response was cut off while thinking. Then the thoughts are
//   read only for marks that are put on purpose (`\boxed{}`, `<answer>`, `####`), never for phrases or last numbers: "so
//   the answer is 5" in the middle of a thought is often taken back in the next line.
// - What stands before an unclosed `<think>` is outside and read as usual.
import { type Span, trimmed } from './span.ts';

export interface Scope {
  /** Addressed to the reader. */
  outside: Span;
  /** Unfinished thoughts, where there is no more than that. */
  inside?: Span;
}

const tags = /<(\/?)(?:think|thinking|thought|reasoning)>/giu;

/** Tokens that servers leave at the end of a response, and signs that end a proof; looked for in its last characters only. */
const endTokens =
  /(?:\$\\(?:blacksquare|square|Box|qed)\$|[\u220e\u25a0]|<\|[a-z0-9_]{1,24}\|>|<\/s>|<eos>|<end_of_turn>|<\uff5cend\u2581of\u2581sentence\uff5c>)$/u;

const maxEndTokens = 8;

export function scopeOf(response: string): Scope {
  const end = withoutEndTokens(response);
  let firstOpen = -1;
  let open = -1;
  let close = -1;
  let closeEnd = 0;
  for (const tag of response.matchAll(tags)) {
    if (tag[1] === '/') {
      close = tag.index;
      closeEnd = tag.index + tag[0].length;
      open = -1;
    } else {
      if (firstOpen < 0) firstOpen = tag.index;
      if (open < 0) open = tag.index;
    }
  }
  const rest = trimmed(response, closeEnd, end);
  if (rest.start === rest.end && close >= 0) {
    const before = firstOpen < 0 ? 0 : Math.min(firstOpen, close);
    return { outside: trimmed(response, 0, before), inside: { start: before, end: close } };
  }
  if (open < 0) return { outside: rest };
  return { outside: trimmed(response, rest.start, open), inside: { start: open, end } };
}

function withoutEndTokens(response: string): number {
  let { end } = trimmed(response, 0, response.length);
  for (let seen = 0; seen < maxEndTokens; seen++) {
    const token = endTokens.exec(response.slice(Math.max(0, end - 40), end));
    if (token === null) break;
    end = trimmed(response, 0, end - token[0].length).end;
  }
  return end;
}
