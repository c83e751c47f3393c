/** What people did in the queue, as the audit log keeps it. */
import type { QueueEvent } from '../label/queue/types.ts';
import type { Repositories } from '../store/types.ts';

/** To be called in the transaction that does it: a server that is killed loses both or neither. */
export async function auditOf(
  { auditLog }: Pick<Repositories, 'auditLog'>,
  { at, annotator, action, promptId, detail }: QueueEvent,
): Promise<void> {
  await auditLog.add({ at, userId: annotator, action, subject: promptId, detail });
}
