// JSON values by deep equality: the order of keys does not matter, numbers count by value, strings by code points.
import type { Kind, Reading, Verdict } from '../types.ts';
import { canonicalJson, differenceAt, type Json, parseJson } from './json-value.ts';
import { keyed, right, undecided, wrong } from './verdicts.ts';

/**
 * An answer that is not strict JSON (single quotes, a trailing comma, a key twice, deeper than 100) is unreadable, and
 * wrong against one that is. One Markdown fence around the value is left out.
 */
export function jsonKind(): Kind {
  return { name: 'json', seek: 'json', read, compare };
}

function read(answer: string): Reading | null {
  const parsed = parseJson(unfenced(answer));
  if (!('value' in parsed)) return null;
  const key = canonicalJson(parsed.value);
  return keyed('json', key, key);
}

function compare(gold: string, answer: string): Verdict {
  const [a, b] = [parseJson(unfenced(gold)), parseJson(unfenced(answer))];
  if ('fault' in a && 'fault' in b) return undecided('unreadable', 'neither answer is JSON');
  if ('fault' in a) return wrong('unreadable', `only one answer is JSON: ${a.fault}`);
  if ('fault' in b) return wrong('unreadable', `only one answer is JSON: ${b.fault}`);
  const path = pathOf(a.value, b.value);
  return path === undefined
    ? right('json', 'the same value')
    : wrong('json', `the values differ at ${path}`);
}

function pathOf(a: Json, b: Json): string | undefined {
  const path = differenceAt(a, b);
  if (path === undefined) return undefined;
  return path === '' ? 'the top' : path.slice(0, 200);
}

function unfenced(answer: string): string {
  const text = answer.trim();
  if (!text.startsWith('`') || !text.endsWith('`')) return text;
  const inner = text.startsWith('```')
    ? text.replace(/^```(?:json)?/i, '').replace(/```$/, '')
    : text.slice(1, -1);
  return inner.trim();
}
