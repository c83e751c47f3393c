/** A child for the ledger's test: sells `count` labels, one call each, of which others sell some too. */
import { openLedger } from '../ledger.ts';

const [path, from, count] = process.argv.slice(2);
const ledger = openLedger(path);
let sold = 0;
for (let i = Number(from); i < Number(from) + Number(count); i++) {
  const entry = { account: 'arm', prompt_id: `p${i}`, run: null, step: null, source: 'file' };
  sold += ledger.append([{ ...entry, cost: 1, noisy: false }]);
}
console.log(sold);
