// What stands inside the SDK's plain values, for the host (engine, loader): not installed, free to change.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <diopter/edits.hpp>
#include <diopter/metric.hpp>
#include <diopter/sweep.hpp>

namespace diopter {
inline namespace abi1 {

struct PositionsSpec {
  struct All {};
  struct Indices {
    std::vector<Index> values;
  };
  struct PerRow {
    Tensor values;
  };  // int64 [prompt, n]
  struct Token {
    std::string text;
    Index occurrence, offset;
  };
  struct PromptPart {};
  struct Generated {};
  struct From {
    Index first;
  };
  using Term = std::variant<All, Indices, PerRow, Token, PromptPart, Generated, From>;
  std::vector<Term> terms;  // a union
};

struct MetricSpec {
  std::string name;
  Positions at;
  std::function<Tensor(const Tensor&, const Prompts&)> custom;  // empty: a named metric
  bool normalise = false;  // METRIC_LIST key `normalise`: Cells::normalised is asked for
  double min_gap = 0.1;    // logit (or the metric's unit)
};

struct ChangeSpec {
  enum class Op { Replace, Zero, Mean, Add, Scale, Freeze, Custom };
  Op op;
  std::optional<Prompts> donor;             // Replace by a run of these rows; Mean: the reference rows
  std::shared_ptr<const CaptureData> from;  // Replace by captured values
  Tensor value;                             // Replace or Add
  Per per = Per::Site;
  Mean mean = Mean::PerPosition;
  Reals factors = 1.0;  // Add's coefficients, Scale's factors
  EditFn edit;
};

// Encodes and shows tokens; implemented by the host on its tokenizer. Thread-safe.
class DIOPTER_API TokenCodec {
 public:
  virtual ~TokenCodec();
  virtual std::vector<Index> encode(Text text) const = 0;  // no BOS
  // Of a text that follows other text: tokenizers that put a space before a text's first word put none before this one.
  virtual std::vector<Index> continuation(Text text) const;  // encode(), where nothing is put before a text
  virtual std::string text(Index token) const = 0;           // exact bytes
  virtual Index size() const = 0;
};
// The id of a text that is exactly one token; else an Error that lists the pieces.
DIOPTER_API Index single_token(const TokenCodec& codec, Text text);

// Rows of one prompt set. Everything is per row of `rows`.
struct PromptsData {
  struct Row {
    std::vector<Index> tokens;     // of the text, or of the clean text; BOS included
    std::vector<Index> corrupted;  // empty when the set has no pairs
    Index index = 0;               // in the whole set
  };
  enum class Side { Whole, Clean, Corrupted };
  enum class Align { None, End, Map };  // how positions of rows of unequal length belong together
  std::vector<Row> rows;
  Side side = Side::Whole;  // which text inputs() gives; Whole = tokens
  Align align = Align::None;
  bool has_pairs = false;
  Index set_size = 0;                                                  // rows of the whole set
  Index set_length = 0;                                                // longest row of the whole set, both sides
  std::map<std::string, std::vector<std::string>, std::less<>> texts;  // free columns: [row]
  std::map<std::string, Tensor, std::less<>> numbers;                  // free columns: [row, ...]
  // Token ids of answers and foils: [row][choice][token].
  std::map<std::string, std::vector<std::vector<std::vector<Index>>>, std::less<>> answers;
  std::vector<std::vector<std::pair<Index, Index>>> map;  // Align::Map: [row] pairs (clean, corrupted)
  Tensor values;                                          // continuous inputs, float [row, pos, d_in]
  std::shared_ptr<const TokenCodec> codec;                // may be null
  std::string name;                                       // of the set, for messages
  Path tokenizer_file;                                    // data sets: the tokenizer they were made with
};

struct CaptureData {
  HookTable hooks;
  std::vector<HookId> ids;           // parallel to items
  std::vector<Capture::Item> items;  // forward order
  Tensor resid;
  std::function<Tensor()> logits;  // made when asked for
  Prompts rows;
};

struct CellsData {
  std::vector<Axis> axes;  // resolved: indices or reals filled in
  std::vector<std::string> metric_names;
  std::vector<Tensor> values;       // per metric, double [axis..., prompt]
  std::vector<Tensor> base, donor;  // per metric, double [prompt]; donor undefined without one
  std::vector<Tensor> normalised;   // per metric, double [axis...] or undefined
  Prompts rows;
  Counts counts;
};

// The validated parameters of a run, after the host resolved what needs a model.
struct ParamsData {
  using Value = std::variant<bool, Index, double, std::string, Path, HookSet, Positions, Tensor, std::vector<Index>,
                             std::vector<double>, std::vector<std::string>, std::vector<Metric>>;
  std::string kind;
  std::map<std::string, Value, std::less<>> values;
};

}  // namespace abi1
}  // namespace diopter
