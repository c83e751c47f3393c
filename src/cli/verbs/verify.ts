/** `verify`: one gold answer and one response, or a file of such pairs. */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../../core/errors.ts';
import { fileHash } from '../../core/files.ts';
import { visible } from '../../report/format.ts';
import { answerOfGold } from '../../verify/judge.ts';
import type { VerifierSpec } from '../../verify/spec.ts';
import type { Extraction, Verifier } from '../../verify/types.ts';
import type { VerifierSpecs } from '../../verify/verifiers.ts';
import type { Output } from '../output.ts';
import { type Confusion, judgeFile, type VerdictSummary } from '../stages/verdicts.ts';
import { verifierSpecs, withVerifiers } from '../stages/workspace.ts';
import { counted, table } from '../table.ts';
import type { Verb } from '../verb.ts';
import { packageVersion } from '../version.ts';

export const verify: Verb = {
  operand: '[GOLD RESPONSE]',
  literal: true,
  needsWorkspace: false,
  needsDatabase: false,
  configure(command) {
    command.option(
      '--file <file>',
      'JSONL of {"id","gold","response"}, with "source" and "expected" if known',
    );
    command.option(
      '--out <file>',
      'where the verdicts go: JSONL of {"id","verdict","reason","rung"}',
    );
    command.option('--gold <text>', 'the gold answer, where it begins with a dash');
    command.option('--response <text>', 'the response, where it begins with a dash');
    command.option('--source <name>', 'where the pair is from; rows of a file say so themselves');
    command.addHelpText(
      'after',
      "\npivottrace verify '\\frac{1}{2}' 'So the answer is 0.5.'\n" +
        'pivottrace verify --file pairs.jsonl --out verdicts.jsonl verify.kind=math\n\n' +
        'Settings are verify.* keys. A verdict is right, wrong or undecided; only right is ever a reward.',
    );
  },
  async run({ config, operands, flags, cwd, output, stop }) {
    const asked = askedFor(operands, flags);
    if ('gold' in asked) {
      await withVerifiers(config, (verifiers) =>
        judgePair(verifiers.of(asked.source), asked, output),
      );
      return;
    }
    const job = {
      input: resolve(cwd, asked.file),
      output: resolve(cwd, asked.out),
      settings: await comparable(verifierSpecs(config)),
    };
    const { progress } = output;
    const summary = await withVerifiers(config, (verifiers) =>
      judgeFile({ ...job, verifiers, progress, stop }),
    );
    output.result(fileText(summary, job), { output: job.output, ...summary });
  },
};

interface Pair {
  gold: string;
  response: string;
  source: string | undefined;
}

interface Files {
  file: string;
  out: string;
}

/** One pair, by arguments or flags, or files by flags. UserError for anything between. */
function askedFor(
  operands: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Pair | Files {
  const { file, out, source } = flags;
  const words = [...operands];
  const gold = flags.gold ?? words.shift();
  const response = flags.response ?? words.shift();
  const values = {
    '--file': file,
    '--out': out,
    GOLD: gold,
    RESPONSE: response,
    '--source': source,
  };
  const given = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  if (words.length === 0) {
    const all = given.join(' ');
    if (/^GOLD RESPONSE( --source)?$/.test(all)) {
      const from = source === undefined ? undefined : String(source);
      return { gold: String(gold), response: String(response), source: from };
    }
    if (all === '--file --out') return { file: String(file), out: String(out) };
  }
  const more = words.length > 0 ? [`${counted(words.length, 'argument')} more`] : [];
  throw new UserError({
    wanted: 'GOLD and RESPONSE, or --file with --out',
    found: [...given, ...more].join(', ') || 'neither',
    fix: '`pivottrace verify --help` shows both.',
  });
}

/** What makes verdicts comparable: the settings, this version, and a person's own verifiers as they are now. */
async function comparable({ common, sources }: VerifierSpecs): Promise<unknown> {
  const specs = [common, ...Object.values(sources)];
  const files = await Promise.all([...new Set(specs.flatMap(ownFiles))].map(fileHash));
  return { version: packageVersion(), common, sources, files };
}

function ownFiles({ kind, module, command = [] }: VerifierSpec): string[] {
  const words = kind === 'module' && module !== undefined ? [module.path] : [];
  return [...words, ...(kind === 'command' ? command : [])].filter(
    (path) => existsSync(path) && statSync(path).isFile(),
  );
}

/** The verdict, and how it came about: what was read in the response, and how both sides are understood. */
async function judgePair(
  verifier: Verifier,
  { gold, response }: Pair,
  output: Output,
): Promise<void> {
  const [[verdict], candidates, inGold] = await Promise.all([
    verifier.verify(gold, [response]),
    verifier.candidates(response),
    ['code', 'json'].includes(verifier.name) ? [] : verifier.candidates(gold),
  ]);
  const [found] = candidates;
  const [goldRead, answerRead] = await Promise.all([
    verifier.read(answerOfGold(gold, inGold)),
    found === undefined ? null : verifier.read(found.text),
  ]);
  const lines = [
    `${verdict.verdict}: ${verdict.reason} (${verdict.rung})`,
    `gold      ${goldRead === null ? 'cannot be read' : `${goldRead.kind}: ${goldRead.shown}`}`,
    `answer    ${found === undefined ? 'none found' : `${answerRead?.kind ?? 'cannot be read'}: ${found.text} (${placeOf(found)})`}`,
    ...candidates.slice(1, 4).map((other) => `or        ${other.text} (${placeOf(other)})`),
  ];
  const shown = lines.map(oneLine).join('\n');
  output.result(shown, { ...verdict, gold: goldRead, answer: answerRead, candidates });
}

/** A response may hold what moves a terminal's cursor or turns its text around. */
function oneLine(text: string): string {
  return visible(text.replace(/[\n\r\t]+/g, ' '));
}

function placeOf({ mark, start, end }: Extraction): string {
  return `${mark}, characters ${start} to ${end}`;
}

function fileText(
  { rows, resumed, confusion }: VerdictSummary,
  { input, output }: Record<'input' | 'output', string>,
): string {
  if (rows === 0) return `${input} has no rows: ${output} is empty.`;
  const before = resumed > 0 ? `, ${resumed} of them from before` : '';
  return `${counted(rows, 'verdict')} in ${output}${before}.\n\n${confusionTable(confusion)}`;
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
