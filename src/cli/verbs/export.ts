/** `export --to TRAINER`: the plan, its labels and votes as a folder that another trainer reads. */
import { resolve } from 'node:path';
import { Option } from 'commander';
import { UserError } from '../../core/errors.ts';
import { trainerFormats } from '../../export/trainer-formats.ts';
import { trainers } from '../../export/types.ts';
import { exportPool } from '../stages/export.ts';
import { withStore } from '../stages/workspace.ts';
import type { Verb, VerbContext } from '../verb.ts';

export const exportVerb: Verb = {
  configure(command) {
    command
      .addOption(
        new Option('--to <trainer>', 'who reads it').choices(trainers).makeOptionMandatory(),
      )
      .option('--out <folder>', 'folder to write; default: exports/TRAINER in the workspace')
      .addOption(
        new Option(
          '--votes <when>',
          'which majority rewards prompts without a label: frozen = that at export, live = that of the group as it trains; default: live for trl, frozen for others',
        ).choices(['frozen', 'live']),
      )
      .option(
        '--keep-discarded',
        'train on discarded prompts too, by vote where they have no label',
      );
  },
  async run({ config, database, flags, cwd, output }) {
    const request = requestOf(flags, cwd);
    const { text, data } = await withStore({ config, database }, (store) =>
      exportPool(store, config, request),
    );
    output.result(text, data);
  },
};

function requestOf(flags: VerbContext['flags'], cwd: string): Parameters<typeof exportPool>[2] {
  const trainer = trainers.find((name) => name === flags.to) ?? 'jsonl';
  const { votes, title } = trainerFormats[trainer];
  const wanted = flags.votes === 'live' || flags.votes === 'frozen' ? flags.votes : votes[0];
  if (!votes.includes(wanted)) {
    throw new UserError({
      wanted: `--votes ${votes.join(' or ')} for ${title}, whose rewards see one response at a time`,
      found: `--votes ${wanted}`,
    });
  }
  return {
    ...{ trainer, votes: wanted, keepDiscarded: flags.keepDiscarded === true },
    ...(typeof flags.out === 'string' ? { path: resolve(cwd, flags.out) } : {}),
  };
}
