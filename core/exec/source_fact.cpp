#include <chrono>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/utf8.hpp"
#include "exec/bounded_command.hpp"
#include "exec/provenance.hpp"

namespace diopter::exec {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uintmax_t kHashBytes = 16u << 20;  // larger untracked files keep their name only

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

class Repository {
 public:
  Repository(fs::path folder, const SourceLimits& limits)
      : folder_(std::move(folder)), limits_(limits), deadline_(Clock::now() + limits.time) {
    const CommandResult top = git({"rev-parse", "--show-toplevel"});
    if (top.ok()) top_ = first_line(top.output);
  }

  bool found() const { return !top_.empty(); }

  Json text(const std::vector<std::string>& arguments) const {
    const CommandResult result = git(arguments);
    const std::string line = first_line(result.output);
    return result.ok() && !line.empty() ? Json(line) : Json();
  }

  // Staged and unstaged changes. Before the first commit there is nothing to compare with.
  void add_diff(Json& body, bool has_commit) const {
    const CommandResult diff = git(
        {"diff", has_commit ? "HEAD" : "--cached", "--no-color", "--no-ext-diff", "--no-textconv"}, limits_.diff_bytes);
    if (diff.ok()) {
      if (!diff.output.empty()) body["diff"] = base::escape_invalid_utf8(diff.output);
      body["dirty"] = !diff.output.empty();
      return;
    }
    body["dirty"] = diff.end == CommandEnd::TooMuchOutput ? Json(true) : Json();
    body["diff_omitted"] = why_not(diff);
  }

  void add_untracked(Json& body) const {
    const CommandResult list = git({"ls-files", "--others", "--exclude-standard", "-z"}, 1u << 20);
    if (list.output.empty()) return;
    Json names = Json::array();
    std::size_t at = 0;
    while (at < list.output.size() && names.size() < limits_.untracked) {
      const std::size_t end = list.output.find('\0', at);
      if (end == std::string::npos) break;  // cut by the cap: not a whole name
      names.push_back(untracked(list.output.substr(at, end - at)));
      at = end + 1;
    }
    if (at < list.output.size())
      names.push_back({{"path", "..."}, {"sha256", nullptr}, {"omitted", "more untracked files than are listed"}});
    body["untracked"] = std::move(names);
    body["dirty"] = true;
  }

 private:
  CommandResult git(std::vector<std::string> arguments, std::size_t most_bytes = 4096) const {
    // safe.directory and the user's configuration stay in force; hooks and pagers do not run for these verbs.
    arguments.insert(arguments.begin(), {"git", "--no-pager"});
    return run_bounded(arguments, top_.empty() ? folder_ : fs::path(top_), deadline_, most_bytes);
  }

  std::string why_not(const CommandResult& result) const {
    switch (result.end) {
      case CommandEnd::TooMuchOutput: return "the diff is larger than " + std::to_string(limits_.diff_bytes) + " bytes";
      case CommandEnd::TimedOut: return "git took longer than " + std::to_string(limits_.time.count()) + " ms";
      case CommandEnd::NotStarted: return "git could not be started";
      case CommandEnd::Exited: return "git diff ended with exit code " + std::to_string(result.exit_code);
    }
    return "unknown";
  }

  Json untracked(const std::string& name) const {
    Json sha256;
    std::error_code error;
    const fs::path file = fs::path(top_) / name;
    const auto size = fs::file_size(file, error);
    if (!error && size <= kHashBytes && Clock::now() < deadline_) {
      try {
        sha256 = base::sha256_file(file);
      } catch (const base::UserError&) {
        // unreadable or just deleted: the name is what there is to tell
      }
    }
    return {{"path", base::escape_invalid_utf8(name)}, {"sha256", sha256}};
  }

  fs::path folder_;
  SourceLimits limits_;
  Clock::time_point deadline_;
  std::string top_;
};

}  // namespace

std::string without_credentials(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;  // git@host:path has no secret
  const std::size_t start = scheme + 3, slash = url.find('/', start), at = url.rfind('@', slash);
  if (at == std::string::npos || at < start) return url;
  return url.substr(0, start) + url.substr(at + 1);
}

Fact source_fact(const fs::path& folder, const Json& build, const SourceLimits& limits) {
  Json body = {{"repo_url", nullptr}, {"commit", nullptr},       {"branch", nullptr},    {"dirty", nullptr},
               {"diff", nullptr},     {"diff_omitted", nullptr}, {"untracked", nullptr}, {"build", build}};
  const Repository repository(folder, limits);
  if (repository.found()) {
    body["commit"] = repository.text({"rev-parse", "--verify", "-q", "HEAD"});
    body["branch"] = repository.text({"symbolic-ref", "-q", "--short", "HEAD"});
    if (const Json url = repository.text({"config", "--get", "remote.origin.url"}); url.is_string()) {
      body["repo_url"] = without_credentials(url.get<std::string>());
    }
    repository.add_diff(body, body["commit"].is_string());
    repository.add_untracked(body);
  }
  Fact fact{.sha256 = base::sha256('{' + members_of(body) + '}'), .body = std::move(body)};
  fact.body["sha256"] = fact.sha256;
  return fact;
}

}  // namespace diopter::exec
