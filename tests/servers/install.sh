#!/bin/sh
# Installs the servers that the real-server tests need, where they are missing (Debian; needs root, npm packages, PyPI).
# What is not Debian's lies under .servers/, which git ignores: about 1.4 GB.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
missing=""
[ -x /usr/bin/chromium ] || missing="$missing chromium fonts-noto-core fonts-noto-cjk"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -x /usr/bin/redis-server ] || missing="$missing redis-server"
[ -d /usr/share/wordpress ] || missing="$missing wordpress mariadb-server php-cli php-mysql php-xml php-curl php-mbstring"
[ -x /usr/bin/g++ ] && [ -x /usr/bin/make ] || missing="$missing g++ make"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ -n "$missing" ]; then
  apt-get update -qq
  # shellcheck disable=SC2086  (a list of packages)
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi
if [ ! -x "$root/.servers/mitmproxy/bin/mitmdump" ]; then
  "$root/.venv/bin/uv" venv --quiet --clear "$root/.servers/mitmproxy"
  VIRTUAL_ENV="$root/.servers/mitmproxy" "$root/.venv/bin/uv" pip install --quiet mitmproxy==11.0.2
fi
sh "$here/atproto/install.sh"
