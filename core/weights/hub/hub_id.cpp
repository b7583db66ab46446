#include "weights/hub/hub_id.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "base/utf8.hpp"

namespace diopter::hub {
namespace {

constexpr std::size_t kLongestWord = 96;
constexpr std::size_t kLongestRevision = 200;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// What is wrong with one of the words, or nothing.
std::string fault_of_word(std::string_view word) {
  if (word.empty()) return "a name is empty";
  if (word.size() > kLongestWord) return "a name has more than 96 characters";
  const auto fits = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; };
  if (!std::all_of(word.begin(), word.end(), fits)) return "a name has letters, digits, '-', '_' and '.' only";
  const auto edge = [](char c) { return c == '-' || c == '.'; };
  if (edge(word.front()) || edge(word.back())) return "a name neither begins nor ends with '-' or '.'";
  return {};
}

std::string fault_of_repo(std::string_view repo) {
  const std::size_t slash = repo.find('/');
  if (slash != std::string_view::npos && repo.find('/', slash + 1) != std::string_view::npos)
    return "there is more than one '/'";
  if (repo.find("--") != std::string_view::npos || repo.find("..") != std::string_view::npos)
    return "'--' and '..' are not allowed";
  if (repo.ends_with(".git")) return "it ends in '.git'";
  if (slash == std::string_view::npos) return fault_of_word(repo);
  const std::string first = fault_of_word(repo.substr(0, slash));
  return first.empty() ? fault_of_word(repo.substr(slash + 1)) : first;
}

// git-check-ref-format, and no component that a folder could not have as its name.
std::string fault_of_revision(std::string_view revision) {
  if (revision.empty()) return "the revision after '@' is empty";
  if (revision.size() > kLongestRevision) return "the revision is longer than 200 characters";
  const auto never = [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f ||
           std::string_view("~^:?*[\\\"'<>|").find(c) != std::string_view::npos;
  };
  if (std::any_of(revision.begin(), revision.end(), never)) return "the revision has a character no git reference has";
  if (revision.find("..") != std::string_view::npos || revision.find("@{") != std::string_view::npos ||
      revision.find("//") != std::string_view::npos || revision.find("/.") != std::string_view::npos ||
      revision.front() == '/' || revision.front() == '.' || revision.front() == '-' || revision.back() == '/' ||
      revision.back() == '.' || revision.ends_with(".lock"))
    return "the revision is not the name of a git reference";
  return {};
}

std::string fault_of(std::string_view text, HubId& out) {
  const std::size_t at = text.find('@');
  out.repo = text.substr(0, at);
  out.revision = at == std::string_view::npos ? "main" : text.substr(at + 1);
  const std::string fault = fault_of_repo(out.repo);
  return fault.empty() ? fault_of_revision(out.revision) : fault;
}

}  // namespace

HubId parse_hub_id(std::string_view text) {
  HubId id;
  const std::string fault = fault_of(text, id);
  if (fault.empty()) return id;
  throw base::UserError(base::Exit::Usage,
                        "expected a model of the hub, NAME or ORG/NAME, got '" + base::printable(text) + "': " + fault,
                        "for example gpt2, EleutherAI/pythia-70m or EleutherAI/pythia-70m@step1000", "hub.id");
}

std::optional<HubId> as_hub_id(std::string_view text) {
  HubId id;
  if (!fault_of(text, id).empty()) return std::nullopt;
  return id;
}

bool is_commit(std::string_view revision) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return revision.size() == 40 && std::all_of(revision.begin(), revision.end(), hex);
}

}  // namespace diopter::hub
