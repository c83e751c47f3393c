/** The stub with the real routes of traces, dashboard and exports behind it, on the workspace of their fixture. */
import { routes as dashboard } from '../../src/server/routes/dashboard.ts';
import { routes as exporting } from '../../src/server/routes/exports.ts';
import { routes as traces } from '../../src/server/routes/traces.ts';
import { asked, viewContext } from '../../src/server/testing/view-calls.ts';
import { type ViewFixture, viewFixture } from '../../src/server/testing/view-fixture.ts';
import { Refusal } from '../../src/server/types.ts';
import { ada, meAs } from './canned.ts';
import { ok, refuse, type Sent, type Stub, startStub } from './stub.ts';

export interface Views {
  stub: Stub;
  fixture: ViewFixture;
  /** Changes what the routes answer before it is sent. */
  twist: (sent: Sent, answer: unknown) => unknown;
  close(): Promise<void>;
}

export async function startViews(): Promise<Views> {
  const fixture = await viewFixture();
  const context = viewContext(fixture.workspace, fixture.store);
  const api = [...traces(context), ...dashboard(context), ...exporting(context)];
  const stub = await startStub(async (sent) => {
    if (sent.path === '/api/me') return ok(meAs(ada));
    try {
      return ok(views.twist(sent, await asked(api, `${sent.path}${sent.query}`)));
    } catch (error) {
      if (error instanceof Refusal) return refuse(error.status, error.kind, error.message);
      throw error;
    }
  });
  const views: Views = {
    stub,
    fixture,
    twist: (_, answer) => answer,
    async close() {
      await stub.close();
      await fixture.store.close();
    },
  };
  return views;
}
