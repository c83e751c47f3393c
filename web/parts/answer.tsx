/** @jsxImportSource preact */
/** An answer as people read it, and how the verifier reads it. */
import type { WirePreview } from '../../src/server/wire.ts';
import { Formula } from '../markdown/formula.tsx';
import { splitMaths } from '../markdown/maths.ts';
import { Rich } from '../markdown/rich.tsx';
import { Foreign, LongText } from './foreign.tsx';

/** Characters of an answer that are set as a formula at most. */
const LONGEST = 2_000;

/** Whether an answer has formulas to set: within dollars, or being one as a whole. */
export function mathsIn(answer: string): 'parts' | 'whole' | null {
  if (answer.length > LONGEST) return null;
  if (splitMaths(answer).some((segment) => segment.kind === 'maths')) return 'parts';
  return /[\\^_]/.test(answer) && !/\n/.test(answer) ? 'whole' : null;
}

/** An answer with its formulas set; as it is where it has none. */
export function Answer({ text }: { text: string }) {
  const maths = mathsIn(text);
  if (maths === 'parts') return <Rich text={text} />;
  if (maths === 'whole') return <Formula tex={text} source={text} display={false} />;
  return text.length > 200 || text.includes('\n') ? (
    <LongText text={text} first={600} />
  ) : (
    <Foreign text={text} />
  );
}

/** What the verifier makes of an answer. */
export function Reads({ preview }: { preview: WirePreview }) {
  if (!preview.readable)
    return (
      <p class="reads bad">
        <strong>Cannot read this.</strong> <Foreign text={preview.reason} />
      </p>
    );
  return (
    <p class="reads good">
      <span class="dim">Reads as </span>
      <span class="kind">{preview.kind}</span> <Foreign text={preview.value.slice(0, 2_000)} />
    </p>
  );
}
