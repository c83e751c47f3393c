/** @jsxImportSource preact */
/**
 * Text of strangers (prompts, model output, names, notes): set apart from the direction of the text around it, with
 * control characters as visible marks, and cut where it is long.
 */
import { useState } from 'preact/hooks';
import { visible, whole } from '../../src/report/format.ts';

/** Short text within a line. */
export function Foreign({ text }: { text: string }) {
  return <bdi>{visible(text.replaceAll('\r\n', '\n'))}</bdi>;
}

/** Characters of a text that are shown at first. */
const FIRST = 4_000;
/** Characters in a piece of a long text; the browser lays out the pieces that are in view. */
const PIECE = 8_000;

/** Text as it is, line breaks kept; the rest of a long one comes on demand. */
export function LongText(props: { text: string; first?: number }) {
  const { text, first = FIRST } = props;
  const [all, setAll] = useState(false);
  if (text.length <= first || all) {
    return (
      <pre class="foreign" dir="auto">
        {cut(text, PIECE).map((piece) => (
          <span key={piece.from} class="piece">
            {visible(piece.text.replaceAll('\r\n', '\n'))}
          </span>
        ))}
      </pre>
    );
  }
  return (
    <>
      <pre class="foreign" dir="auto">
        {visible(safeCut(text, first).replaceAll('\r\n', '\n'))}…
      </pre>
      <ShowAll length={text.length} onShow={() => setAll(true)} />
    </>
  );
}

export function ShowAll({ length, onShow }: { length: number; onShow: () => void }) {
  return (
    <p>
      <button type="button" class="quiet" onClick={onShow}>
        Show all {whole(length)} characters
      </button>
    </p>
  );
}

/** The first characters of a text; a pair of surrogates is not split. */
export function safeCut(text: string, length: number): string {
  const code = text.charCodeAt(length - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 ? length - 1 : length);
}

function cut(text: string, length: number): { from: number; text: string }[] {
  const out: { from: number; text: string }[] = [];
  for (let from = 0; from < text.length; ) {
    const piece = safeCut(text.slice(from, from + length), length);
    out.push({ from, text: piece });
    from += piece.length;
  }
  return out;
}
