// What the launch scripts of all trainers begin with.
import { shellWord } from './shell.ts';

/** `model` becomes the default of MODEL; the script is bash and stops at the first failure. */
export function scriptHead(title: string, model: string): string {
  return `#!/usr/bin/env bash
# ${title}
# Yours to read and to change: a later export leaves a changed file alone and puts its own beside it as launch.sh.new.
set -euo pipefail
HERE="$(cd "$(dirname "\${BASH_SOURCE[0]}")" && pwd)"
if [ -e "$HERE/manifest.next.json" ] || [ ! -e "$HERE/manifest.json" ]; then
  echo "This export was not finished: run pivottrace export again." >&2
  exit 1
fi

# A directory or a name of the Hugging Face hub, as all machines of the cluster know it.
DEFAULT_MODEL=${shellWord(model, 'model')}
MODEL="\${MODEL:-$DEFAULT_MODEL}"
`;
}
