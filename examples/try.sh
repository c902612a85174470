#!/bin/sh
# From a bare Debian machine to examples/shop in the browser: installs what is missing, starts the
# embedded cluster, builds the shop's images and deploys it. Run again, it finds everything done.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh demo

checkout=$PWD
envctl() { "$checkout/.venv/bin/envctl" "$@"; }

envctl local start
.venv/bin/python examples/shop/build --tars | while read -r image; do
  envctl local load "$image"
done
exports=$(.venv/bin/python examples/shop/build)
eval "$exports"

cd examples/shop
envctl up --name demo
url=$(envctl url --name demo)
printf '\n%sapi/shop, what the database says:\n' "$url"
curl --silent --show-error --fail --retry 5 --retry-all-errors "${url}api/shop"
printf '\n\n'
cat <<END
Open $url in a browser on this machine. Change something below examples/shop and run
  cd examples/shop && ../../.venv/bin/envctl up --name demo
Take it away again:
  .venv/bin/envctl down --context envctl-local --project shop --name demo
  .venv/bin/envctl local stop
END
