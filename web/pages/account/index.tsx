/** @jsxImportSource preact */
/** One's own account: a new password, and signing out everywhere. */
import { useRef, useState } from 'preact/hooks';
import { LONGEST } from '../../../src/server/wire.ts';
import { said, session } from '../../api.ts';
import { accountCalls } from '../../calls.ts';
import { Notice, Panel, useTitle } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { KnownName } from '../../parts/known-name.tsx';

interface Outcome {
  good: boolean;
  text: string;
}

export default function Account() {
  useTitle('Your account');
  const user = session.value?.user;
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const everywhere = () =>
    accountCalls
      .signOut(true)
      .catch((error: unknown) => setOutcome({ good: false, text: said(error) }));
  return (
    <div class="narrow">
      <h1>
        <Foreign text={user?.name ?? 'Your account'} />
      </h1>
      <p class="dim">
        You are signed in as {user?.role}. Labels go to the account{' '}
        <Foreign text={session.value?.account ?? ''} />.
      </p>
      <div role="status">
        {outcome === null ? null : (
          <Notice tone={outcome.good ? 'good' : 'warning'}>
            <p>{outcome.text}</p>
          </Notice>
        )}
      </div>
      <Panel id="password" title="Password">
        <Password onOutcome={setOutcome} />
      </Panel>
      <Panel id="sessions" title="Sessions">
        <p>Signs you out in every browser, this one too.</p>
        <button type="button" class="action plain" onClick={() => void everywhere()}>
          <span>Sign out everywhere</span>
        </button>
      </Panel>
    </div>
  );
}

function Password({ onOutcome }: { onOutcome: (outcome: Outcome) => void }) {
  const form = useRef<HTMLFormElement>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    if (form.current === null) return;
    const values = new FormData(form.current);
    const text = (name: string) => String(values.get(name) ?? '');
    if (text('fresh') !== text('again')) {
      onOutcome({ good: false, text: 'The two new passwords differ.' });
      return;
    }
    try {
      await accountCalls.password(text('current'), text('fresh'));
      form.current.reset();
      onOutcome({ good: true, text: 'The password is changed; your other sessions have ended.' });
    } catch (error) {
      onOutcome({ good: false, text: said(error) });
    }
  };
  const longest = LONGEST.password;
  return (
    <form ref={form} onSubmit={send}>
      <KnownName name={session.value?.user?.name ?? ''} />
      <label for="current">Current password</label>
      <input
        id="current"
        name="current"
        type="password"
        required
        maxLength={longest}
        autocomplete="current-password"
      />
      <label for="fresh">New password (10 characters or more)</label>
      <input
        id="fresh"
        name="fresh"
        type="password"
        required
        minLength={10}
        maxLength={longest}
        autocomplete="new-password"
      />
      <label for="again">The new password again</label>
      <input
        id="again"
        name="again"
        type="password"
        required
        minLength={10}
        maxLength={longest}
        autocomplete="new-password"
      />
      <button type="submit" class="action main">
        <span>Change it</span>
      </button>
    </form>
  );
}
