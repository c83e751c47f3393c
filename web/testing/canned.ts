/** Canned answers of the server, for tests of the browser app. */
import type * as z from 'zod';
import type {
  auditPage,
  disputes,
  figures,
  Me,
  WireNext,
  WirePreview,
  WireProgress,
  WireQuestion,
  WireUser,
} from '../../src/server/wire.ts';
import { type Handler, ok, type Reply, refuse, type Sent } from './stub.ts';

export const ada: WireUser = {
  id: 'u1',
  name: 'Ada',
  role: 'admin',
  kind: 'person',
  disabled: false,
};

export const meAs = (user: WireUser | null): Me => ({
  user,
  csrf: user === null ? null : 'token-of-the-session',
  account: 'desk',
  version: '0.1.0',
});

export const progress: WireProgress = {
  open: 142,
  leased: 3,
  adjudicate: 2,
  done: 58,
  labels: 56,
  budget: 200,
  mine: { today: 14, medianSeconds: 21.6 },
};

export const TEXTS = [
  'Let $f(x) = x^2 - 4x + 1$. Find the **minimum** of $f$ on the interval $[0, 5]$.',
  String.raw`Evaluate
$$\int_0^{\pi} \sin^2 x \, dx$$
and give the answer in terms of \(\pi\).

| $n$ | $a_n$ |
|----:|:-----:|
| 1   | $\frac12$ |
| 2   | $\frac{1}{4}$ |`,
  'A shop sells pens for $2 and books for $7. Eve buys 3 pens and 2 books and pays with $50.\nHow much change does she get?',
];

/** 1 pixel by 1, red. */
export const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';

export function questionOf(
  at: number,
  text: string = TEXTS[at % TEXTS.length] ?? '',
): WireQuestion {
  return {
    promptId: `p${at}`,
    messages: [{ role: 'user', parts: [{ type: 'text', text }] }],
    source: 'gsm-synth',
    reason: 'group_disagrees',
    run: 'grpo-7',
    step: 40,
    expiresAt: Date.now() + 300_000,
  };
}

export const nextOf = (question: WireQuestion | null, done = 0): WireNext => ({
  question,
  nothing: question === null ? 'empty' : null,
  progress: {
    ...progress,
    labels: progress.labels + done,
    open: progress.open - done,
    mine: { today: 14 + done, medianSeconds: 21.6 },
  },
});

/** Reads numbers and LaTeX fractions as a verifier might. */
export function previewOf(answer: string): WirePreview {
  const number = /^-?\d+(?:\.\d+)?$/.exec(answer);
  if (number !== null) return { readable: true, kind: 'number', value: answer, reason: '' };
  if (/^\\frac\{\d+\}\{\d+\}$/.test(answer) || answer.includes('pi'))
    return { readable: true, kind: 'expression', value: answer, reason: '' };
  return {
    readable: false,
    kind: '',
    value: '',
    reason: `"${answer}" is neither a number nor a formula.`,
  };
}

const someDisputes: z.infer<typeof disputes> = {
  total: 2,
  disputes: [0, 1].map((at) => ({
    promptId: `d${at}`,
    messages: [{ role: 'user', parts: [{ type: 'text', text: TEXTS[at] ?? '' }] }],
    labels: [],
    annotations: [
      annotation(at * 10 + 1, 'Grace', at === 0 ? '-3' : String.raw`\frac{\pi}{2}`, ''),
      annotation(at * 10 + 2, 'Emmy', at === 0 ? '1' : '1.5708', 'I took the left end, not sure.'),
    ],
  })),
};

function annotation(ordinal: number, annotator: string, answer: string, note: string) {
  return {
    ordinal,
    annotator,
    kind: 'answer' as const,
    answer,
    note,
    revealed: note !== '',
    at: Date.now() - 3_600_000,
  };
}

const someUsers: WireUser[] = [
  ada,
  { id: 'u2', name: 'Grace', role: 'annotator', kind: 'person', disabled: false },
  { id: 'u3', name: 'Emmy', role: 'viewer', kind: 'person', disabled: true },
  { id: 'u4', name: 'teacher-large', role: 'annotator', kind: 'teacher', disabled: false },
];

const someFigures: z.infer<typeof figures> = {
  annotators: [
    {
      annotator: 'u1',
      name: 'Ada',
      answers: 40,
      skips: 3,
      revealed: 2,
      medianSeconds: 21.6,
      gold: { answered: 8, right: 7 },
    },
    {
      annotator: 'u2',
      name: 'Grace',
      answers: 1200,
      skips: 31,
      revealed: 0,
      medianSeconds: 9.2,
      gold: { answered: 0, right: 0 },
    },
  ],
  checks: [
    {
      ...{ source: 'big-model-2026', checked: 40, differing: 6, open: 2, wrong: 3 },
      rate: { value: 3 / 38, low: 0.0273, high: 0.208 },
    },
  ],
  agreement: { questions: 35, percent: 0.914, cohen: null, fleiss: 0.81, krippendorff: 0.823 },
};

const someAudit: z.infer<typeof auditPage> = {
  entries: [
    {
      ordinal: 9,
      at: Date.now() - 60_000,
      who: 'Ada',
      action: 'submit',
      subject: 'p12',
      detail: { kind: 'answer', revealed: false },
    },
    {
      ordinal: 8,
      at: Date.now() - 86_400_000,
      who: null,
      action: 'sign_in_refused',
      subject: 'Ada',
      detail: { address: '127.0.0.1' },
    },
  ],
  before: 8,
};

/** A server with a queue of `count` questions for one annotator. */
export class Desk {
  at = 0;
  readonly count: number;
  user: WireUser | null;
  question: (at: number) => WireQuestion = (at) => questionOf(at);
  readonly given: {
    promptId: string;
    kind: string;
    answer: string | null;
    note: string;
    revealed: boolean;
  }[] = [];
  /** Answers instead of this desk, where it returns something. */
  before: Handler = () => undefined;

  constructor(count: number, user: WireUser | null = ada) {
    this.count = count;
    this.user = user;
  }

  readonly handler: Handler = async (sent) => (await this.before(sent)) ?? this.#answer(sent);

  next(): WireNext {
    return nextOf(this.at < this.count ? this.question(this.at) : null, this.at);
  }

  #answer(sent: Sent): Reply {
    const open = ['/api/me', '/api/session', '/api/invitations/look', '/api/invitations/accept'];
    if (this.user === null && !open.includes(sent.path))
      return refuse(401, 'signed_out', 'Sign in first.');
    if (sent.method !== 'GET' && !open.includes(sent.path) && sent.csrf !== 'token-of-the-session')
      return refuse(403, 'forbidden', 'The token of the session is missing.');
    return this.#session(sent) ?? this.#queue(sent) ?? this.#admin(sent);
  }

  #session(sent: Sent): Reply {
    switch (`${sent.method} ${sent.path}`) {
      case 'GET /api/me':
        return ok(meAs(this.user));
      case 'POST /api/session': {
        const body = Object(sent.body) as Record<string, unknown>;
        if (body.password !== 'correct horse battery')
          return refuse(401, 'signed_out', 'The name or the password is wrong.');
        this.user = ada;
        return ok(meAs(ada));
      }
      case 'DELETE /api/session':
        this.user = null;
        return { status: 204, body: undefined };
      case 'POST /api/invitations/look':
        return ok({ kind: 'new', role: 'annotator', name: null });
      case 'POST /api/invitations/accept':
        this.user = { ...ada, role: 'annotator' };
        return ok(meAs(this.user));
      default:
        return undefined;
    }
  }

  #queue(sent: Sent): Reply {
    const body = Object(sent.body) as Record<string, string>;
    switch (sent.path) {
      case '/api/queue/next':
        return ok(this.next());
      case '/api/queue/progress':
        return ok(this.next().progress);
      case '/api/queue/preview':
        return ok(previewOf(body.answer ?? ''));
      case '/api/queue/reveal':
        return ok({
          classes: [
            { answer: '-3', count: 9 },
            { answer: String.raw`\frac{1}{2}`, count: 4 },
            { answer: '0', count: 2 },
          ],
          unread: 1,
        });
      case '/api/queue/submit':
        return this.#submit(sent.body as Desk['given'][number]);
      case '/api/queue/undo': {
        const undone = this.given.pop() ?? null;
        if (undone !== null) this.at -= 1;
        return ok({ undone, next: this.next() });
      }
      default:
        return undefined;
    }
  }

  #submit(said: Desk['given'][number]): Reply {
    if (said.promptId !== this.next().question?.promptId)
      return refuse(409, 'conflict', 'You do not hold this question any more.');
    this.given.push(said);
    this.at += 1;
    const verdict =
      said.kind === 'answer' ? 'decided' : said.kind === 'skip' ? 'skipped' : 'closed';
    return ok({ verdict, next: this.next() });
  }

  #admin(sent: Sent): Reply {
    switch (`${sent.method} ${sent.path}`) {
      case 'GET /api/adjudication':
        return ok(someDisputes);
      case 'POST /api/adjudication':
        return ok({ verdict: 'decided' });
      case 'GET /api/users':
        return ok({ users: someUsers });
      case 'POST /api/users/invite':
      case 'POST /api/users/u2/link':
        return ok({
          url: 'http://127.0.0.1:7411/join#one-time-token',
          expiresAt: Date.now() + 86_400_000,
        });
      case 'PATCH /api/users/u2':
        return ok({ ...someUsers[1], ...Object(sent.body) });
      case 'GET /api/figures':
        return ok(someFigures);
      case 'GET /api/audit':
        return ok(someAudit);
      default:
        return undefined;
    }
  }
}
