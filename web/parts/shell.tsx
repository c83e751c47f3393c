/** @jsxImportSource preact */
/** What is around every page: the bar with places to go, who is signed in, the theme, and the state of the connection. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Me, WireUser } from '../../src/server/wire.ts';
import { reached, said, session } from '../api.ts';
import { accountCalls } from '../calls.ts';
import { connection } from '../live.ts';
import { forgetDrafts } from '../pages/annotate/drafts.ts';
import { Link, place } from '../router.tsx';
import { Announcer, announce } from './controls.tsx';
import { Foreign } from './foreign.tsx';
import { theme, turnTheme } from './theme.ts';

interface Door {
  path: string;
  name: string;
  roles: readonly WireUser['role'][];
}

const DOORS: readonly Door[] = [
  { path: '/', name: 'Annotate', roles: ['admin', 'annotator'] },
  { path: '/adjudicate', name: 'Adjudicate', roles: ['admin'] },
  { path: '/traces', name: 'Traces', roles: ['admin', 'annotator', 'viewer'] },
  { path: '/dashboard', name: 'Dashboard', roles: ['admin', 'annotator', 'viewer'] },
  { path: '/people', name: 'People', roles: ['admin'] },
];

/** The first page that a role may open. */
export function homeOf(role: WireUser['role']): string {
  return DOORS.find((door) => door.roles.includes(role))?.path ?? '/dashboard';
}

/** Whether a role may open a page; pages without a door are open to everybody. */
export function mayOpen(role: WireUser['role'], page: string): boolean {
  return DOORS.find((door) => door.path === page)?.roles.includes(role) ?? true;
}

export function Shell({ children }: { children: ComponentChildren }) {
  const me = session.value;
  const path = place.value.path;
  const [open, setOpen] = useState(false);
  const page = path.split('/')[1] ?? '';
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    setOpen(false);
    // Who goes on by keyboard or screen reader begins at the new page, not at the link that led there.
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [page]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the page
      </a>
      <header class={`bar ${open ? 'open' : ''}`}>
        <Link href="/" class="brand">
          pivottrace
        </Link>
        {me?.user == null ? null : (
          <button
            type="button"
            class="action quiet menu"
            aria-expanded={open}
            aria-controls="menu"
            onClick={() => setOpen(!open)}
          >
            <span>Menu</span>
          </button>
        )}
        <div class="doors" id="menu">
          {me?.user == null ? null : <Doors user={me.user} path={path} />}
          <div class="own">
            <ThemeButton />
            {me?.user == null ? null : <Own me={me} />}
          </div>
        </div>
      </header>
      <ConnectionLine />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Announcer />
    </>
  );
}

function Doors({ user, path }: { user: WireUser; path: string }) {
  return (
    <nav aria-label="Pages">
      <ul>
        {DOORS.filter((door) => door.roles.includes(user.role)).map((door) => (
          <li key={door.path}>
            <Link
              href={door.path}
              current={door.path === '/' ? path === '/' : path.startsWith(door.path)}
            >
              {door.name}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Own({ me }: { me: Me }) {
  const [problem, setProblem] = useState<string | null>(null);
  const leave = async () => {
    try {
      await accountCalls.signOut();
      forgetDrafts();
    } catch (error) {
      setProblem(said(error));
    }
  };
  return (
    <>
      <Link href="/account" class="who" current={place.value.path === '/account'}>
        <Foreign text={me.user?.name ?? ''} />
      </Link>
      <button type="button" class="action quiet" onClick={() => void leave()}>
        <span>Sign out</span>
      </button>
      {problem === null ? null : (
        <span role="alert" class="small">
          {problem}
        </span>
      )}
    </>
  );
}

const THEMES = { system: 'Auto', light: 'Light', dark: 'Dark' } as const;

function ThemeButton() {
  return (
    <button
      type="button"
      class="action quiet"
      aria-label={`Colours: ${THEMES[theme.value]}`}
      onClick={() => {
        turnTheme();
        announce(`Colours: ${THEMES[theme.value]}`);
      }}
    >
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
      <span>{THEMES[theme.value]}</span>
    </button>
  );
}

/** Says when the server is out of reach, and when it is back. */
function ConnectionLine() {
  const lost = !reached.value;
  const deaf = connection.value === 'lost';
  const [was, setWas] = useState(false);
  useEffect(() => {
    if (lost) setWas(true);
    else if (was) {
      setWas(false);
      announce('The server can be reached again.');
    }
  }, [lost, was]);
  return (
    <div role="status">
      {lost ? (
        <p class="lost">
          No connection to the server. What you type is kept in this tab; trying again…
        </p>
      ) : deaf ? (
        <p class="lost">What changes elsewhere is not shown at once just now; trying again…</p>
      ) : null}
    </div>
  );
}
