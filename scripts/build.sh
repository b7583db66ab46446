# ./dev build: configure when needed, compile, show the end of the log only when it fails. Sourced by dev.

# An ATen translation unit takes 0.7 GB: no more compilers than memory allows.
compile_jobs() {
  local gigabytes
  gigabytes=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  local by_memory=$((gigabytes > 1 ? gigabytes : 1))
  echo $((jobs < by_memory ? jobs : by_memory))
}

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
  if [ -t 1 ]; then
    ninja -C "$build" -j "$(compile_jobs)" "$target" 2>&1 | tee "$log" | awk '/^\[/ {printf "\r\033[2Kbuild   %.100s", $0; fflush()}' || true
    printf '\r\033[2K'
    [ "${PIPESTATUS[0]}" -eq 0 ] || true
    ninja -C "$build" -n "$target" 2>/dev/null | grep -q 'no work to do' \
      || { grep -A 12 -E 'FAILED|error:' "$log" | head -n 60 >&2; die "the build failed; the whole log is ${log#"$root"/}"; }
  else
    ninja -C "$build" -j "$(compile_jobs)" "$target" >"$log" 2>&1 \
      || { grep -A 12 -E 'FAILED|error:' "$log" | head -n 80 >&2; die "the build failed; the whole log is ${log#"$root"/}"; }
  fi
  local seconds=$((SECONDS - started))
  say build "$preset ........ $((seconds / 60)) min $((seconds % 60)) s"
}
