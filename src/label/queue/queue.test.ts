import { openStore } from '../../store/store.ts';
import { freshWorkspace } from '../../store/testing/workspace.ts';
import { queueContract } from './testing/contract.ts';

queueContract('PGlite', async () => openStore(await freshWorkspace()));
