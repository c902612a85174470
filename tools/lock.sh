#!/bin/sh
# Make the lock files anew: every dependency with its version and the hashes of its files.
#
#   requirements/run.txt    what `pip install .` brings: the container image is built from it
#   requirements/local.txt  and a Go toolchain for `envctl local`, and what installs a checkout
#   requirements/dev.txt    and what the tests and the linters need
#   requirements/supply.txt what looks for vulnerable versions and checks bills of materials
#   requirements/fuzz.txt   what `task fuzz` needs: what envctl needs, and atheris
#
# They are universal: markers in them choose for Python 3.11 to 3.14 on every platform. Give
# `--upgrade` to move to the newest versions that pyproject.toml allows.
set -eu
cd "$(dirname "$0")/.."
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet uv
  uv=$folder/bin/uv
fi
compile() {
  output=$1
  shift
  # Wheels that lie about on one machine must not lend their hashes to a file for all of them.
  env -u UV_FIND_LINKS -u PIP_FIND_LINKS "$uv" pip compile --quiet --universal \
    --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-annotate --custom-compile-command "sh tools/lock.sh" \
    "$@" --output-file "$output"
}
compile requirements/run.txt pyproject.toml "$@"
compile requirements/local.txt pyproject.toml --extra local --group build --constraint requirements/run.txt "$@"
compile requirements/dev.txt pyproject.toml --extra local --group dev --constraint requirements/local.txt "$@"
compile requirements/supply.txt --group supply --constraint requirements/run.txt "$@"
compile requirements/fuzz.txt pyproject.toml --group fuzz --constraint requirements/run.txt "$@"
