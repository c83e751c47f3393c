/**
 * Downloads: labels in every format that `label` reads and writes, the log of transitions, the manifest of a plan. Written
 * as they are read, a page of rows at a time.
 *
 * Labels are answers, so that only admins get them. Cells that a spreadsheet would run as a formula are guarded in CSV as
 * everywhere (label/formats/formula.ts): reading undoes it, so that what leaves comes back as it was.
 */
import { formats } from '../../label/formats/registry.ts';
import type { Format, FormatName, Item, OutgoingLabel } from '../../label/formats/types.ts';
import { written } from '../../label/formats/written.ts';
import { labelTimes } from '../../label/label-times.ts';
import { transitionToLine } from '../../triage/disk.ts';
import { type Call, Refusal, type RouteEntry, type Routes, type ServerContext } from '../types.ts';
import { accountQuery, planQuery, type WireExports } from '../wire-dashboard.ts';

/** Rows read at a time. */
const PAGE = 1_000;

interface Download {
  /** Last part of the address, and of the file's name. */
  file: string;
  title: string;
  detail: string;
  access: 'admin' | 'viewer';
  /** What the file is of. */
  of: 'account' | 'plan';
  type: string;
  /** `name`: of the account or the plan. */
  write(context: ServerContext, name: string): AsyncIterable<string>;
}

const jsonLines = 'application/x-ndjson; charset=utf-8';

const labelFiles: Record<FormatName, { file: string; detail: string }> = {
  csv: { file: 'labels.csv', detail: 'for spreadsheets and for `pivottrace label`' },
  jsonl: { file: 'labels.jsonl', detail: 'one label a line' },
  'label-studio': { file: 'labels-label-studio.json', detail: 'tasks with annotations' },
  'label-studio-min': { file: 'labels-label-studio-min.json', detail: 'its flat list' },
  argilla: {
    file: 'labels-argilla.json',
    detail: 'records with responses; its server takes 500 at a time',
  },
};

const types = {
  csv: 'text/csv; charset=utf-8',
  lines: jsonLines,
  array: 'application/json; charset=utf-8',
} as const;

const downloads: readonly Download[] = [
  ...formats.map(
    (format): Download => ({
      ...labelFiles[format.name],
      title: `Labels (${format.title})`,
      ...{ access: 'admin', of: 'account', type: types[format.container] },
      write: (context, account) => labelFile(context, account, format),
    }),
  ),
  {
    file: 'transitions.jsonl',
    title: 'Transitions (JSONL)',
    detail: 'every change of route with its evidence, in order',
    ...{ access: 'viewer', of: 'plan', type: jsonLines },
    write: transitionLines,
  },
  {
    file: 'plan.json',
    title: 'Plan manifest (JSON)',
    detail: 'the plan and its transitions: what plans/NAME.json holds',
    ...{ access: 'viewer', of: 'plan', type: 'application/json; charset=utf-8' },
    write: planManifest,
  },
];

export const routes: Routes = (context) => [
  {
    method: 'GET',
    path: '/api/exports',
    access: 'viewer',
    handle(call) {
      const { account } = call.query(accountQuery);
      const { plan } = call.query(planQuery);
      const names = { account: account ?? context.account, plan: plan ?? context.plan };
      const allowed = downloads.filter(
        ({ access }) => access === 'viewer' || call.user.role === 'admin',
      );
      return {
        files: allowed.map(({ file, title, detail, of }) => ({
          href: `/api/exports/${file}?${of}=${encodeURIComponent(names[of])}`,
          ...{ title, detail },
        })),
      } satisfies WireExports;
    },
  },
  ...downloads.map(
    (download): RouteEntry => ({
      method: 'GET',
      path: `/api/exports/${download.file}`,
      access: download.access,
      handle: (call) => sent(context, download, call),
    }),
  ),
];

async function sent(context: ServerContext, download: Download, call: Call): Promise<Response> {
  const name =
    download.of === 'account'
      ? (call.query(accountQuery).account ?? context.account)
      : (call.query(planQuery).plan ?? context.plan);
  await requireThere(context, download.of, name);
  if (download.access === 'admin') {
    await context.audit(call.user, 'export', name, { file: download.file });
  }
  return new Response(streamed(download.write(context, name), call.signal), {
    headers: {
      'content-type': download.type,
      'content-disposition': `attachment; filename="${fileName(name, download.file)}"`,
      'cache-control': 'no-store',
    },
  });
}

async function requireThere(
  { store, account }: ServerContext,
  of: Download['of'],
  name: string,
): Promise<void> {
  const names =
    of === 'account'
      ? [account, ...(await store.labels.accounts())]
      : [...(await store.plans.names()), ...(await store.browse.transitionPlans())];
  if (!names.includes(name)) throw new Refusal(404, `There is no ${of} of this name.`);
}

/** `main-labels.csv`; what no file name should have becomes dashes. */
function fileName(name: string, file: string): string {
  const stem = name.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return `${stem.slice(0, 80) || 'export'}-${file}`;
}

function streamed(parts: AsyncIterable<string>, signal: AbortSignal): ReadableStream<Uint8Array> {
  const iterator = parts[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = signal.aborted
        ? { done: true, value: undefined }
        : await iterator.next();
      if (value !== undefined) controller.enqueue(encoder.encode(value));
      if (done) controller.close();
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/**
 * Labels a page at a time, all of a prompt together: some formats have one task per prompt. A prompt stands where its
 * first label does, and within it the first label still comes first.
 */
async function* labelPages(
  { store }: ServerContext,
  account: string,
): AsyncGenerator<OutgoingLabel[]> {
  const done = new Set<string>();
  for (let after = -1; ; ) {
    const page = await store.browse.labels(account, after, PAGE);
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.ordinal;
    const ids = [...new Set(page.map(({ promptId }) => promptId))].filter((id) => !done.has(id));
    for (const id of ids) done.add(id);
    const prompts = new Map((await store.prompts.list(ids)).map((prompt) => [prompt.id, prompt]));
    const owned = await store.labels.owned(account, ids);
    const timeOf = await labelTimes(store, account, ids);
    yield owned.flatMap(({ promptId, source: annotator, answer, cost, run, step }) => {
      const prompt = prompts.get(promptId);
      if (prompt === undefined) return [];
      const { id, source, prompt: content } = prompt;
      const at = timeOf(id, annotator);
      return [{ id, source, prompt: content, annotator, answer, cost, run, step, at }];
    });
  }
}

async function* labelFile(
  context: ServerContext,
  account: string,
  format: Format,
): AsyncGenerator<string> {
  let pages = 0;
  for await (const labels of labelPages(context, account)) {
    const items = [...format.labelItems(labels)];
    if (items.length > 0) yield pageOf(format, items, pages++ === 0);
  }
  if (format.container === 'array') yield pages === 0 ? '[]\n' : '\n]\n';
}

/** Items as a part of their file: what stands between one page and the next is put in, the end of a list is left out. */
function pageOf({ container }: Format, items: readonly Item[], first: boolean): string {
  const pieces = [...written(container, items)];
  if (container === 'lines') return pieces.join('');
  if (container === 'csv') return pieces.slice(first ? 0 : 1).join('');
  const list = pieces.slice(0, -1).join('');
  return first ? list : list.replace(/^\[/, ',');
}

async function* transitionPages({ store }: ServerContext, plan: string): AsyncGenerator<string[]> {
  let from = -1;
  for (;;) {
    const page = await store.browse.transitions({
      ...{ plan, promptId: null, rule: null, from },
      ...{ order: 'oldest', limit: PAGE },
    });
    if (page.length > 0)
      yield page.map(({ ordinal: _, revision: __, ...one }) => transitionToLine(one));
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = last.ordinal;
  }
}

async function* transitionLines(context: ServerContext, plan: string): AsyncGenerator<string> {
  for await (const page of transitionPages(context, plan)) yield `${page.join('\n')}\n`;
}

async function* planManifest(context: ServerContext, plan: string): AsyncGenerator<string> {
  const { store } = context;
  const revision = await store.browse.planRevision(plan);
  if (revision === null) throw new Refusal(404, `There is no plan "${plan}".`);
  yield `{"revision":${revision},\n"plan":`;
  yield* store.plans.text(plan);
  yield ',\n"transitions":[\n';
  let first = true;
  for await (const page of transitionPages(context, plan)) {
    yield `${first ? '' : ',\n'}${page.join(',\n')}`;
    first = false;
  }
  yield '\n]}\n';
}
