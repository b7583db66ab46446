#include "study/run_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/hints.hpp"

namespace diopter::study {
namespace {

SourceSpan need_span(const Node& table, std::size_t index) {
  const Member* needs = table.find("needs");
  return needs != nullptr && index < needs->value.items.size() ? needs->value.items[index].span : table.span;
}

void check_ids(const std::vector<Run>& runs, Problems& problems) {
  std::map<std::string, const Run*> seen;
  for (const auto& run : runs) {
    if (run.id.empty()) continue;
    const auto [first, fresh] = seen.emplace(run.id, &run);
    if (fresh) continue;
    const bool given = run.spans.contains("id");
    problems.error(run.where("id"), fmt::format("the id '{}' is taken by the run in line {}{}", run.id,
                                                first->second->span.line, given ? "" : "; give this one an id"));
  }
}

// Depth-first along needs; the path tells a cycle when it meets itself.
class Stages {
 public:
  Stages(std::vector<Run>& runs, const std::vector<Node>& tables, Problems& problems)
      : runs_(runs), tables_(tables), problems_(problems), state_(runs.size(), State::New) {
    for (std::size_t i = 0; i < runs.size(); ++i) index_.emplace(runs[i].id, i);
  }

  // Not recursive: a manifest may chain thousands of runs.
  void visit_all() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (state_[i] == State::New) visit(i);
    }
  }

 private:
  enum class State { New, Open, Done };
  struct Frame {
    std::size_t run, next_need;
  };

  void visit(std::size_t start) {
    std::vector<Frame> path = {{start, 0}};
    state_[start] = State::Open;
    while (!path.empty()) {
      const std::size_t at = path.back().run;
      if (path.back().next_need == runs_[at].needs.size()) {
        finish(at);
        path.pop_back();
        continue;
      }
      const std::size_t need = path.back().next_need++;
      const auto found = index_.find(runs_[at].needs[need]);
      if (found == index_.end()) continue;
      const std::size_t next = found->second;
      if (state_[next] == State::Open) {
        tell_cycle(path, next, need_span(tables_[at], need));
      } else if (state_[next] == State::New) {
        state_[next] = State::Open;
        path.push_back({next, 0});
      }
    }
  }

  void finish(std::size_t at) {
    for (const auto& id : runs_[at].needs) {
      const auto found = index_.find(id);
      if (found != index_.end() && state_[found->second] == State::Done) {
        runs_[at].stage = std::max(runs_[at].stage, runs_[found->second].stage + 1);
      }
    }
    state_[at] = State::Done;
  }

  void tell_cycle(const std::vector<Frame>& path, std::size_t back_to, const SourceSpan& span) {
    std::string circle;
    bool inside = false;
    for (const auto& frame : path) {
      inside = inside || frame.run == back_to;
      if (inside) circle += runs_[frame.run].id + " -> ";
    }
    problems_.error(span, path.back().run == back_to ? fmt::format("run '{}' needs itself", runs_[back_to].id)
                                                     : "runs need each other: " + circle + runs_[back_to].id);
  }

  std::vector<Run>& runs_;
  const std::vector<Node>& tables_;
  Problems& problems_;
  std::vector<State> state_;
  std::map<std::string, std::size_t> index_;
};

}  // namespace

void order_runs(std::vector<Run>& runs, const std::vector<Node>& tables, Problems& problems) {
  check_ids(runs, problems);
  std::vector<std::string> ids;
  for (const auto& run : runs) ids.push_back(run.id);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t n = 0; n < runs[i].needs.size(); ++n) {
      const auto& need = runs[i].needs[n];
      if (std::find(ids.begin(), ids.end(), need) == ids.end()) {
        problems.error(need_span(tables[i], n),
                       fmt::format("no run has the id '{}'{}", need, base::did_you_mean(need, ids)));
      }
    }
  }
  Stages(runs, tables, problems).visit_all();
}

}  // namespace diopter::study
