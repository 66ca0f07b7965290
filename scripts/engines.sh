#!/bin/sh
# Install the engines that tests use and pip cannot bring: a browser, Slurm, an ssh server,
# node for the linter of the OpenAPI document, wrk for benchmarks, and systemd to look at its units.
# Nothing is started: tests start their own, on loopback. Needs root on Debian or Ubuntu.
set -eu

packages="chromium slurmctld slurmd slurm-client munge openssh-server wrk systemd"
# Node of another source brings npm with it, and Debian's npm does not go beside that.
command -v npm >/dev/null 2>&1 || packages="$packages nodejs npm"

if ! command -v apt-get >/dev/null 2>&1; then
    echo "engines: only Debian and Ubuntu are known here; install by hand: $packages" >&2
    exit 1
fi
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -z "$missing" ]; then
    echo "engines: all there"
    exit 0
fi
if [ "$(id -u)" != 0 ]; then
    echo "engines: run as root: sudo make engines (installs:$missing)" >&2
    exit 1
fi
# Keep the packages from starting their daemons, unless the machine has a policy of its own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
echo "engines: installed$missing"
