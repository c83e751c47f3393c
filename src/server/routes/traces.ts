/**
 * Traced responses for the viewer: a list that is searched page by page, one response with its signals, and single heads.
 */
import type { Annotator } from '../../label/queue/types.ts';
import type { TracedPlace, TracedRow } from '../../store/browse-types.ts';
import type { StoredRollout } from '../../store/types.ts';
import { summarisePivots } from '../../trace/pivots.ts';
import type { TraceManifest } from '../../trace/types.ts';
import { openVerdicts, type Verdicts } from '../trace-verdicts.ts';
import {
  changesOf,
  columnOf,
  piecesOf,
  questionLine,
  roundManifest,
  signalsOf,
  turnsOf,
} from '../trace-view.ts';
import { Refusal, type Routes, type ServerContext } from '../types.ts';
import {
  columnQuery,
  LIST_LIMIT,
  type TracesQuery,
  toBase64,
  traceQuery,
  tracesQuery,
  type WireTrace,
  type WireTracedPage,
  type WireTracedRow,
} from '../wire-traces.ts';

/** Responses that one search looks through, and that one filter by verdict judges. */
const SCAN = 1_000;
const JUDGED = 100;

export const routes: Routes = (context) => {
  const verdicts = openVerdicts(context);
  const pieces = piecesOf(context.model);
  return [
    {
      method: 'GET',
      path: '/api/traces',
      access: 'viewer',
      async handle(call) {
        const page = await listed(context, verdicts, call.query(tracesQuery), call.signal);
        return { ...page, rows: await withoutSpoilers(context, call.user, page.rows) };
      },
    },
    {
      method: 'GET',
      path: '/api/trace',
      access: 'viewer',
      async handle(call) {
        const { prompt, sample, round } = call.query(traceQuery);
        const found = await wanted(context, prompt, sample, round);
        await recordLook(context, call.user, prompt);
        const { rollout, trace } = found;
        return {
          ...(await described(context, verdicts, found)),
          ...pieces.of(rollout.tokens),
          ids: toBase64(rollout.tokens),
          signals: signalsOf(trace.trace, found.manifest),
          changes: changesOf(trace),
        } satisfies WireTrace;
      },
    },
    {
      method: 'GET',
      path: '/api/trace/column',
      access: 'viewer',
      async handle(call) {
        const { prompt, sample, round, signal, column } = call.query(columnQuery);
        const where = round ?? (await newestRound(context));
        const trace = await context.store.browse.trace(where, prompt, sample);
        const values = trace === undefined ? null : columnOf(trace.trace, signal, column);
        if (values === null) throw new Refusal(404, 'The trace holds no such head or layer.');
        return { values: toBase64(values) };
      },
    },
  ];
};

/** Whoever may label has seen what the model answers: a label that they give later says so. */
async function recordLook(
  { store, audit }: ServerContext,
  user: Annotator,
  promptId: string,
): Promise<void> {
  if (user.role === 'viewer') return;
  if (await store.auditLog.did(user.id, 'label.reveal', promptId)) return;
  await audit(user, 'label.reveal', promptId, { by: 'trace' });
}

/** In the list annotators see nothing of what the model says to questions that are open: they may get them next. */
async function withoutSpoilers(
  { store, account }: ServerContext,
  { role }: Annotator,
  rows: WireTracedRow[],
): Promise<WireTracedRow[]> {
  if (role !== 'annotator' || rows.length === 0) return rows;
  const ids = [...new Set(rows.map(({ promptId }) => promptId))];
  const tasks = await store.desk.tasks(account, ids);
  const open = new Set(
    tasks.flatMap(({ state, promptId }) => (state === 'open' ? [promptId] : [])),
  );
  return rows.map((row) =>
    open.has(row.promptId) ? { ...row, answer: null, beginning: '' } : row,
  );
}

async function newestRound({ store }: ServerContext): Promise<number> {
  const last = (await store.browse.tracedRounds()).at(-1);
  if (last === undefined) throw new Refusal(404, 'Nothing was traced yet: run `pivottrace trace`.');
  return last.round;
}

type Wanted = Awaited<ReturnType<typeof wanted>>;

async function wanted(
  context: ServerContext,
  promptId: string,
  sample: number,
  asked: number | undefined,
) {
  const { store } = context;
  const round = asked ?? (await newestRound(context));
  const trace = await store.browse.trace(round, promptId, sample);
  const rollouts = trace === undefined ? [] : await store.rollouts.of(round, [promptId]);
  const rollout = rollouts.find((one) => one.sample === sample);
  const [prompt] = await store.prompts.list([promptId]);
  if (trace === undefined || rollout === undefined || prompt === undefined) {
    throw new Refusal(404, `Round ${round} has no trace of sample ${sample} of this prompt.`);
  }
  return { round, prompt, rollout, trace, manifest: await roundManifest(store, round) };
}

async function described(
  { store, plan }: ServerContext,
  verdicts: Verdicts,
  { round, prompt, rollout, manifest }: Wanted,
): Promise<Omit<WireTrace, 'text' | 'ends' | 'decoded' | 'ids' | 'signals' | 'changes'>> {
  const { promptId, sample, finish, answer, promptLength, text: response } = rollout;
  const { source } = prompt;
  const label = (await verdicts.labels([promptId])).get(promptId) ?? null;
  const judged = { promptId, sample, text: response, source };
  return {
    ...{ round, promptId, sample, source, response, finish, answer, label },
    samples: await store.browse.tracedSamples(round, promptId),
    prompt: turnsOf(prompt),
    verdict: label === null ? null : await verdicts.of(round, judged, label),
    route: await store.browse.stateOf(plan, promptId),
    promptTokens: promptLength,
    figures: {
      meanLogprob: finite(rollout.meanLogprob),
      meanEntropy: finite(rollout.meanEntropy),
      maxEntropy: finite(rollout.maxEntropy),
      meanSelfCertainty: finite(rollout.meanSelfCertainty),
    },
    scores: (await store.browse.scoresOf(round, promptId)).filter(({ value }) =>
      Number.isFinite(value),
    ),
    settings: manifest === null ? null : settingsOf(manifest),
  };
}

function settingsOf({ settings }: TraceManifest): NonNullable<WireTrace['settings']> {
  const { signal, delta, zeta, window } = settings;
  return { signal, delta, zeta, window };
}

/** JSON has no NaN. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

async function listed(
  context: ServerContext,
  verdicts: Verdicts,
  query: TracesQuery,
  signal: AbortSignal,
): Promise<WireTracedPage> {
  const rounds = await context.store.browse.tracedRounds();
  const round = query.round ?? rounds.at(-1)?.round;
  if (round === undefined) return { rounds, round: null, rows: [], next: null };
  const manifest = await roundManifest(context.store, round);
  const rows: WireTracedRow[] = [];
  let after: TracedPlace | null = query.after ?? null;
  let judged = 0;
  // A filter by verdict looks at one page after the other, up to so many: judging takes time.
  do {
    const page = await context.store.browse.traced({
      ...{ round, plan: context.plan, promptId: query.prompt, finish: query.finish },
      ...{ route: query.route, text: query.text, after, limit: LIST_LIMIT, scan: SCAN },
    });
    for (const row of await rowsOf(context, verdicts, round, manifest, page.rows)) {
      if (fits(row, query.verdict)) rows.push(row);
    }
    judged += page.rows.length;
    after = page.next;
    if (query.verdict === '' || page.rows.length === 0) break;
  } while (after !== null && rows.length < LIST_LIMIT && judged < JUDGED && !signal.aborted);
  return { rounds, round, rows, next: after === null ? null : `${after.position}.${after.sample}` };
}

function fits(row: WireTracedRow, asked: TracesQuery['verdict']): boolean {
  return asked === '' || (row.verdict ?? 'unlabelled') === asked;
}

async function rowsOf(
  { store }: ServerContext,
  verdicts: Verdicts,
  round: number,
  manifest: TraceManifest | null,
  rows: readonly TracedRow[],
): Promise<WireTracedRow[]> {
  const ids = [...new Set(rows.map(({ promptId }) => promptId))];
  const prompts = new Map((await store.prompts.list(ids)).map((prompt) => [prompt.id, prompt]));
  const labels = await verdicts.labels(ids);
  const texts = await labelledTexts(store, round, [...labels.keys()]);
  return await Promise.all(
    rows.map(async (row): Promise<WireTracedRow> => {
      const { promptId, sample, source, length: tokens, finish, answer, route, beginning } = row;
      const prompt = prompts.get(promptId);
      const label = labels.get(promptId);
      const text = texts.get(JSON.stringify([promptId, sample]));
      return {
        ...{ promptId, sample, source, tokens, finish, answer, route, beginning },
        question: prompt === undefined ? '' : questionLine(prompt),
        pivots: pivotsOf(row.changes, manifest),
        verdict:
          label === undefined || text === undefined
            ? null
            : await verdicts.of(round, { promptId, sample, text, source }, label),
      };
    }),
  );
}

async function labelledTexts(
  store: ServerContext['store'],
  round: number,
  promptIds: readonly string[],
): Promise<Map<string, string>> {
  const rollouts: StoredRollout[] =
    promptIds.length === 0 ? [] : await store.rollouts.of(round, promptIds);
  return new Map(
    rollouts.map(({ promptId, sample, text }) => [JSON.stringify([promptId, sample]), text]),
  );
}

function pivotsOf(changes: Float32Array | null, manifest: TraceManifest | null): number | null {
  if (changes === null || manifest === null || manifest.tau === null) return null;
  return summarisePivots(changes, manifest.tau, manifest.settings.delta).count;
}
