/** `verify`: one gold answer and one response, or a file of such pairs. */
import { resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import type { Extraction, Verifier } from '../../verify/types.ts';
import type { Output } from '../output.ts';
import { type Confusion, judgeFile, type VerdictSummary } from '../stages/verdicts.ts';
import { verifierSpec, withVerifier } from '../stages/workspace.ts';
import { counted, table } from '../table.ts';
import type { Verb } from '../verb.ts';

export const verify: Verb = {
  operand: '[GOLD RESPONSE]',
  literal: true,
  needsWorkspace: false,
  configure(command) {
    command.option('--file <file>', 'JSONL of {"id","gold","response"}, with "expected" if known');
    command.option(
      '--out <file>',
      'where the verdicts go: JSONL of {"id","verdict","reason","rung"}',
    );
    command.option('--gold <text>', 'the gold answer, where it begins with a dash');
    command.option('--response <text>', 'the response, where it begins with a dash');
    command.addHelpText(
      'after',
      "\npivottrace verify '\\frac{1}{2}' 'So the answer is 0.5.'\n" +
        'pivottrace verify --file pairs.jsonl --out verdicts.jsonl verify.kind=math\n\n' +
        'Settings are verify.* keys. A verdict is right, wrong or undecided; only right is ever a reward.',
    );
  },
  async run({ config, operands, flags, cwd, output, stop }) {
    const pair = pairOf(operands, flags);
    const { file, out } = flags;
    if (pair !== undefined && file === undefined) {
      await withVerifier(config, (verifier) => judgePair(verifier, pair, output));
      return;
    }
    if (typeof file !== 'string' || typeof out !== 'string' || pair !== undefined) {
      throw new UserError({
        wanted: 'GOLD and RESPONSE, or --file with --out',
        found: operands.length > 0 ? counted(operands.length, 'argument') : 'neither',
        fix: '`pivottrace verify --help` shows both.',
      });
    }
    const job = {
      input: resolve(cwd, file),
      output: resolve(cwd, out),
      settings: verifierSpec(config),
    };
    const { progress } = output;
    const summary = await withVerifier(config, (verifier) =>
      judgeFile({ ...job, verifier, progress, stop }),
    );
    output.result(fileText(summary, job.output), { output: job.output, ...summary });
  },
};

interface Pair {
  gold: string;
  response: string;
}

function pairOf(
  operands: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Pair | undefined {
  const words = [...operands];
  const gold = typeof flags.gold === 'string' ? flags.gold : words.shift();
  const response = typeof flags.response === 'string' ? flags.response : words.shift();
  return gold === undefined || response === undefined || words.length > 0
    ? undefined
    : { gold, response };
}

/** The verdict, and how it came about: what was read in the response, and how both sides are understood. */
async function judgePair(
  verifier: Verifier,
  { gold, response }: Pair,
  output: Output,
): Promise<void> {
  const [[verdict], candidates] = await Promise.all([
    verifier.verify(gold, [response]),
    verifier.candidates(response),
  ]);
  const [found] = candidates;
  const [goldRead, answerRead] = await Promise.all([
    verifier.read(gold),
    found === undefined ? null : verifier.read(found.text),
  ]);
  const lines = [
    `${verdict.verdict}: ${verdict.reason} (${verdict.rung})`,
    `gold      ${goldRead === null ? 'cannot be read' : `${goldRead.kind}: ${goldRead.shown}`}`,
    `answer    ${found === undefined ? 'none found' : `${answerRead?.kind ?? 'cannot be read'}: ${found.text} (${placeOf(found)})`}`,
    ...candidates.slice(1, 4).map((other) => `or        ${other.text} (${placeOf(other)})`),
  ];
  output.result(lines.join('\n'), { ...verdict, gold: goldRead, answer: answerRead, candidates });
}

function placeOf({ mark, start, end }: Extraction): string {
  return `${mark}, characters ${start} to ${end}`;
}

function fileText({ rows, resumed, confusion }: VerdictSummary, path: string): string {
  const lines = [
    `${counted(rows, 'verdict')} in ${path}${resumed > 0 ? `, ${resumed} of them from before` : ''}.`,
  ];
  return [...lines, '', confusionTable(confusion)].join('\n');
}

function confusionTable(confusion: Confusion): string {
  const names = ['right', 'wrong', 'undecided', 'none'].filter(
    (name) => confusion[name] !== undefined,
  );
  const rows = names.map((name) => {
    const { right, wrong, undecided } = confusion[name];
    return [name === 'none' ? 'not given' : name, right, wrong, undecided] as const;
  });
  return table(['expected', 'right', 'wrong', 'undecided'], rows);
}
