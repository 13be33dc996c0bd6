#!/usr/bin/env bash
# Everything that docs/reliability.md counts: bad inputs, damaged inputs, killed runs. eng/reliability.sh [--minutes N] [--kills N] [--seed N]; an hour with the defaults.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
minutes=24 kills=300 seed=1
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2 ;;
    --kills) kills=$2 ;;
    --seed) seed=$2 ;;
    *) sed -n 2p "$0" >&2; exit 2 ;;
  esac
  shift 2
done

failed=0
fuzz=tests/SamCompress.Fuzz/bin/Release/net10.0/SamCompress.Fuzz.dll
rows=$(grep -c 'new("[a-z]*-[0-9]' tests/SamCompress.Reliability.Tests/Rows.cs)
tests=$(./test SamCompress.Reliability.Tests | tail -n 1) || failed=1
echo "rows   $rows kinds of bad input: $tests"
dotnet "$fuzz" fuzz --minutes "$minutes" --seed "$seed" --jobs 4 2>/dev/null || failed=1
dotnet "$fuzz" kills --count "$kills" --seed "$seed" || failed=1
exit "$failed"
