/**
 * Label Studio's tasks: `data` with the question, `annotations` that people made, `predictions` that nobody did.
 * Shapes as in its documentation of the JSON export; checked against its own package by test/label/foreign.ts.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Entry, Format, GivenBy, Item, OutgoingLabel, OutgoingTask } from './types.ts';
import {
  BadItem,
  blank,
  byPrompt,
  costOf,
  faultsOf,
  idOf,
  nameOf,
  onlyAnswer,
  questionText,
  timeOf,
  timeText,
  withoutNulls,
} from './values.ts';

/** Names in the labelling configuration. */
const ANSWER = 'answer';
const QUESTION = 'question';

const CONFIG = `<View>
  <Text name="${QUESTION}" value="$${QUESTION}"/>
  <TextArea name="${ANSWER}" toName="${QUESTION}" maxSubmissions="1" required="true" rows="1" editable="true"
    placeholder="The final answer alone. Skip the task if it has none."/>
</View>
`;

const regionSchema = z.object({
  from_name: z.string().nullish(),
  type: z.string().nullish(),
  value: z.unknown().optional(),
  meta: z.unknown().optional(),
});
const annotationSchema = z.object({
  completed_by: z
    .union([
      z.int(),
      z.string(),
      z.object({ id: z.int().nullish(), email: z.string().nullish(), name: z.string().nullish() }),
    ])
    .nullish(),
  created_at: z.unknown().optional(),
  was_cancelled: z.boolean().nullish(),
  skipped: z.boolean().nullish(),
  result: z.array(regionSchema).nullish(),
});
type Annotation = z.infer<typeof annotationSchema>;
const taskSchema = z.object({
  data: z.record(z.string(), z.unknown()),
  annotations: z.array(annotationSchema).nullish(),
  /** What older versions call annotations. */
  completions: z.array(annotationSchema).nullish(),
});
const valueSchema = z.object({ text: z.union([z.string(), z.array(z.string())]).nullish() });
/** Ours, on a label that was exported: it holds as long as the answer is the one that it came with. */
const metaSchema = z.object({
  pivottrace: z.object({
    ...{ answer: z.string(), annotator: z.string(), cost: z.number() },
    at: z.string().optional(),
  }),
});

export const labelStudio: Format = {
  name: 'label-studio',
  title: 'Label Studio JSON',
  container: 'array',
  noun: 'task',
  mostItems: null,
  takesVotes: true,
  companion: { name: 'config.xml', text: CONFIG, use: 'is the labelling interface of its project' },
  *taskItems(tasks, withVotes) {
    for (const task of tasks) {
      yield { data: taskData(task), ...(withVotes ? predictions(task) : {}) };
    }
  },
  *labelItems(labels) {
    for (const group of byPrompt(labels)) {
      const [{ id, prompt, source }] = group;
      const data = { [QUESTION]: questionText(prompt), pt_id: id, pt_source: source };
      yield { data, annotations: group.map(annotationItem) };
    }
  },
  fits: (item) => typeof item.data === 'object' && item.data !== null,
  *entries(item) {
    const parsed = taskSchema.safeParse(item);
    if (!parsed.success) throw new BadItem(faultsOf(parsed.error));
    const { data, annotations, completions } = parsed.data;
    const promptId = idOf(data.pt_id ?? data.id, 'pt_id');
    const given = annotations ?? completions ?? [];
    if (given.length === 0) yield blank;
    for (const annotation of given) yield entryOf(promptId, annotation);
  },
};

function taskData({ id, prompt, source, utility, reason, run, step }: OutgoingTask): Item {
  const row = { [QUESTION]: questionText(prompt), pt_id: id, pt_source: source };
  return withoutNulls({
    ...{ ...row, pt_utility: utility, pt_reason: reason, pt_run: run, pt_step: step },
    pt_messages: typeof prompt === 'string' ? null : prompt,
  });
}

function predictions({ id, vote }: OutgoingTask): Item {
  if (vote === null) return {};
  const { answer, votes, samples } = vote;
  const result = [region(`policy ${id}`, answer)];
  return { predictions: [{ model_version: 'policy', score: votes / samples, result }] };
}

/** No `completed_by`: Label Studio refuses tasks whose annotators it does not know. */
function annotationItem({ id, answer, annotator, cost, run, step, at }: OutgoingLabel): Item {
  const meta = {
    pivottrace: withoutNulls({ answer, annotator, cost, run, step, at: timeText(at) }),
  };
  return {
    ...{ was_cancelled: false, ground_truth: false },
    result: [{ ...region(`${annotator} ${id}`, answer), meta }],
  };
}

function region(seed: string, answer: string): Item {
  return {
    id: createHash('sha256').update(seed).digest('hex').slice(0, 10),
    ...{ type: 'textarea', from_name: ANSWER, to_name: QUESTION, origin: 'manual' },
    value: { text: [answer] },
  };
}

function entryOf(promptId: string, annotation: Annotation): Entry {
  if (annotation.was_cancelled === true || annotation.skipped === true) return { kind: 'skipped' };
  const regions = annotation.result ?? [];
  const ours = regions.filter((one) => one.from_name === ANSWER);
  const other = regions.find(({ type }) => type === 'textarea')?.from_name;
  if (ours.length === 0 && other !== undefined) {
    throw new BadItem(`a text area named '${other}' where config.xml has '${ANSWER}'`);
  }
  const answer = onlyAnswer(ours.flatMap(({ value }) => textsOf(value)));
  if (answer === null) return blank;
  const meta = metaSchema.safeParse(ours[0].meta).data?.pivottrace;
  if (meta !== undefined && meta.answer.trim() === answer) {
    const by = named(meta.annotator);
    return { kind: 'answer', promptId, answer, by, cost: costOf(meta.cost), at: timeOf(meta.at) };
  }
  const at = timeOf(annotation.created_at);
  return { kind: 'answer', promptId, answer, by: annotatorOf(annotation), cost: null, at };
}

function textsOf(value: unknown): string[] {
  const parsed = valueSchema.safeParse(value);
  if (!parsed.success) throw new BadItem(`'${ANSWER}' is no text area`);
  const { text } = parsed.data;
  return typeof text === 'string' ? [text] : (text ?? []);
}

function annotatorOf({ completed_by: by }: Annotation): GivenBy | null {
  if (typeof by === 'number') return { text: String(by), isName: false };
  if (typeof by === 'string') return named(by);
  if (by === undefined || by === null) return null;
  const name = named(by.email ?? by.name);
  if (name !== null) return name;
  return typeof by.id === 'number' ? { text: String(by.id), isName: false } : null;
}

function named(name: string | null | undefined): GivenBy | null {
  const text = nameOf(name, 'completed_by');
  return text === null ? null : { text, isName: true };
}
