#!/usr/bin/env bash
# Makes every received snapshot the verified one. Read the diff before you commit it: it is reviewed as code.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find tests \( -name bin -o -name obj \) -prune -o -type f -name '*.received.*' -print0 | sort -z |
  while IFS= read -r -d '' received; do
    verified=${received/.received./.verified.}
    mv "$received" "$verified"
    echo "$verified"
  done
