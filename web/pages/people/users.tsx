/** @jsxImportSource preact */
/** Users with their roles, and links that invite new ones or let known ones in. */
import { useRef, useState } from 'preact/hooks';
import { Head, Table } from '../../../src/report/sections/parts.tsx';
import { LONGEST, type WireUser } from '../../../src/server/wire.ts';
import { said, session } from '../../api.ts';
import { adminCalls } from '../../calls.ts';
import { announce, Loaded, Notice, Panel } from '../../parts/controls.tsx';
import { Foreign } from '../../parts/foreign.tsx';
import { useRemote } from '../../parts/remote.ts';
import { When } from '../../parts/when.tsx';

const ROLES = ['admin', 'annotator', 'viewer'] as const;
/** The first is what most are invited as. */
const INVITED = ['annotator', 'viewer', 'admin'] as const;

interface Made {
  url: string;
  expiresAt: number;
  /** Whom it is for. */
  name: string | null;
}

export function Users() {
  const remote = useRemote((signal) => adminCalls.users(signal), { topics: ['users'] });
  const [made, setMade] = useState<Made | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const attempt = async (act: () => Promise<void>) => {
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(said(error));
    }
    remote.reload();
  };
  return (
    <Panel id="users" title="Users">
      {problem === null ? null : (
        <Notice tone="warning" alert>
          <p>{problem}</p>
        </Notice>
      )}
      <Loaded of={remote}>
        {({ users }) => (
          <Table caption="Users and what they may do">
            <Head columns={['Name', 'Role', 'Signs in', '']} />
            <tbody>
              {users.map((user) => (
                <UserRow
                  key={user.id}
                  user={user}
                  attempt={attempt}
                  onLink={async () =>
                    setMade({ ...(await adminCalls.userLink(user.id)), name: user.name })
                  }
                />
              ))}
            </tbody>
          </Table>
        )}
      </Loaded>
      <Invite
        onInvite={(role, name) =>
          attempt(async () =>
            setMade({
              ...(await adminCalls.invite({ role, ...(name === '' ? {} : { name }) })),
              name: name === '' ? null : name,
            }),
          )
        }
      />
      {made === null ? null : <OneTimeLink key={made.url} made={made} />}
    </Panel>
  );
}

function UserRow(props: {
  user: WireUser;
  attempt: (act: () => Promise<void>) => Promise<void>;
  onLink: () => Promise<void>;
}) {
  const { user, attempt } = props;
  const self = user.id === session.value?.user?.id;
  const person = user.kind === 'person';
  return (
    <tr>
      <th scope="row">
        <Foreign text={user.name} />
        {self ? <span class="small"> (you)</span> : null}
        {person ? null : <span class="small dim">a model, not a person</span>}
      </th>
      <td>
        <select
          aria-label={`Role of ${user.name}`}
          value={user.role}
          disabled={self || !person}
          onChange={(event) => {
            const role = ROLES.find((one) => one === event.currentTarget.value);
            if (role !== undefined)
              void attempt(async () => {
                await adminCalls.change(user.id, { role });
                announce(`${user.name} is ${role} now.`);
              });
          }}
        >
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      </td>
      <td>
        {person ? (
          <label class="check">
            <input
              type="checkbox"
              checked={!user.disabled}
              disabled={self}
              onChange={() =>
                void attempt(async () => {
                  await adminCalls.change(user.id, { disabled: !user.disabled });
                })
              }
            />
            <span>
              allowed<span class="unseen"> for {user.name}</span>
            </span>
          </label>
        ) : (
          <span class="dim">cannot</span>
        )}
      </td>
      <td>
        {person && !user.disabled && !self ? (
          <button type="button" class="action plain" onClick={() => void attempt(props.onLink)}>
            <span>
              Sign-in link<span class="unseen"> for {user.name}</span>
            </span>
          </button>
        ) : null}
      </td>
    </tr>
  );
}

function Invite({
  onInvite,
}: {
  onInvite: (role: (typeof ROLES)[number], name: string) => Promise<void>;
}) {
  const form = useRef<HTMLFormElement>(null);
  const send = async (event: Event) => {
    event.preventDefault();
    if (form.current === null) return;
    const values = new FormData(form.current);
    const role = ROLES.find((one) => one === values.get('role'));
    if (role === undefined) return;
    await onInvite(role, String(values.get('name') ?? '').trim());
    form.current.reset();
  };
  return (
    <form ref={form} class="inline-form" onSubmit={(event) => void send(event)}>
      <h3>Invite somebody</h3>
      <div>
        <label for="invite-role">Role</label>
        <select id="invite-role" name="role">
          {INVITED.map((role) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      </div>
      <div>
        <label for="invite-name">Name (or they choose one)</label>
        <input id="invite-name" name="name" maxLength={LONGEST.name} autocomplete="off" />
      </div>
      <button type="submit" class="action main">
        <span>Make a link</span>
      </button>
    </form>
  );
}

/** A link is shown once: the server keeps only its hash. */
function OneTimeLink({ made }: { made: Made }) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    field.current?.select();
    try {
      await navigator.clipboard.writeText(made.url);
      setCopied(true);
      announce('Copied.');
    } catch {
      // Without a safe context there is no clipboard; the text is selected for Ctrl+C.
      announce('Selected: copy it with Ctrl+C.');
    }
  };
  return (
    <Notice tone="good">
      <p>
        <label for="one-time">
          Give this link to {made.name === null ? 'the new user' : <Foreign text={made.name} />}. It
          opens once, until <When at={made.expiresAt} />, and is not shown again.
        </label>
      </p>
      <div class="inline-form">
        <input
          id="one-time"
          ref={field}
          readOnly
          value={made.url}
          onFocus={() => field.current?.select()}
        />
        <button type="button" class="action plain" onClick={() => void copy()}>
          <span>{copied ? 'Copied' : 'Copy'}</span>
        </button>
      </div>
    </Notice>
  );
}
