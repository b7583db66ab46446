# ./dev build: configure when needed, compile, show the end of the log only when it fails. Sourced by dev.

# An ATen translation unit takes 0.7 GB: no more compilers than memory allows.
compile_jobs() {
  local gigabytes
  gigabytes=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  local by_memory=$((gigabytes > 1 ? gigabytes : 1))
  echo $((jobs < by_memory ? jobs : by_memory))
}

# On a terminal the compiler's lines overwrite each other; nothing scrolls by.
show_one_line() { awk '/^\[/ {printf "\r\033[2Kbuild   %.90s", $0; fflush()} END {printf "\r\033[2K"}'; }
show_nothing() { cat >/dev/null; }

build_all() {
  local target=$1 log=$build/build.log started=$SECONDS
  mkdir -p "$build"
  if [ ! -e "$build/build.ninja" ] || [ "$(cat "$build/torch_root" 2>/dev/null)" != "$torch_root" ]; then
    cmake --preset "$preset" -DLibTorch_ROOT="$torch_root" -DDIOPTER_PLOTLY_JS="$deps/plotly/plotly.min.js" >"$log" 2>&1 \
      || { tail -n 30 "$log" >&2; die "configuring failed; the whole log is ${log#"$root"/}"; }
    printf '%s\n' "$torch_root" >"$build/torch_root"
  fi
  if ninja -C "$build" -n "$target" 2>/dev/null | grep -q 'no work to do'; then
    say build "$preset, up to date"
    return
  fi
  local show=show_nothing
  [ -t 1 ] && show=show_one_line
  ninja -C "$build" -j "$(compile_jobs)" "$target" 2>&1 | tee "$log" | $show \
    || { grep -a -A 12 -E 'FAILED|error:' "$log" | head -n 80 >&2; die "the build failed; the whole log is ${log#"$root"/}"; }
  local seconds=$((SECONDS - started))
  say build "$preset ........ $((seconds / 60)) min $((seconds % 60)) s"
}
