# Sourced by the scripts beside it; leaves the shell in the repository root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
deps=${VLMARK_DEPS:-$root/.deps}

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# Compile jobs: one for each core, as far as 1.5 GB of free memory for each allow.
jobs() {
  local cores kilobytes by_memory
  cores=$(nproc)
  kilobytes=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  by_memory=$((kilobytes / 1500000))
  ((by_memory >= 1)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

# build_folder PRESET: prints the folder of this preset and this machine's instruction set, and
# points the link build/PRESET at it. A checkout shared by unlike machines then never runs the
# other's binaries, which would die of an illegal instruction.
build_folder() {
  local preset=$1 name
  name=$preset-$(scripts/isa)
  mkdir -p build
  if [[ -d build/$preset && ! -L build/$preset ]]; then
    # Configured by hand before: taken over, so that nothing is built twice.
    [[ ! -e build/$name ]] || fail "build/$preset: is a folder beside build/$name (a link to it is" \
      "expected, and one of the two is stale). Remove build/$preset"
    mv "build/$preset" "build/$name"
  fi
  mkdir -p "build/$name"
  ln -sfn "$name" "build/$preset"
  echo "build/$preset"
}

# configure PRESET [OPTION...]: only when never done or asked for something else; Ninja itself
# configures again when a CMake file changes.
configure() {
  local preset=$1 folder=build/$1 stamp
  stamp="$deps $*"
  if [[ ! -f $folder/build.ninja || $(cat "$folder/configured_with" 2>/dev/null) != "$stamp" ]]; then
    VLMARK_DEPS=$deps cmake --preset "$@" ||
      fail "cmake --preset $*: failed. Its messages stand above; scripts/bootstrap --print shows" \
        "what has to be installed"
    echo "$stamp" >"$folder/configured_with"
  fi
}
