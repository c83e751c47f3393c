/**
 * `label`: buys the labels that the plan asks for; with --from FILE takes labels that people gave; with --undecided
 * lists what training could not judge.
 */
import { resolve } from 'node:path';
import { importLabels } from '../../label/import-labels.ts';
import type { Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import type { Output } from '../output.ts';
import { buyPlanned, labelAccount, labelDesk, recordArrival, savedPlan } from '../stages/labels.ts';
import { openQuestions } from '../stages/run-logs.ts';
import { withStore } from '../stages/workspace.ts';
import { counted } from '../table.ts';
import type { Verb } from '../verb.ts';

export const label: Verb = {
  configure(command) {
    command.option('--from <file>', 'import labels: JSONL of {"id", "answer"}, or CSV');
    command.option('--source <name>', 'who gave the imported labels', 'people');
    command.option('--undecided', 'list the responses that training asks a person about');
  },
  async run({ config, flags, cwd, output }) {
    await withStore(config, async (store) => {
      if (typeof flags.from === 'string') {
        await take(store, config, resolve(cwd, flags.from), String(flags.source), output);
      } else if (flags.undecided === true) await list(store, config, output);
      else await buy(store, config, output);
    });
  },
};

async function buy(store: Store, config: Config, output: Output): Promise<void> {
  const desk = await labelDesk(store, config);
  const done = await buyPlanned(store, config, desk);
  const lines = [
    `${counted(done.labelled, 'label')} bought for the plan ${config.triage.plan}; ${done.spent} in the account ${desk.account}.`,
  ];
  if (done.missing > 0) {
    lines.push(
      `${counted(done.missing, 'prompt')} still without: no answer to buy, or the budget is used up.`,
    );
  }
  output.result(lines.join('\n'), { plan: config.triage.plan, account: desk.account, ...done });
}

async function take(
  store: Store,
  config: Config,
  path: string,
  source: string,
  output: Output,
): Promise<void> {
  const account = labelAccount(config);
  const { budget } = config.label;
  const { added, unchanged } = await importLabels(store, { path, account, source, budget });
  if ((await store.plans.names()).includes(config.triage.plan)) {
    const { plan, revision } = await savedPlan(store, config.triage.plan);
    const owned = await store.labels.owned(account);
    const planned = new Set(plan.decisions.map((decision) => decision.promptId));
    const ids = owned.map(({ promptId }) => promptId).filter((id) => planned.has(id));
    await recordArrival(store, config, plan, revision, ids);
  }
  output.result(
    `${counted(added, 'label')} by ${source} imported into the account ${account}, ${unchanged} were there already.`,
    { account, source, added, unchanged },
  );
}

/** Most characters of a response in the list for people: its end, where the answer is. */
const shownChars = 300;

async function list(store: Store, config: Config, output: Output): Promise<void> {
  const questions = await openQuestions(store, config.workspace);
  const blocks = questions.map(({ run, step, promptId, gold, response, reason, rung }) => {
    const end = response.trim().slice(-shownChars);
    return [
      `${promptId} (run ${run}, step ${step}): ${reason} (${rung})`,
      `  label: ${gold}`,
      ...end.split('\n').map((line) => `  | ${line}`),
    ]
      .map(harmless)
      .join('\n');
  });
  const note = 'Runs with train.undecided=ask put here what their verifier could not judge.';
  const head = `${counted(questions.length, 'response')} that nobody has judged.`;
  output.result([head, ...(blocks.length === 0 ? [note] : blocks)].join('\n\n'), {
    questions: questions.map(({ promptId, ...rest }) => ({ prompt_id: promptId, ...rest })),
  });
}

/** A model may write what moves a terminal's cursor or turns its text around. */
function harmless(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
