#!/usr/bin/env bash
# Runs the checks against Python's packages, each in a virtual environment of its own with the versions pinned in
# requirements-<topic>.txt, and says at the end which failed.
#
#   npm run nightly                 all topics
#   npm run nightly -- peft ray     some
#
# Needs python3 (3.10 or later) with venv. The environments stay under node_modules/.cache; PIVOTTRACE_CONSTRAINTS may name
# a pip constraint file, for example for a CPU build of torch.
set -uo pipefail
cd "$(dirname "$0")/../.."
here=test/python
cache=node_modules/.cache/pivottrace-python
topics=("$@")
if [ ${#topics[@]} -eq 0 ]; then
  for file in "$here"/requirements-*.txt; do
    topic=${file##*/requirements-}
    topics+=("${topic%.txt}")
  done
fi

prepare() {
  local topic=$1 venv=$cache/$1 wanted=$here/requirements-$1.txt
  if [ ! -f "$wanted" ]; then
    echo "There is no $wanted." >&2
    return 1
  fi
  if cmp -s "$wanted" "$venv/requirements.txt"; then return 0; fi
  rm -rf "$venv"
  python3 -m venv "$venv" || return 1
  local constraint=()
  if [ -n "${PIVOTTRACE_CONSTRAINTS:-}" ]; then constraint=(-c "$PIVOTTRACE_CONSTRAINTS"); fi
  # Torch first: what is installed after it takes the build that is there.
  if grep '^torch==' "$wanted" >"$venv/torch.txt"; then
    "$venv/bin/pip" install -q -r "$venv/torch.txt" "${constraint[@]}" || return 1
  fi
  # Packages under this mark bring more than a check needs.
  sed -n 's/^# no-deps: //p' "$wanted" >"$venv/no-deps.txt"
  "$venv/bin/pip" install -q -r "$wanted" "${constraint[@]}" || return 1
  if [ -s "$venv/no-deps.txt" ]; then "$venv/bin/pip" install -q --no-deps -r "$venv/no-deps.txt" || return 1; fi
  cp "$wanted" "$venv/requirements.txt"
}

failed=()
for topic in "${topics[@]}"; do
  echo "== $topic"
  if ! prepare "$topic" || ! PIVOTTRACE_PYTHON="$PWD/$cache/$topic/bin/python" npm run --silent "check:$topic"; then
    failed+=("$topic")
  fi
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "Failed: ${failed[*]}"
  exit 1
fi
echo "All checks passed: ${topics[*]}"
