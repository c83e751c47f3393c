/** `label --undecided`: the responses that training asks a person about. */
import type { Store } from '../../store/types.ts';
import type { Config } from '../config.ts';
import { counted } from '../table.ts';
import { openQuestions } from './run-logs.ts';

/** Most characters of a response in the list for people: its end, where the answer is. */
const shownChars = 300;

/** The list as text and as data. */
export async function listUndecided(
  store: Store,
  config: Config,
): Promise<{ text: string; data: Record<string, unknown> }> {
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
  return {
    text: [head, ...(blocks.length === 0 ? [note] : blocks)].join('\n\n'),
    data: {
      questions: questions.map(({ promptId, ...rest }) => ({ prompt_id: promptId, ...rest })),
    },
  };
}

/** A model may write what moves a terminal's cursor or turns its text around. */
function harmless(line: string): string {
  return line.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}
