/** @jsxImportSource preact */
/** Start of the browser app: colours, who is signed in, and the page that the address names. */
import './jitless.ts';
import './styles/app.css';
import { type ComponentType, render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { WireUser } from '../src/server/wire.ts';
import { ended, loadSession, said, session } from './api.ts';
import { Notice } from './parts/controls.tsx';
import { homeOf, mayOpen, Shell } from './parts/shell.tsx';
import { installTheme } from './parts/theme.ts';
import { Link, navigate, place } from './router.tsx';

type Page = ComponentType<{ reason?: string }>;
type Loader = () => Promise<{ default: Page }>;

const signIn: Loader = () => import('./pages/sign-in/index.tsx');
const PAGES: Record<string, Loader> = {
  '/': () => import('./pages/annotate/index.tsx'),
  '/adjudicate': () => import('./pages/adjudicate/index.tsx'),
  '/people': () => import('./pages/people/index.tsx'),
  '/traces': () => import('./pages/traces/index.tsx'),
  '/dashboard': () => import('./pages/dashboard/index.tsx'),
  '/account': () => import('./pages/account/index.tsx'),
  '/join': () => import('./pages/join/index.tsx'),
};
/** Pages for which nobody has to be signed in. */
const OPEN = new Set(['/join', '/sign-in']);

/** The path as pages are named: no slash at its end, and what follows a page's own name is the page's matter. */
function pageOf(path: string): string {
  const first = `/${path.split('/')[1] ?? ''}`;
  return first in PAGES || first === '/sign-in' ? first : path;
}

function App() {
  const me = session.value;
  const page = pageOf(place.value.path);
  const user = me?.user ?? null;
  useEffect(() => {
    if (user !== null && page === '/sign-in') navigate(homeOf(user.role), { replace: true });
    if (user?.role === 'viewer' && page === '/') navigate(homeOf(user.role), { replace: true });
  }, [user, page]);
  if (me === null) return <Shell>{null}</Shell>;
  return <Shell>{contentOf(user, page)}</Shell>;
}

function contentOf(user: WireUser | null, page: string) {
  if (page === '/sign-in') return <Shown key="/sign-in" load={signIn} />;
  const load = PAGES[page];
  if (load === undefined) return <NotThere />;
  if (user === null && !OPEN.has(page))
    return <Shown key="/sign-in" load={signIn} reason={reasonFor(page)} />;
  if (user !== null && !mayOpen(user.role, page)) return <NotForYou role={user.role} />;
  return <Shown key={page} load={load} />;
}

function reasonFor(page: string): string {
  if (ended.value) return 'Your session has ended. Sign in again: what you typed is kept.';
  return page === '/' ? '' : 'Sign in to open this page.';
}

function Shown({ load, reason }: { load: Loader; reason?: string }) {
  const [page, setPage] = useState<{ is: Page } | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let current = true;
    load().then(
      (module) => current && setPage({ is: module.default }),
      () =>
        current &&
        setProblem('This page could not be fetched. The server may have been started anew.'),
    );
    return () => {
      current = false;
    };
  }, [load]);
  if (problem !== null)
    return (
      <Notice tone="warning" alert>
        <p>{problem}</p>
        <button type="button" class="action plain" onClick={() => location.reload()}>
          Reload
        </button>
      </Notice>
    );
  if (page === null) return <p class="dim">Loading…</p>;
  const { is: Page } = page;
  return <Page {...(reason ? { reason } : {})} />;
}

function NotThere() {
  return (
    <>
      <h1>No such page</h1>
      <p>
        There is nothing at this address. <Link href="/">Go to the first page</Link>.
      </p>
    </>
  );
}

function NotForYou({ role }: { role: WireUser['role'] }) {
  return (
    <>
      <h1>Not for you</h1>
      <p>
        Your account ({role}) may not open this page; an admin can change that.{' '}
        <Link href={homeOf(role)}>Go to your first page</Link>.
      </p>
    </>
  );
}

function Unreachable({ problem }: { problem: string }) {
  return (
    <Shell>
      <h1>The server does not answer</h1>
      <Notice tone="warning" alert>
        <p>{problem}</p>
        <button type="button" class="action plain" onClick={() => location.reload()}>
          Reload
        </button>
      </Notice>
    </Shell>
  );
}

async function start(): Promise<void> {
  installTheme();
  const root = document.getElementById('app');
  if (root === null) return;
  // The page's own script is fetched beside the answer about the session, not after it.
  void PAGES[pageOf(place.value.path)]?.().catch(() => undefined);
  try {
    await loadSession();
    render(<App />, root);
  } catch (error) {
    render(<Unreachable problem={said(error)} />, root);
  }
}

void start();
