#include "core/store/shim_vfs.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <new>
#include <utility>

namespace diopter::testing {
namespace {
namespace fs = std::filesystem;

std::atomic<std::int64_t> g_calls = 0, g_at = 0;
std::atomic<bool> g_for_ever = false, g_no_space = false, g_fired = false;
std::mutex g_mutex;
std::vector<std::string> g_violations;

void violation(const std::string& what) {
  const std::lock_guard lock(g_mutex);
  g_violations.push_back(what);
}

bool fails() {
  const std::int64_t call = ++g_calls, at = g_at;
  const bool now = at != 0 && (call == at || (g_for_ever && call > at));
  if (now) g_fired = true;
  return now;
}

// A store is a directory with a .lock; other databases of the tests have no such rule.
bool lock_is_free(const fs::path& directory) {
  const int fd = ::open((directory / ".lock").c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_free = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
  ::close(fd);
  return is_free;
}

struct ShimFile {
  sqlite3_file base;
  sqlite3_file* real;
  char path[512];
  bool watched;  // main database or WAL
};

ShimFile& shim(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file); }
sqlite3_file* real(sqlite3_file* file) { return shim(file).real; }

void watch(sqlite3_file* file, const char* what) {
  if (shim(file).watched && lock_is_free(fs::path(shim(file).path).parent_path())) {
    violation(std::string(what) + " without the lock: " + shim(file).path);
  }
}

int shim_close(sqlite3_file* file) {
  return real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
}
int shim_read(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, size, at);
}
int shim_write(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  watch(file, "write");
  if (fails()) return g_no_space ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  return real(file)->pMethods->xWrite(real(file), from, size, at);
}
int shim_truncate(sqlite3_file* file, sqlite3_int64 size) {
  watch(file, "truncate");
  if (fails()) return SQLITE_IOERR_TRUNCATE;
  return real(file)->pMethods->xTruncate(real(file), size);
}
int shim_sync(sqlite3_file* file, int flags) {
  watch(file, "sync");
  if (fails()) return SQLITE_IOERR_FSYNC;
  return real(file)->pMethods->xSync(real(file), flags);
}
int shim_size(sqlite3_file* file, sqlite3_int64* size) { return real(file)->pMethods->xFileSize(real(file), size); }
int shim_lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int shim_unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int shim_reserved(sqlite3_file* file, int* out) { return real(file)->pMethods->xCheckReservedLock(real(file), out); }
int shim_control(sqlite3_file* file, int op, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), op, argument);
}
int shim_sector(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int shim_traits(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }
int shim_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
  return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int shim_shm_lock(sqlite3_file* file, int offset, int n, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, n, flags);
}
void shim_shm_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int shim_shm_unmap(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

const sqlite3_io_methods kMethods = {
    2,           shim_close,   shim_read,     shim_write,       shim_truncate,  shim_sync,
    shim_size,   shim_lock,    shim_unlock,   shim_reserved,    shim_control,   shim_sector,
    shim_traits, shim_shm_map, shim_shm_lock, shim_shm_barrier, shim_shm_unmap, nullptr,
    nullptr};

sqlite3_vfs* real_vfs = nullptr;

int shim_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  ShimFile& shim_file = *new (file) ShimFile{};
  shim_file.real = reinterpret_cast<sqlite3_file*>(&shim_file + 1);
  shim_file.watched = name != nullptr && (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  if (name != nullptr) std::strncpy(shim_file.path, name, sizeof(shim_file.path) - 1);
  if (fails()) return SQLITE_CANTOPEN;
  const int code = real_vfs->xOpen(real_vfs, name, shim_file.real, flags, out_flags);
  if (shim_file.real->pMethods != nullptr) shim_file.base.pMethods = &kMethods;
  return code;
}

// A statement that may write must not start a deferred transaction: the upgrade of its lock could fail half-way.
int trace(unsigned, void* db, void* statement, void* text) {
  const char* sql = static_cast<const char*>(text);
  const bool deferred =
      sql != nullptr && (sqlite3_stricmp(sql, "BEGIN") == 0 || sqlite3_strnicmp(sql, "BEGIN DEFERRED", 14) == 0);
  if (deferred && sqlite3_db_readonly(static_cast<sqlite3*>(db), "main") == 0)
    violation("a deferred transaction on a writing connection");
  const char* file = sqlite3_db_filename(static_cast<sqlite3*>(db), "main");
  const bool asks_for_mode = sql != nullptr && sqlite3_stricmp(sql, "PRAGMA journal_mode") == 0;  // could also set it
  const bool writes = !asks_for_mode && sqlite3_stmt_readonly(static_cast<sqlite3_stmt*>(statement)) == 0;
  if (writes && file != nullptr && *file != '\0' && lock_is_free(fs::path(file).parent_path())) {
    violation(std::string("without the lock: ") + (sql != nullptr ? sql : "?"));
  }
  return 0;
}

int trace_every_connection(sqlite3* db, char**, const sqlite3_api_routines*) {
  return sqlite3_trace_v2(
      db, SQLITE_TRACE_STMT,
      [](unsigned kind, void* own, void* statement, void* text) { return trace(kind, own, statement, text); }, db);
}

}  // namespace

void install_shim_vfs() {
  static sqlite3_vfs shim_vfs;
  if (real_vfs != nullptr) return;
  sqlite3_initialize();
  real_vfs = sqlite3_vfs_find(nullptr);
  shim_vfs = *real_vfs;
  shim_vfs.zName = "shim";
  shim_vfs.szOsFile = static_cast<int>(sizeof(ShimFile)) + real_vfs->szOsFile;
  shim_vfs.xOpen = shim_open;
  sqlite3_vfs_register(&shim_vfs, 1);
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(trace_every_connection));
}

void arm(const Fault& fault) {
  g_calls = 0;
  g_fired = false;
  g_for_ever = fault.for_ever;
  g_no_space = fault.no_space;
  g_at = fault.at;
}

std::int64_t calls_since_arm() { return g_calls; }
bool fault_fired() { return g_fired; }

std::vector<std::string> take_violations() {
  const std::lock_guard lock(g_mutex);
  return std::exchange(g_violations, {});
}

}  // namespace diopter::testing
