#!/usr/bin/env bash
# Makes every received snapshot the verified one, and every generated page the one in docs. Read the diff before you commit it: it is reviewed as code.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
find tests docs \( -name bin -o -name obj \) -prune -o -type f -name '*.received.*' -print0 | sort -z |
  while IFS= read -r -d '' received; do
    case $received in
      docs/*) accepted=${received/.received./.} ;;
      *) accepted=${received/.received./.verified.} ;;
    esac
    mv "$received" "$accepted"
    echo "$accepted"
  done
