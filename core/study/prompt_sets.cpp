#include "study/prompt_sets.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/hints.hpp"
#include "study/csv_reader.hpp"
#include "study/jsonl_reader.hpp"
#include "study/prompt_rows.hpp"
#include "study/table_reader.hpp"

namespace diopter::study {
namespace {

constexpr auto kAllRows = std::numeric_limits<std::size_t>::max();
// Keys of a set that make its rows from columns and lists.
constexpr std::string_view kTemplateKeys[] = {"text", "clean", "corrupted", "answer", "foil",  "group", "unit",
                                              "map",  "slots", "combine",   "cut",    "split", "like"};

void put(Node& table, const Member& m) {
  if (Member* old = table.find(m.key)) {
    *old = m;
  } else {
    table.members.push_back(m);
  }
}

void drop(Node& table, std::string_view key) {
  std::erase_if(table.members, [&](const Member& m) { return m.key == key; });
}

}  // namespace

std::filesystem::path resolve_path(const Node& text, const std::filesystem::path& folder) {
  const std::filesystem::path written(text.text);
  if (written.is_absolute()) return written.lexically_normal();
  return ((text.span.override_number > 0 ? std::filesystem::current_path() : folder) / written).lexically_normal();
}

std::string shown_path(const Node& text, const Folder& folder) {
  if (text.span.override_number > 0 || std::filesystem::path(text.text).is_absolute()) return text.text;
  return (folder.shown / text.text).lexically_normal().string();
}

PromptSets::PromptSets(const Node* prompts, Folder folder, std::function<std::string(const ModelSettings&)> family_of,
                       Problems& problems)
    : prompts_(prompts), folder_(std::move(folder)), family_of_(std::move(family_of)), problems_(problems) {
  if (prompts_ == nullptr) return;
  if (!prompts_->is(Node::Type::Table)) {
    problems_.error(prompts_->span,
                    fmt::format("'prompts' is {}, not a table; write [prompts.NAME]", type_name(*prompts_)));
    prompts_ = nullptr;
    shape_is_fine_ = false;
    return;
  }
  for (const auto& m : prompts_->members) {
    const bool fine = !m.key.empty() && std::all_of(m.key.begin(), m.key.end(), [](unsigned char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (!fine)
      problems_.error(m.key_span, fmt::format("'{}' cannot name a prompt set; use letters, digits, _ and -", m.key));
    if (!m.value.is(Node::Type::Table)) {
      problems_.error(m.value.span,
                      fmt::format("'prompts.{}' is {}, not a table; write [prompts.{}] or [[prompts.{}.rows]]", m.key,
                                  type_name(m.value), m.key, m.key));
    }
  }
}

std::vector<std::string> PromptSets::names() const {
  std::vector<std::string> out;
  if (prompts_ != nullptr) {
    for (const auto& m : prompts_->members) out.push_back(m.key);
  }
  return out;
}

bool PromptSets::declares(const std::string& name) const {
  return !shape_is_fine_ || (prompts_ != nullptr && prompts_->find(name) != nullptr);
}

const Member* PromptSets::replacement(const Member& declared, const ModelSettings* model) {
  const Member* all = declared.value.find("for");
  if (all == nullptr || model == nullptr || !all->value.is(Node::Type::Table)) return nullptr;
  if (const Member* exact = all->value.find(model->source)) return exact;
  const bool asks_family = std::any_of(all->value.members.begin(), all->value.members.end(),
                                       [](const Member& m) { return m.key.starts_with("family:"); });
  if (!asks_family || !family_of_) return nullptr;
  return all->value.find("family:" + family_of_(*model));
}

Node PromptSets::effective_table(const Member& declared, const ModelSettings* model) {
  Node table = declared.value;
  // What the command line says stays: it is the most particular of all. A path takes the place of rows, and rows of a
  // path.
  const auto overridden = [&](std::string_view key) {
    const Member* m = table.find(key);
    return m != nullptr && m->key_span.override_number > 0;
  };
  const bool fixed_rows = overridden("path") || overridden("rows");
  if (overridden("path") && !overridden("rows")) drop(table, "rows");
  if (overridden("rows") && !overridden("path")) drop(table, "path");
  const Member* chosen = replacement(declared, model);
  if (chosen == nullptr || !chosen->value.is(Node::Type::Table)) return table;
  for (const auto& m : chosen->value.members) {
    const bool gives_rows = m.key == "path" || m.key == "rows";
    if (gives_rows ? fixed_rows : overridden(m.key)) continue;
    if (gives_rows) drop(table, m.key == "path" ? "rows" : "path");
    put(table, m);
  }
  return table;
}

std::shared_ptr<const PromptSet> PromptSets::get(const std::string& name, const ModelSettings* model) {
  const Member* declared = prompts_ == nullptr ? nullptr : prompts_->find(name);
  if (declared == nullptr || !declared->value.is(Node::Type::Table)) return nullptr;
  const Member* chosen = replacement(*declared, model);
  const std::pair<std::string, std::string> key{name, chosen == nullptr ? "" : chosen->key};
  if (const auto found = sets_.find(key); found != sets_.end()) return found->second;
  auto set = read(*declared, effective_table(*declared, model));
  sets_.emplace(key, set);
  if (set != nullptr) used_.push_back(set);
  return set;
}

std::shared_ptr<const PromptSet> PromptSets::read(const Member& declared, const Node& table) {
  const std::size_t before = problems_.added();
  auto set = std::make_shared<PromptSet>();
  set->name = declared.key;
  set->span = declared.key_span;
  TableReader reader(table, fmt::format("[prompts.{}]", declared.key), problems_);
  for (const auto key : kTemplateKeys) reader.later(key);
  const auto limit = reader.integer("limit", 1);
  if (reader.choice("align", {"none", "end"}).value_or("none") == "end") set->align = Align::End;
  const Member* path = reader.take("path");
  const Member* rows = reader.take("rows");
  if (const Member* all = reader.take("for"); all != nullptr && !all->value.is(Node::Type::Table)) {
    problems_.error(all->value.span, fmt::format("'for' is {}, not a table; write [prompts.{}.for.SOURCE]",
                                                 type_name(all->value), declared.key));
  } else if (all != nullptr) {
    for (const auto& m : all->value.members) {
      if (!m.value.is(Node::Type::Table)) {
        problems_.error(m.key_span, fmt::format("'{}' is {}, not a table; write [prompts.{}.for.{}]", m.key,
                                                type_name(m.value), declared.key, toml_key(m.key)));
      } else if (m.key.starts_with("family:") && !family_of_) {
        problems_.error(m.key_span, "a replacement by family needs the model's config, which nobody gave here");
      }
    }
  }
  reader.finish();
  const bool located = path == nullptr || locate_file(*set, path->value);
  if (!located || problems_.added() != before) return nullptr;

  if ((path == nullptr) == (rows == nullptr)) {
    const std::string_view both = path == nullptr ? "needs" : "has both";
    problems_.error(declared.key_span,
                    fmt::format("[prompts.{}] {} {}", declared.key, both,
                                path == nullptr ? "a 'path' or [[rows]]" : "a 'path' and [[rows]]; remove one"));
    return nullptr;
  }
  const std::size_t count = limit ? static_cast<std::size_t>(*limit) : kAllRows;
  if (path != nullptr) {
    if (!read_file(*set, path->value, count)) return nullptr;
  } else {
    if (!is_table_list(*rows, fmt::format("prompts.{}.rows", declared.key), problems_)) return nullptr;
    for (const auto& item : rows->value.items) {
      if (set->rows.size() < count) set->rows.push_back(row_of(item));
    }
  }
  if (!check_rows(*set, problems_)) return nullptr;
  set->sha256 = base::sha256(base::canonical_json(prompt_set_json(*set)));
  return set;
}

bool PromptSets::locate_file(PromptSet& set, const Node& path) {
  if (!path.is(Node::Type::String) || path.text.empty()) {
    problems_.error(path.span,
                    fmt::format("'path' of [prompts.{}] is {}, not the name of a file", set.name, brief(path)));
    return false;
  }
  if (!path.text.ends_with(".csv") && !path.text.ends_with(".jsonl")) {
    problems_.error(path.span, fmt::format("'{}' is neither .jsonl nor .csv", path.text));
    return false;
  }
  set.path = resolve_path(path, folder_.path);
  std::error_code ignored;
  if (std::filesystem::is_regular_file(set.path, ignored)) return true;
  const bool there = std::filesystem::exists(set.path, ignored);
  problems_.error(path.span, fmt::format("'{}' {}", path.text, there ? "is not a file" : "does not exist")).help =
      fmt::format("looked for {}; {}", set.path.string(),
                  path.span.override_number > 0 ? "paths of overrides start from the current folder"
                                                : "paths start from the manifest's folder");
  return false;
}

bool PromptSets::read_file(PromptSet& set, const Node& path, std::size_t limit) {
  std::string text;
  try {
    text = base::read_file(set.path);
  } catch (const base::UserError& e) {
    problems_.error(path.span, e.what());
    return false;
  }
  const std::string shown = shown_path(path, folder_);
  problems_.add_source(shown, text);
  auto rows =
      path.text.ends_with(".csv") ? read_csv(text, shown, limit, problems_) : read_jsonl(text, shown, limit, problems_);
  if (!rows) return false;
  if (rows->empty()) {
    problems_.error(path.span, fmt::format("'{}' has no rows", path.text));
    return false;
  }
  set.rows = std::move(*rows);
  return true;
}

void PromptSets::finish(const ModelSettings* model) {
  const std::vector<std::shared_ptr<const PromptSet>> asked_for = used_;
  for (const auto& name : names()) {
    const auto of_name = [&](const auto& entry) { return entry.first.first == name; };
    if (std::any_of(sets_.begin(), sets_.end(), of_name)) continue;
    if (get(name, model) != nullptr) {
      problems_.warning("unused", prompts_->find(name)->key_span, fmt::format("no run uses the prompt set '{}'", name));
    }
  }
  used_ = asked_for;
}

std::vector<std::shared_ptr<const PromptSet>> PromptSets::used() const { return used_; }

}  // namespace diopter::study
