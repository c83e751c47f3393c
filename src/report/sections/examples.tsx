/** @jsxImportSource preact */
/**
 * Example responses, token by token, coloured by the attention signal with the pivots marked. The
 * text of prompts and tokens is foreign: it is only ever text.
 */
import { Spark } from '../charts/spark.tsx';
import type { ExampleTrace } from '../data.ts';
import { clip, decimal, isKnown, percent, plural, visible } from '../format.ts';
import { Missing, Section, scrollBox } from './parts.tsx';

/** Tokens shown per example; a page with whole long traces would be too heavy for a phone. */
const MOST_TOKENS = 1500;

const LEVELS = 6;

export function Examples({ examples }: { examples: ExampleTrace[] | null }) {
  return (
    <Section id="examples" title="Example traces">
      {examples === null || examples.length === 0 ? (
        <Missing what="No response has been traced yet." command="pivottrace trace" />
      ) : (
        <>
          <p>
            The stronger the colour of a token, the larger the signal at it{' '}
            <span class="scale" aria-hidden="true">
              {Array.from({ length: LEVELS }, (_, i) => (
                <i key={`t${i + 1}`} class={`t${i + 1}`} />
              ))}
            </span>
            ; the scale is each example’s own. A <mark class="t">framed</mark> token is a pivot:
            there the signal changes by at least the threshold, more than at the tokens around it.
          </p>
          {examples.map((example, i) => (
            <Example
              key={`${example.promptId} ${example.route}`}
              example={example}
              open={examples.findIndex((other) => other.route === example.route) === i}
            />
          ))}
        </>
      )}
    </Section>
  );
}

function Example({ example, open }: { example: ExampleTrace; open: boolean }) {
  const pivots = example.tokens.flatMap((token, i) => (token.pivot ? [i] : []));
  const signal = `${visible(example.signalName)} (${visible(example.unit)})`;
  return (
    <details class="trace" open={open}>
      <summary>
        <span class={`badge c-${example.route}`}>{example.route}</span>{' '}
        <strong>{clip(visible(example.promptId), 60)}</strong>{' '}
        <span class="dim small">
          {plural(example.tokens.length, 'token')}, {plural(pivots.length, 'pivot')}, score{' '}
          {decimal(example.score)}, rank {percent(example.rank, 0)}, pass rate{' '}
          {percent(example.passRate, 0)}
        </span>
      </summary>
      <div class="body">
        <h4>Prompt</h4>
        <pre>{visible(example.prompt)}</pre>
        <h4>Response</h4>
        <Tokens example={example} />
        <p class="small dim">{answerLine(example)}</p>
        <Spark
          label={`signal: ${signal}`}
          values={example.tokens.map((t) => t.signal)}
          pivots={[]}
          threshold={null}
          thresholdLabel=""
          tone="blue"
        />
        <Spark
          label="change, with pivots"
          values={example.tokens.map((t) => t.change)}
          pivots={pivots}
          threshold={example.threshold}
          thresholdLabel="threshold τ"
          tone="purple"
        />
      </div>
    </details>
  );
}

function answerLine(example: ExampleTrace): string {
  const answer = example.answer === null ? 'none found' : visible(example.answer);
  const verdict = example.verdict === null ? 'not checked (no label was bought)' : example.verdict;
  return `Answer read: ${answer}; ${verdict}.`;
}

function Tokens({ example }: { example: ExampleTrace }) {
  const shown = example.tokens.slice(0, MOST_TOKENS);
  const hidden = example.tokens.length - shown.length;
  const level = levels(example.tokens.map((t) => t.signal));
  return (
    <>
      <pre {...scrollBox('Response, token by token')}>
        {shown.map((token, i) => {
          const strength = level(token.signal);
          const style = strength > 0 ? `t t${strength}` : 't';
          const title = `token ${i + 1}: signal ${decimal(token.signal)}, change ${decimal(token.change)}`;
          const text = tokenText(token.text);
          const key = `token ${i}`;
          return token.pivot ? (
            <mark key={key} class={style} title={`pivot, ${title}`}>
              {text}
            </mark>
          ) : (
            <span key={key} class={style} title={title}>
              {text}
            </span>
          );
        })}
      </pre>
      {hidden > 0 ? <p class="small dim">{plural(hidden, 'more token')} not shown.</p> : null}
    </>
  );
}

/** A line feed is shown by a sign as well, or a pivot on it could not be seen. */
function tokenText(text: string): string {
  return visible(text).replaceAll('\n', '⏎\n');
}

/**
 * Strength 0..LEVELS by the value's place between the smallest and the 98th percentile, so that one
 * outlier does not make everything else pale.
 */
function levels(values: readonly number[]): (value: number) => number {
  const sorted = values.filter(isKnown).sort((a, b) => a - b);
  const low = sorted[0] ?? 0;
  const high = sorted[Math.floor((sorted.length - 1) * 0.98)] ?? low;
  return (value) => {
    if (!isKnown(value) || high <= low) return 0;
    return Math.max(0, Math.min(LEVELS, Math.round(((value - low) / (high - low)) * LEVELS)));
  };
}
