# ./dev setup: Debian packages, LibTorch, Plotly. Sourced by dev; quick when nothing is missing.

debian_packages=(g++ cmake ninja-build pkg-config git python3-venv libboost-dev libssl-dev libcurl4-openssl-dev libsqlite3-dev libsqlitecpp-dev
  libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libfmt-dev libpcre2-dev libgtest-dev libgmock-dev librapidcheck-dev
  libutf8proc-dev libbenchmark-dev openssl ca-certificates ccache mold chromium)
torch_version=2.13.0
plotly_version=7.1.0

package_installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed'; }

# A tool that stands on PATH counts as installed, wherever it came from.
package_missing() {
  case "$1" in
    g++ | cmake | git | openssl | ccache | mold | chromium) command -v "$1" >/dev/null && return 1 ;;
    ninja-build) command -v ninja >/dev/null && return 1 ;;
    pkg-config) command -v pkg-config >/dev/null && return 1 ;;
    python3-venv) python3 -c 'import venv, ensurepip' 2>/dev/null && return 1 ;;
  esac
  ! package_installed "$1"
}

setup_packages() {
  command -v dpkg-query >/dev/null || { packages_note="not a Debian system; needed: ${debian_packages[*]}"; return; }
  local missing=() p
  for p in "${debian_packages[@]}"; do package_missing "$p" && missing+=("$p"); done
  packages_note="all there"
  [ ${#missing[@]} -eq 0 ] && return
  local sudo=
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo
    else die "these Debian packages are missing and this user may not install them: ask for
  apt-get install ${missing[*]}"; fi
  fi
  say setup "installing ${#missing[@]} Debian packages (log: build/setup.log)"
  mkdir -p "$root/build"
  { $sudo apt-get update -qq && DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y "${missing[@]}"; } \
    >"$root/build/setup.log" 2>&1 || { tail -n 20 "$root/build/setup.log" >&2; die "apt-get failed; the whole log is build/setup.log"; }
  packages_note="installed ${#missing[@]}"
}

# The LibTorch that the user names; else an importable torch of the right version; else a private wheel.
setup_torch() {
  local folder=
  if [ -n "${LibTorch_ROOT:-}" ]; then
    [ -e "$LibTorch_ROOT/include/ATen/core/Tensor.h" ] || die "LibTorch_ROOT=$LibTorch_ROOT has no include/ATen/core/Tensor.h; give a LibTorch folder or a wheel's torch folder"
    torch_root=$LibTorch_ROOT torch_note="given, $LibTorch_ROOT"
    return
  fi
  if [ -e "$deps/torch/ready" ]; then
    torch_root=$(cat "$deps/torch/ready") torch_note="found"
  elif folder=$(importable_torch); then
    torch_root=$folder torch_note="found in this Python"
  else
    install_torch
    torch_note="installed"
  fi
  local build_kind=CPU
  [ -e "$torch_root/lib/libtorch_cuda.so" ] && build_kind=CUDA
  torch_note="LibTorch $torch_version ($build_kind) $torch_note"
}

importable_torch() {
  python3 - "$torch_version" 2>/dev/null <<'PY'
import importlib.util, pathlib, re, sys
spec = importlib.util.find_spec("torch")
folder = pathlib.Path(spec.origin).parent
version = re.search(r"__version__[^']*'([0-9.]+)", (folder / "version.py").read_text()).group(1)
if version != sys.argv[1] or not (folder / "lib" / "libtorch_cpu.so").exists():
    sys.exit(1)
print(folder)
PY
}

# DIOPTER_TORCH=cpu asks PyTorch's index of CPU builds first; =cuda takes the default index's build. Without it: cuda where an
# NVIDIA driver is found. A machine that reaches neither index uses whatever pip is configured to use.
install_torch() {
  local want=${DIOPTER_TORCH:-} python=$deps/torch/bin/python
  [ -n "$want" ] || { [ -e /proc/driver/nvidia/version ] && want=cuda || want=cpu; }
  say setup "installing LibTorch $torch_version ($want wheel) into .deps/torch"
  mkdir -p "$root/build"
  {
    python3 -m venv --clear "$deps/torch" && if [ "$want" = cpu ] && "$python" -m pip download --no-deps --retries 0 --timeout 15 -q -d "$deps/wheels" \
      --index-url https://download.pytorch.org/whl/cpu "torch==$torch_version"; then
      "$python" -m pip install -q --find-links "$deps/wheels" "torch==$torch_version+cpu" && rm -rf "$deps/wheels"
    else
      "$python" -m pip install -q "torch==$torch_version"
    fi
  } >"$root/build/torch.log" 2>&1 || { tail -n 20 "$root/build/torch.log" >&2; die "pip could not install torch==$torch_version (log: build/torch.log); or set LibTorch_ROOT"; }
  torch_root=$("$python" -c 'import importlib.util, pathlib; print(pathlib.Path(importlib.util.find_spec("torch").origin).parent)')
  printf '%s\n' "$torch_root" >"$deps/torch/ready"
}

# Only the one file and its licence are used; the package's Python is never imported.
setup_plotly() {
  plotly_note="Plotly found"
  [ -s "$deps/plotly/plotly.min.js" ] && return
  say setup "fetching Plotly.js (pip package plotly $plotly_version)"
  mkdir -p "$deps/plotly/tmp" "$root/build"
  # Debian's python3 comes without pip; one that venv makes has it.
  { python3 -m venv "$deps/plotly/tmp/venv" \
    && "$deps/plotly/tmp/venv/bin/python" -m pip download -q --no-deps -d "$deps/plotly/tmp" "plotly==$plotly_version"; } \
    >"$root/build/plotly.log" 2>&1 || { tail -n 5 "$root/build/plotly.log" >&2; die "pip could not fetch plotly==$plotly_version (log: build/plotly.log)"; }
  python3 - "$deps/plotly" <<'PY'
import pathlib, sys, zipfile
target = pathlib.Path(sys.argv[1])
wheel = next((target / "tmp").glob("plotly-*.whl"))
with zipfile.ZipFile(wheel) as archive:
    names = archive.namelist()
    script = next(n for n in names if n.endswith("package_data/plotly.min.js"))
    licence = next(n for n in names if n.endswith(("LICENSE.txt", "LICENSE")))
    (target / "LICENSE.txt").write_bytes(archive.read(licence))
    (target / "plotly.min.js.part").write_bytes(archive.read(script))
(target / "plotly.min.js.part").rename(target / "plotly.min.js")
PY
  rm -rf "$deps/plotly/tmp"
}

setup_all() {
  [ -n "${setup_done:-}" ] && return
  setup_packages
  setup_torch
  setup_plotly
  say setup "Debian packages: $packages_note · $torch_note · $plotly_note"
  setup_done=1
}
