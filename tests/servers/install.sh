#!/bin/sh
# Installs the servers that the real-server tests need, where they are missing (Debian; needs root).
set -eu
missing=""
[ -x /usr/bin/chromium ] || missing="$missing chromium fonts-noto-core fonts-noto-cjk"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
apt-get update -qq
# shellcheck disable=SC2086  (a list of packages)
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
