#!/usr/bin/env bash
# Makes the ONNX Runtime packages restorable: does nothing where NuGet has them, otherwise builds them once
# from a pinned npm package into a per-user cache and links them into feed/. Why: docs/decisions/0001-onnxruntime-package.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
feed=$here/feed

npm_version=0.4.9
npm_holds=1.29.0/0.14.0
runtime_npm=com.github.asus4.onnxruntime
runtime_sha512=064cf176e499f4891e0cfe90f25cf64c553689eee1492bd2ed921fccca28131a2ad02373267bae19a509ec8b288c182a3b8a2e0f58d76a1f0e63225b08ddbd16
extensions_npm=com.github.asus4.onnxruntime-extensions
extensions_sha512=680b7fadc568a147dfb513905d3ad083a708c4ed272393e63add22d633bdf718485b8268059c3348a4a5da744e9c22a1e5390c3510f65880b4584cc654950ce9

property() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" "$here/OnnxRuntime.props"; }
version=$(property OnnxRuntimeVersion)
extensions_version=$(property OnnxRuntimeExtensionsVersion)
packages=("Microsoft.ML.OnnxRuntime.Gpu.$version.nupkg" "Microsoft.ML.OnnxRuntime.Extensions.$extensions_version.nupkg")

say() { echo "onnxruntime: $*" >&2; }
fail() { say "error: $1; $2"; exit 1; } # one line: MSBuild shows no more of it
holds_packages() { [ -f "$1/${packages[0]}" ] && [ -f "$1/${packages[1]}" ]; }

# What NuGet has unpacked already it takes from there.
installed=${NUGET_PACKAGES:-${HOME:-}/.nuget/packages}
if [ -f "$installed/microsoft.ml.onnxruntime.gpu/$version/.nupkg.metadata" ] &&
  [ -f "$installed/microsoft.ml.onnxruntime.extensions/$extensions_version/.nupkg.metadata" ] ||
  holds_packages "$feed"; then
  exit 0
fi

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) runtime_id=linux-x64 native_folder=Plugins/Linux/x64 ;;
  Darwin-arm64) runtime_id=osx-arm64 native_folder=Plugins/macOS/arm64 ;;
  *) runtime_id= native_folder= ;;
esac

cache=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}
cache=${cache:-$here/../../artifacts/cache}/samcompress/onnxruntime-$version-$extensions_version-npm$npm_version-${runtime_id:-none}
mkdir -p "$cache"
if command -v flock >/dev/null; then
  exec 9>"$cache/lock"
  flock 9
fi

link_into_feed() {
  for package in "${packages[@]}"; do ln -sfn "$cache/$package" "$feed/$package"; done
}
if holds_packages "$cache"; then
  link_into_feed
  exit 0
fi

work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
isolated=(-p:ImportDirectoryBuildProps=false -p:ImportDirectoryBuildTargets=false -p:ImportDirectoryPackagesProps=false)

mkdir "$work/probe"
cat >"$work/probe/probe.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Microsoft.ML.OnnxRuntime.Gpu" Version="[$version]" />
    <PackageReference Include="Microsoft.ML.OnnxRuntime.Extensions" Version="[$extensions_version]" />
  </ItemGroup>
</Project>
EOF
if dotnet restore "$work/probe/probe.csproj" "${isolated[@]}" >"$work/probe.log" 2>&1; then
  exit 0
fi
restore_error=$(grep -o -m1 'error NU[0-9]*: .*' "$work/probe.log" | sed 's/ \[.*//' || true)
case $restore_error in
  *NU1101*|*NU1102*|*NU1103*) ;;
  *) fail "the NuGet feed could not be asked for Microsoft.ML.OnnxRuntime.Gpu $version: ${restore_error:-$(tail -n 1 "$work/probe.log")}" "check the feeds of 'dotnet nuget list source' and the network" ;;
esac

say "the NuGet feed has no Microsoft.ML.OnnxRuntime.Gpu $version; building it once from npm (176 MB to fetch)"
[ "$npm_holds" = "$version/$extensions_version" ] ||
  fail "the pinned npm package holds ONNX Runtime $npm_holds, not $version/$extensions_version" "update the pins in eng/onnxruntime/ensure-package.sh"
[ -n "$runtime_id" ] || fail "no native library for $(uname -s) $(uname -m) outside NuGet" "add a NuGet feed that has Microsoft.ML.OnnxRuntime.Gpu $version"
command -v npm >/dev/null || fail "npm is not installed" "install npm, or add a NuGet feed that has Microsoft.ML.OnnxRuntime.Gpu $version"

fetch() { # name sha512
  local file=$work/$1-$npm_version.tgz actual
  (cd "$work" && npm pack --loglevel=error "$1@$npm_version" >/dev/null 2>"$work/npm.log") ||
    fail "npm could not fetch $1@$npm_version: $(grep -m1 -i "error" "$work/npm.log" || true)" "check 'npm ping', or add a NuGet feed that has Microsoft.ML.OnnxRuntime.Gpu $version"
  actual=$({ sha512sum "$file" 2>/dev/null || shasum -a 512 "$file"; } | cut -d' ' -f1)
  [ "$actual" = "$2" ] || fail "$1@$npm_version has sha512 $actual, expected $2" "the npm registry serves a changed package: do not use it"
  mkdir "$work/$1"
  tar -xzf "$file" -C "$work/$1" --exclude='*.meta' package/LICENSE package/ThirdPartyNotices.txt "package/$native_folder" ${3:+"$3"}
  rm "$file"
}

pack() { # project version npm-name
  mkdir -p "$work/build-$1"
  cp "$here/$1.csproj" "$work/build-$1/"
  dotnet pack "$work/build-$1/$1.csproj" -c Release -o "$work/out" -v quiet --nologo "${isolated[@]}" \
    -p:Version="$2" -p:SourcePackage="$work/$3/package" -p:RuntimeId="$runtime_id" -p:NativeFolder="$native_folder" >"$work/pack.log" 2>&1 || {
    cat "$work/pack.log" >&2
    fail "building $1 failed" "the messages above say why"
  }
}

fetch "$runtime_npm" "$runtime_sha512" package/Runtime
fetch "$extensions_npm" "$extensions_sha512"
pack Microsoft.ML.OnnxRuntime.Gpu "$version" "$runtime_npm"
pack Microsoft.ML.OnnxRuntime.Extensions "$extensions_version" "$extensions_npm"
for package in "${packages[@]}"; do mv "$work/out/$package" "$cache/$package"; done
link_into_feed
say "built ${packages[*]} in $cache"
