# ./dev peers: the Python environments of the oracle tests, made once under .deps/. Sourced by dev.
# hf: transformers 5, tokenizers, safetensors, TransformerLens 4, nnsight; tl2: TransformerLens 2.18 with what it needs.

peers_one() {
  local name=$1 requirements=$root/tests/peers/requirements-$1.txt folder=$deps/peers-$1 log=$root/build/peers-$1.log
  local stamp
  stamp=$(sha256sum <"$requirements")
  [ "$(cat "$folder/ready" 2>/dev/null)" = "$stamp" ] && return
  say peers "making .deps/peers-$name (once, about a minute)"
  mkdir -p "$root/build"
  if python3 -m venv --clear "$folder" && "$folder/bin/python" -m pip install -q -r "$requirements" >"$log" 2>&1; then
    printf '%s\n' "$stamp" >"$folder/ready"
  elif [ "${CI:-}" = true ]; then
    tail -n 20 "$log" >&2
    die "the oracle environment peers-$name could not be installed (log: ${log#"$root"/})"
  else
    rm -rf "$folder"
    say peers "peers-$name could not be installed here (log: ${log#"$root"/}); tests that need it will be skipped"
  fi
}

peers_all() { peers_one hf; peers_one tl2; }
