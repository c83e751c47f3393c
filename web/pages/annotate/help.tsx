/** @jsxImportSource preact */
/** The keys of the annotate page. */
import { Dialog, Key } from '../../parts/controls.tsx';

const KEYS = [
  ['Enter', 'Submit the answer (Shift+Enter makes a new line, Ctrl+Enter submits from anywhere)'],
  ['Esc', 'Leave the field'],
  ['A', 'Go to the answer field'],
  ['S', 'Skip: somebody else answers it'],
  ['X', 'No checkable answer: nothing that a verifier could compare'],
  ['W', 'The question is wrong, incomplete or ambiguous'],
  ['N', 'Add a note'],
  ['U', 'Undo: take the last one back and get its question again'],
  ['R', 'Reveal or hide the model’s answers (recorded)'],
  ['G', 'Get a question, or keep the one in hand for longer'],
  ['?', 'This help'],
] as const;

export function Help({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog title="Keys" open={open} onClose={onClose}>
      <p>While you type in a field, hold Alt with the letter: Alt+S skips.</p>
      <dl class="keys">
        {KEYS.map(([key, does]) => (
          <div key={key}>
            <dt>
              <Key name={key} always />
              <span class="unseen">{key}</span>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p class="small dim">
        Answers may be written as plain text or LaTeX: <code>3/4</code>,{' '}
        <code>\frac{'{3}{4}'}</code>, <code>(0, 1]</code>, <code>B</code>. What you type is kept in
        this tab until it is sent.
      </p>
    </Dialog>
  );
}
