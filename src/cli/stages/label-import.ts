/** `label --from`: takes labels that people gave elsewhere into the account, and says what came of it. */

import type { FormatName } from '../../label/formats/types.ts';
import { shown } from '../../label/formats/values.ts';
import { type Contested, importLabels } from '../../label/import-labels.ts';
import type { Store } from '../../store/types.ts';
import type { Verifiers } from '../../verify/verifiers.ts';
import type { Config } from '../config.ts';
import { counted } from '../table.ts';
import { labelAccount, recordArrival, savedPlan } from './labels.ts';
import { noJudge, peoplesQueue } from './live-labels.ts';
import { withVerifiers } from './workspace.ts';

export interface ImportRequest {
  paths: readonly string[];
  /** Who gave what names nobody. */
  source: string;
  /** undefined: guessed. */
  format?: FormatName;
  names: ReadonlyMap<string, string>;
}

/** Disagreements that are listed one by one for people. */
const LISTED = 10;

const ignoredWords = {
  blank: 'left blank',
  skipped: 'skipped',
  draft: 'drafts',
  unclear: 'whose status the file does not say',
} as const;

/** The outcome as text and as data. UserError, with nothing written, where a file cannot be taken whole. */
export async function takeLabels(
  store: Store,
  config: Config,
  { paths, source, format, names }: ImportRequest,
): Promise<{ text: string; data: Record<string, unknown> }> {
  const account = labelAccount(config);
  const { budget } = config.label;
  const common = { path: paths, account, source, budget, names };
  const done = await importLabels(store, format === undefined ? common : { ...common, format });
  await follow(store, config, account);
  const disagreements = await judged(store, config, done.contested);
  const queue = peoplesQueue(store, config, account, noJudge);
  const contested = await queue.contest(disagreements.map(({ promptId }) => promptId));
  const { added, unchanged, sources, formats, ignored } = done;
  const who = sources.length === 0 ? source : namesOf(sources);
  const lines = [
    `${counted(added, 'label')} by ${who} imported into the account ${account}, ${unchanged} were there already.`,
    ...(formats.length === 0 ? ['The file is empty.'] : [`Read as ${formats.join(' and ')}.`]),
    ...ignoredText(ignored),
    ...disagreementText(disagreements, contested),
  ];
  return {
    text: lines.join('\n'),
    data: {
      ...{ account, source, added, unchanged, formats, annotators: sources, ignored },
      disagreements: disagreements.map(({ promptId, given }) => ({ prompt_id: promptId, given })),
      contested,
    },
  };
}

/** Prompts of the plan whose label is there now become `annotated`. */
async function follow(store: Store, config: Config, account: string): Promise<void> {
  if (!(await store.plans.names()).includes(config.triage.plan)) return;
  const { plan } = await savedPlan(store, config.triage.plan);
  const owned = await store.labels.owned(account);
  const planned = new Set(plan.decisions.map((decision) => decision.promptId));
  const ids = owned.map(({ promptId }) => promptId).filter((id) => planned.has(id));
  await recordArrival(store, config, plan, ids);
}

/** Different texts may be the same answer to the verifier: 1/2 and 0.5. */
async function judged(
  store: Store,
  config: Config,
  contested: readonly Contested[],
): Promise<Contested[]> {
  if (contested.length === 0) return [];
  const prompts = await store.prompts.list(contested.map(({ promptId }) => promptId));
  const sources = new Map(prompts.map(({ id, source }) => [id, source]));
  return await withVerifiers(config, async (verifiers) => {
    const kept: Contested[] = [];
    for (const one of contested) {
      if (!(await agree(verifiers, one, sources.get(one.promptId)))) kept.push(one);
    }
    return kept;
  });
}

async function agree(
  verifiers: Pick<Verifiers, 'of'>,
  { given }: Contested,
  source: string | undefined,
): Promise<boolean> {
  const classes = await verifiers.of(source).classes(given.map(({ answer }) => answer));
  return classes.every((one) => one === classes[0] && one >= 0);
}

function namesOf(sources: readonly string[]): string {
  return sources.length > 3 ? `${sources.length} annotators` : sources.map(shown).join(', ');
}

function ignoredText(ignored: Partial<Record<keyof typeof ignoredWords, number>>): string[] {
  const parts = Object.entries(ignoredWords).flatMap(([kind, words]) => {
    const count = Object.entries(ignored).find(([key]) => key === kind)?.[1] ?? 0;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return parts.length === 0 ? [] : [`Not taken: ${parts.join(', ')}.`];
}

/** `contested`: how many of them are in dispute since this import. */
function disagreementText(disagreements: readonly Contested[], contested: number): string[] {
  if (disagreements.length === 0) return [];
  const lines = disagreements.slice(0, LISTED).map(({ promptId, given }) => {
    const said = given.map(
      ({ source, answer, at }) => `${shown(answer)} (${shown(source)}, ${at})`,
    );
    return `  ${shown(promptId)}: ${said.join(', ')}`;
  });
  const more = disagreements.length - LISTED;
  return [
    `People disagree on ${counted(disagreements.length, 'prompt')}; the first answer counts:`,
    ...lines,
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...(contested > 0
      ? [`Admins rule on ${contested} of them on the adjudication page (\`pivottrace serve\`).`]
      : []),
  ];
}
