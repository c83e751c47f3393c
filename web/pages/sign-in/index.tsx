/** @jsxImportSource preact */
/** Signing in by name and password. */
import { useRef, useState } from 'preact/hooks';
import { LONGEST } from '../../../src/server/wire.ts';
import { said } from '../../api.ts';
import { accountCalls } from '../../calls.ts';
import { Notice, useTitle } from '../../parts/controls.tsx';

/** `reason`: why somebody who wanted another page is asked. The page that shows this one goes on when the session is there. */
export default function SignIn({ reason }: { reason?: string }) {
  useTitle('Sign in');
  const form = useRef<HTMLFormElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const send = async (event: Event) => {
    event.preventDefault();
    if (busy || form.current === null) return;
    const values = new FormData(form.current);
    setBusy(true);
    setProblem(null);
    try {
      await accountCalls.signIn(String(values.get('name')), String(values.get('password')));
    } catch (error) {
      setProblem(said(error));
      setBusy(false);
      form.current?.querySelector<HTMLInputElement>('#password')?.select();
    }
  };
  return (
    <div class="card">
      <h1>Sign in</h1>
      {reason === undefined ? null : <p class="dim">{reason}</p>}
      <form ref={form} onSubmit={send}>
        <label for="name">Name</label>
        <input
          id="name"
          name="name"
          required
          autocomplete="username"
          autocapitalize="off"
          spellcheck={false}
          maxLength={LONGEST.name}
          autofocus
        />
        <label for="password">Password</label>
        <input
          id="password"
          name="password"
          type="password"
          required
          autocomplete="current-password"
          maxLength={LONGEST.password}
        />
        {problem === null ? null : (
          <Notice tone="warning" alert>
            <p>{problem}</p>
          </Notice>
        )}
        <button type="submit" class="action main" aria-disabled={busy}>
          <span>{busy ? 'Signing in…' : 'Sign in'}</span>
        </button>
      </form>
      <p class="small dim">
        No account yet, or no password? Ask an admin for a link. Whoever started the server finds
        one in its terminal.
      </p>
    </div>
  );
}
