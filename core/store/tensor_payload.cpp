// Tensors: their rows, and their bytes from the database or from a file.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/hints.hpp"
#include "store/reader.hpp"
#include "store/reader_detail.hpp"

namespace diopter::store {
namespace {

[[noreturn]] void unreadable(const std::filesystem::path& file, const std::string& why) {
  throw base::UserError(base::Exit::Store, "cannot read the tensor file " + file.string() + ": " + why, {},
                        "store.tensor_file");
}

std::string read_range(const std::filesystem::path& file, std::int64_t offset, std::int64_t size) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) unreadable(file, base::errno_text(errno));
  std::string out(static_cast<std::size_t>(size), '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t n = ::pread(fd, out.data() + done, out.size() - done, offset + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const std::string why = n < 0 ? base::errno_text(errno) : "it is cut short";
      ::close(fd);
      unreadable(file, why);
    }
    done += static_cast<std::size_t>(n);
  }
  ::close(fd);
  return out;
}

}  // namespace

std::string tensor_columns() {
  return "SELECT t.id, t.name, t.step, t.dtype, t.shape, t.dims, t.nbytes, t.sha256, t.vmin, t.vmax, t.nonfinite, "
         "a.path,"
         " t.byte_offset FROM tensor t LEFT JOIN artifact a ON a.id = t.artifact_id ";
}

TensorRow tensor_row(const Statement& at) {
  return {.id = at.integer(0),
          .name = at.text(1),
          .step = at.integer(2),
          .dtype = at.text(3),
          .shape = Json::parse(at.text(4)).get<std::vector<std::int64_t>>(),
          .dims = Json::parse(at.text(5)),
          .nbytes = at.integer(6),
          .sha256 = at.text(7),
          .vmin = at.maybe_real(8),
          .vmax = at.maybe_real(9),
          .nonfinite = at.integer(10),
          .path = at.maybe_text(11),
          .byte_offset = at.maybe_integer(12)};
}

std::vector<TensorRow> Reader::tensors(const std::string& run_id) const {
  std::vector<TensorRow> out;
  Statement at = db_->prepare(tensor_columns() + "WHERE t.run_seq = ? ORDER BY t.name, t.step");
  for (at.bind(run_seq(*db_, run_id)); at.step();) out.push_back(tensor_row(at));
  return out;
}

TensorData Reader::tensor(const std::string& run_id, std::string_view name, std::optional<std::int64_t> step) const {
  const std::int64_t seq = run_seq(*db_, run_id);
  TensorData out;
  {
    Statement at = db_->prepare(tensor_columns() +
                                "WHERE t.run_seq = ?1 AND t.name = ?2 AND (?3 IS NULL OR t.step = ?3)"
                                " ORDER BY t.step DESC LIMIT 1");
    if (at.bind(seq, name, step).step()) out.meta = tensor_row(at);
  }
  if (out.meta.id == 0) {
    std::vector<std::string> known;
    Statement at = db_->prepare("SELECT DISTINCT name FROM tensor WHERE run_seq = ? ORDER BY name");
    for (at.bind(seq); at.step();) known.push_back(at.text(0));
    const bool step_is_wrong = std::find(known.begin(), known.end(), name) != known.end();
    throw base::UserError(base::Exit::NoMatch,
                          step_is_wrong
                              ? "tensor '" + std::string(name) + "' has no step " + std::to_string(*step)
                              : "the run has no tensor '" + std::string(name) + "'" + base::did_you_mean(name, known));
  }
  if (out.meta.path) {
    out.bytes = read_range(store_ / *out.meta.path, *out.meta.byte_offset, out.meta.nbytes);
  } else {
    Statement at = db_->prepare("SELECT data FROM tensor WHERE id = ?");
    if (at.bind(out.meta.id).step()) out.bytes = at.text(0);
  }
  if (base::sha256(out.bytes) != out.meta.sha256) {
    throw base::UserError(
        base::Exit::Store,
        "tensor '" + out.meta.name + "' of run " + run_id + " is damaged: its bytes have another hash than recorded",
        {}, "store.tensor_hash");
  }
  return out;
}

}  // namespace diopter::store
