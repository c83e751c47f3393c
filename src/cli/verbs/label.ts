/**
 * `label`: buys the labels that the plan asks for; --export and --from carry questions to people who work elsewhere and
 * their answers back; --undecided lists what training could not judge.
 */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { UserError } from '../../core/errors.ts';
import { formatNames } from '../../label/formats/types.ts';
import { LONGEST_NAME } from '../../label/formats/values.ts';
import type { Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import { buyPlanned, labelDesk } from '../stages/labels.ts';
import { withStore } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb, VerbContext } from '../verb.ts';

type Outcome = { text: string; data: Record<string, unknown> };

export const label: Verb = {
  configure(command) {
    command
      .option('--from <file>', 'import labels; may be given more than once', gathered, [])
      .option('--source <name>', 'who gave the labels of a file that does not say', 'people')
      .option(
        '--annotator <id=name>',
        'name of an annotator whom a file knows by a number or a UUID',
        gathered,
        [],
      );
    exportOptions(command);
    command.option('--undecided', 'list the responses that training asks a person about');
  },
  async run(context) {
    const job = jobOf(context);
    const { text, data } = await withStore(context, (store) => job(store, context.config));
    context.output.result(text, data);
  },
};

function exportOptions(command: Command): void {
  command
    .option('--export <file>', 'write what waits for a label, for people who work elsewhere')
    .addOption(
      new Option(
        '--format <name>',
        'of the file; left out: guessed from what is imported, by the ending of what is exported',
      ).choices(formatNames),
    )
    .addOption(
      new Option('--what <kind>', 'what is exported').choices(['tasks', 'labels']).default('tasks'),
    )
    .option('--with-votes', 'export the policy’s answers as predictions: they sway people');
}

function gathered(value: string, before: string[]): string[] {
  return [...before, value];
}

/** Each job loads what it needs: the formats and the verifiers take a noticeable time. */
function jobOf({ flags, cwd }: VerbContext): (store: Store, config: Config) => Promise<Outcome> {
  const from = texts(flags.from);
  const format = formatNames.find((name) => name === flags.format);
  const common = format === undefined ? {} : { format };
  if (from.length > 0 && typeof flags.export === 'string') {
    throw new UserError({ wanted: '--from or --export', found: 'both' });
  }
  if (from.length > 0) {
    const paths = from.map((path) => resolve(cwd, path));
    const names = namesOf(texts(flags.annotator));
    const request = { ...common, paths, source: nameOf(String(flags.source)), names };
    return async (store, config) =>
      (await import('../stages/label-import.ts')).takeLabels(store, config, request);
  }
  if (typeof flags.export === 'string') {
    const what = flags.what === 'labels' ? 'labels' : 'tasks';
    const path = resolve(cwd, flags.export);
    const request = { ...common, path, what, withVotes: flags.withVotes === true } as const;
    return async (store, config) =>
      (await import('../stages/label-export.ts')).exportLabels(store, config, request);
  }
  if (flags.undecided === true) {
    return async (store, config) =>
      (await import('../stages/label-undecided.ts')).listUndecided(store, config);
  }
  return buy;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** `3=mara`. */
function namesOf(pairs: readonly string[]): Map<string, string> {
  return new Map(
    pairs.map((pair) => {
      const [id, ...rest] = pair.split('=');
      if (id.trim() === '' || rest.length === 0) {
        throw new UserError({
          wanted: 'an annotator as ID=NAME, for example 3=mara',
          found: `"${pair}"`,
          where: '--annotator',
        });
      }
      return [id.trim(), nameOf(rest.join('='))];
    }),
  );
}

function nameOf(text: string): string {
  const name = text.trim();
  if (name !== '' && name.length <= LONGEST_NAME && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name)) {
    return name;
  }
  throw new UserError({
    wanted: `a name of at most ${LONGEST_NAME} characters`,
    found: JSON.stringify(name.slice(0, LONGEST_NAME)),
  });
}

async function buy(store: Store, config: Config): Promise<Outcome> {
  const desk = await labelDesk(store, config);
  const done = await buyPlanned(store, config, desk);
  const lines = [
    `${counted(done.labelled, 'label')} bought for the plan ${config.triage.plan}; ${done.spent} in the account ${desk.account}.`,
  ];
  if (done.missing > 0) lines.push(`${counted(done.missing, 'prompt')} ${missingText(config)}`);
  return {
    text: lines.join('\n'),
    data: { plan: config.triage.plan, account: desk.account, ...done },
  };
}

function missingText({ label }: Config): string {
  return label.source === 'people'
    ? 'put up for people: they label in the browser (`pivottrace serve`) or elsewhere (`label --export`).'
    : 'still without: no answer to buy, or the budget is used up.';
}
