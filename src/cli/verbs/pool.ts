/** `pool [FILE ...]`: takes prompts in, and says what is there. */
import { basename, resolve } from 'node:path';
import type { Repositories } from '../../store/types.ts';
import { sealedFiles } from '../stages/labels.ts';
import { type Ingested, ingestFiles } from '../stages/pool.ts';
import { withStore } from '../stages/workspace.ts';
import { counted, table } from '../table.ts';
import type { Verb } from '../verb.ts';

export const pool: Verb = {
  operand: '[FILE ...]',
  configure(command) {
    command.addHelpText(
      'after',
      '\nFILE is JSONL, CSV, TSV, Parquet or a folder of them; without one, pool.files are read. Answers are\n' +
        'sealed apart from the prompts: only labels that are bought are ever seen by training.',
    );
  },
  async run({ config, database, operands, cwd, output, stop }) {
    const files =
      operands.length > 0 ? operands.map((file) => resolve(cwd, file)) : config.pool.files;
    const { progress } = output;
    await withStore({ config, database }, async (store) => {
      const ingested =
        files.length === 0 ? null : await ingestFiles({ store, config, files, progress, stop });
      const listing = await list(store, config.workspace);
      const text = [...(ingested === null ? [] : [ingestText(ingested), '']), listingText(listing)];
      output.result(text.join('\n'), { ingested: ingestJson(ingested), ...listing });
    });
  },
};

interface Listing {
  prompts: number;
  sources: Record<string, number>;
  /** Names of the files of sealed answers; what is in them is for the label room alone. */
  answer_files: string[];
}

async function list(store: Repositories, workspace: string): Promise<Listing> {
  const sources = await store.browse.sources();
  return {
    prompts: sources.reduce((sum, { prompts }) => sum + prompts, 0),
    sources: Object.fromEntries(sources.map(({ source, prompts }) => [source, prompts])),
    answer_files: sealedFiles(workspace).map((path) => basename(path)),
  };
}

function listingText({ prompts, sources, answer_files: files }: Listing): string {
  if (prompts === 0) return 'The pool is empty. `pivottrace pool FILE...` reads prompts in.';
  const rows = Object.entries(sources).map(([source, count]) => [source, count] as const);
  return [
    table(['source', 'prompts'], [...rows, ['all', prompts]]),
    '',
    `Sealed answers: ${files.join(', ') || 'none'}`,
  ].join('\n');
}

function ingestText(done: Ingested): string {
  const lines = [
    `${counted(done.added, 'prompt')} added, ${counted(done.answers, 'answer')} sealed.`,
  ];
  if (done.unchanged > 0) lines.push(`${counted(done.unchanged, 'prompt')} already there.`);
  if (done.elsewhere > 0) {
    lines.push(`${counted(done.elsewhere, 'prompt')} already there under another id, left out.`);
  }
  if (done.merged > 0) {
    const conflicts =
      done.conflicts === 0 ? '' : `, ${done.conflicts} with another answer (the first stays)`;
    lines.push(`${counted(done.merged, 'duplicate')} merged${conflicts}:`);
    lines.push(
      ...done.duplicates.slice(0, 5).map(({ id, at }) => `  ${at.file}:${at.line} is ${id}`),
    );
  }
  if (done.rejected > 0) {
    lines.push(`${counted(done.rejected, 'row')} set aside in ${done.rejectsFile}:`);
    lines.push(
      ...done.rejects.slice(0, 5).map(({ at, reason }) => `  ${at.file}:${at.line}: ${reason}`),
    );
  }
  if (done.withheld.length > 0) {
    lines.push(`Columns left out, since they may hold the answer: ${done.withheld.join(', ')}.`);
  }
  return lines.join('\n');
}

function ingestJson(done: Ingested | null) {
  if (done === null) return null;
  const { answersFile, rejectsFile, ...same } = done;
  return { ...same, answers_file: answersFile, rejects_file: rejectsFile };
}
