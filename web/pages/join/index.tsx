/** @jsxImportSource preact */
/**
 * Where one-time links lead: a new user chooses a name and a password, a known one goes straight in. The token comes
 * after the hash of the address and is taken out of it at once, so that neither history nor a copied address keeps it.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { LONGEST, type WireInvited } from '../../../src/server/wire.ts';
import { loadSession, said, session } from '../../api.ts';
import { accountCalls } from '../../calls.ts';
import { Notice, useTitle } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { KnownName } from '../../parts/known-name.tsx';
import { navigate } from '../../router.tsx';

/** The token in the address, once. */
function takeToken(): string {
  const token = decode(location.hash.slice(1));
  if (token !== '') history.replaceState(null, '', location.pathname);
  return token;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export default function Join() {
  useTitle('Welcome');
  const [token] = useState(takeToken);
  const [link, setLink] = useState<WireInvited | null>(null);
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    if (token === '') return;
    accountCalls.look(token).then(setLink, (error: unknown) => setProblem(said(error)));
  }, [token]);

  if (token === '' || problem !== null)
    return (
      <div class="card">
        <h1>This link does not open</h1>
        <Notice tone="warning" alert>
          <p>{problem ?? 'It has been used already, or a part of it is missing.'}</p>
        </Notice>
        <p>
          Ask an admin for a new one, or <a href="/sign-in">sign in</a>.
        </p>
      </div>
    );
  if (link === null) return <p class="dim">Looking at the link…</p>;
  return <Accept token={token} link={link} />;
}

function Accept({ token, link }: { token: string; link: WireInvited }) {
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const fresh = link.kind === 'new';
  const already = session.value?.user ?? null;
  const send = async (event: Event) => {
    event.preventDefault();
    if (busy || form.current === null) return;
    const values = new FormData(form.current);
    const text = (key: string) => String(values.get(key) ?? '');
    if (fresh && text('password') !== text('again')) {
      setProblem('The two passwords differ.');
      return;
    }
    setBusy(true);
    try {
      await accountCalls.accept({
        token,
        ...(fresh && link.name === null ? { name: text('name') } : {}),
        ...(fresh ? { password: text('password') } : {}),
      });
      if (session.value?.user == null) await loadSession();
      navigate('/', { replace: true });
    } catch (error) {
      setProblem(said(error));
      setBusy(false);
    }
  };
  return (
    <div class="card">
      <h1>
        {link.name === null ? (
          'Welcome'
        ) : (
          <>
            Welcome, <Foreign text={link.name} />
          </>
        )}
      </h1>
      <p class="dim">{INVITED[link.role]}</p>
      {already === null ? null : (
        <Notice tone="note">
          <p>
            You are signed in as <Foreign text={already.name} />. Going on ends that.
          </p>
        </Notice>
      )}
      <form ref={form} onSubmit={send}>
        {fresh ? <NewUser name={link.name} /> : null}
        {problem === null ? null : (
          <Notice tone="warning" alert>
            <p>{problem}</p>
          </Notice>
        )}
        <button type="submit" class="action main" aria-disabled={busy} autofocus={!fresh}>
          <span>{busy ? 'One moment…' : fresh ? 'Make my account' : 'Sign in'}</span>
        </button>
      </form>
    </div>
  );
}

const INVITED = {
  admin: 'This link makes you an admin: you may label, adjudicate, and invite others.',
  annotator: 'This link lets you label questions.',
  viewer: 'This link lets you look at traces and figures.',
} as const;

/** Shortest password that the server takes. */
const SHORTEST = 10;

function NewUser({ name }: { name: string | null }) {
  return (
    <>
      {name === null ? (
        <>
          <label for="name">Your name</label>
          <input
            id="name"
            name="name"
            required
            autocomplete="username"
            maxLength={LONGEST.name}
            aria-describedby="name-hint"
            autofocus
          />
          <p class="small dim" id="name-hint">
            It stands beside every label that you give.
          </p>
        </>
      ) : (
        <KnownName name={name} />
      )}
      <label for="password">Choose a password</label>
      <input
        id="password"
        name="password"
        type="password"
        required
        minLength={SHORTEST}
        maxLength={LONGEST.password}
        autocomplete="new-password"
        aria-describedby="password-hint"
      />
      <p class="small dim" id="password-hint">
        {SHORTEST} characters or more; a few words will do.
      </p>
      <label for="again">The password again</label>
      <input
        id="again"
        name="again"
        type="password"
        required
        minLength={SHORTEST}
        maxLength={LONGEST.password}
        autocomplete="new-password"
      />
    </>
  );
}
