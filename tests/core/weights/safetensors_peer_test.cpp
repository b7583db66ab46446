// Files written by the Python package `safetensors` are read here; files written here are read by it (the oracle's second
// half checks what this test's first run left behind, see model_safetensors_oracle.py).
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

#include "base/canonical_json.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "core/weights/files.hpp"
#include "weights/safetensors_file.hpp"
#include "weights/safetensors_writer.hpp"
