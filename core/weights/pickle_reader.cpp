#include "weights/pickle_reader.hpp"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <unordered_map>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "weights/pickle_globals.hpp"

namespace diopter::weights {
namespace {

using Kind = PickleValue::Kind;
using Ref = std::uint32_t;

// The stack machine. Each opcode takes at least a byte and makes at most one value, what it moves it consumes, and what
// a call copies is counted: memory is bounded, whatever the counts and references say.
class PickleMachine {
 public:
  PickleMachine(std::string_view bytes, const std::string& file)
      : bytes_(bytes.substr(0, kMaximalPickle)), file_(file) {}

  Pickled run() {
    while (!stopped_) step(static_cast<unsigned char>(take(1).front()));
    if (stack_.size() != 1 || !marks_.empty())
      refuse_torch(file_, "expected a pickle of one value, got another number");
    out_.top = stack_.front();
    out_.end = at_;
    return std::move(out_);
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) {
      refuse_torch(file_, fmt::format("expected {} more bytes of pickle at {}, got {} (cut short?)", size, at_,
                                      bytes_.size() - at_));
    }
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }

  std::uint64_t number(int size) {
    const std::string_view bytes = take(static_cast<std::uint64_t>(size));
    std::uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i)
      value = value << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
    return value;
  }

  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse_torch(file_, "expected a name that ends, got the end of the pickle");
    const std::string_view text = take(end - at_);
    take(1);
    return text;
  }

  void count(std::size_t items) {
    items_ += items;
    if (items_ > kMaximalPickleValues)
      refuse_torch(file_, fmt::format("expected at most {} values, got more", kMaximalPickleValues));
  }

  void push(PickleValue value) {
    count(1);
    out_.values.push_back(std::move(value));
    stack_.push_back(static_cast<Ref>(out_.values.size() - 1));
  }

  // Values above the last mark are a part of their own.
  Ref pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()))
      refuse_torch(file_, "expected a value, got an empty stack");
    const Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }

  Ref top() {
    const Ref value = pop();
    stack_.push_back(value);
    return value;
  }

  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) refuse_torch(file_, "expected a mark, got none");
    const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Ref> values(begin, stack_.end());
    stack_.erase(begin, stack_.end());
    marks_.pop_back();
    return values;
  }

  void push_whole(std::int64_t value) { push({.kind = Kind::Whole, .whole = value}); }
  void push_text(std::uint64_t size) { push({.kind = Kind::Text, .text = take(size)}); }

  void push_tuple(std::size_t size) {
    std::vector<Ref> items(size);
    for (std::size_t i = size; i > 0; --i) items[i - 1] = pop();
    push({.kind = Kind::Tuple, .items = std::move(items)});
  }

  // Two's complement of any length; only what fits 64 bits is a number here.
  void push_long(std::uint64_t size) {
    const std::string_view bytes = take(size);
    if (size > 8)
      refuse_torch(file_, fmt::format("expected whole numbers of at most 64 bits, got one of {} bytes", size));
    std::uint64_t value = !bytes.empty() && (bytes.back() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (std::size_t i = bytes.size(); i > 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
    push_whole(static_cast<std::int64_t>(value));
  }

  void push_real() {
    std::uint64_t bits = 0;
    for (const char byte : take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
    push({.kind = Kind::Real, .real = std::bit_cast<double>(bits)});
  }

  void add(Kind kind, const std::vector<Ref>& values) {
    PickleValue& into = out_.values[top()];
    if (into.kind != kind || (kind == Kind::Dict && values.size() % 2 != 0))
      refuse_torch(file_, kind == Kind::Dict ? "expected pairs for a dict, got something else"
                                             : "expected items for a list, got something else");
    into.items.insert(into.items.end(), values.begin(), values.end());
  }

  void add_pair() {
    const Ref value = pop(), key = pop();
    add(Kind::Dict, {key, value});
  }

  void put(std::uint64_t key) { memo_[key] = top(); }

  void get(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) refuse_torch(file_, fmt::format("expected something remembered as {}, got nothing", key));
    count(1);
    stack_.push_back(found->second);
  }

  void push_global_of_texts() {
    const Ref name = pop(), module = pop();
    if (out_[name].kind != Kind::Text || out_[module].kind != Kind::Text)
      refuse_torch(file_, "expected a name, got something else");
    push(pickle_global(out_[module].text, out_[name].text, file_));
  }

  void call() {
    const Ref arguments = pop(), callee = pop();
    PickleValue made = pickle_call(out_, callee, arguments, file_);
    count(made.items.size());
    push(std::move(made));
  }

  // Attributes of an OrderedDict (a state dict's _metadata: versions of its modules) say nothing about tensors.
  void drop_state() {
    pop();
    if (out_[top()].kind != Kind::Dict)
      refuse_torch(file_, "expected attributes of an OrderedDict, got those of something else");
  }

  void step(unsigned char code) {
    switch (code) {
      case 0x80:  // PROTO
        if (const std::uint64_t version = number(1); version > 5)
          refuse_torch(file_, fmt::format("expected pickle protocol 2 to 5, got {}", version));
        return;
      case 0x95: number(8); return;  // FRAME: a hint for buffered readers
      case '.': stopped_ = true; return;
      case '(': marks_.push_back(stack_.size()); return;
      case '0': pop(); return;
      case '1': pop_to_mark(); return;
      case 'N': push({}); return;
      case 0x88: push({.kind = Kind::Bool, .whole = 1}); return;
      case 0x89: push({.kind = Kind::Bool}); return;
      case 'J': push_whole(static_cast<std::int32_t>(number(4))); return;
      case 'K': push_whole(static_cast<std::int64_t>(number(1))); return;
      case 'M': push_whole(static_cast<std::int64_t>(number(2))); return;
      case 0x8a: push_long(number(1)); return;
      case 0x8b: push_long(number(4)); return;
      case 'G': push_real(); return;
      case 'U':
      case 0x8c: push_text(number(1)); return;
      case 'T':
      case 'X': push_text(number(4)); return;
      case 0x8d: push_text(number(8)); return;
      case ']': push({.kind = Kind::List}); return;
      case 'a': add_item(); return;
      case 'e': add_after_mark(Kind::List); return;
      case 'l': push({.kind = Kind::List, .items = pop_to_mark()}); return;
      case ')': push({.kind = Kind::Tuple}); return;
      case 't': push({.kind = Kind::Tuple, .items = pop_to_mark()}); return;
      case 0x85: push_tuple(1); return;
      case 0x86: push_tuple(2); return;
      case 0x87: push_tuple(3); return;
      case '}': push({.kind = Kind::Dict}); return;
      case 'd': {
        std::vector<Ref> pairs = pop_to_mark();
        push({.kind = Kind::Dict});
        add(Kind::Dict, pairs);
        return;
      }
      case 's': add_pair(); return;
      case 'u': add_after_mark(Kind::Dict); return;
      case 'q': put(number(1)); return;
      case 'r': put(number(4)); return;
      case 0x94: put(memo_.size()); return;
      case 'h': get(number(1)); return;
      case 'j': get(number(4)); return;
      case 'c': {
        const std::string_view module = line(), name = line();
        push(pickle_global(module, name, file_));
        return;
      }
      case 0x93: push_global_of_texts(); return;
      case 'R': call(); return;
      case 'b': drop_state(); return;
      case 'Q': push(pickle_storage(out_, pop(), file_)); return;
      default:
        refuse_torch(file_,
                     fmt::format("expected the pickle opcodes of a state dict, got 0x{:02x} at {}, which could run "
                                 "code or is none",
                                 code, at_ - 1));
    }
  }

  void add_item() {
    const Ref item = pop();
    add(Kind::List, {item});
  }

  void add_after_mark(Kind kind) {
    const std::vector<Ref> values = pop_to_mark();
    add(kind, values);
  }

  std::string_view bytes_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t items_ = 0;
  bool stopped_ = false;
  Pickled out_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint64_t, Ref> memo_;
};

}  // namespace

void refuse_torch(const std::string& file, const std::string& defect, const std::string& help) {
  throw base::UserError(
      base::Exit::Refused, fmt::format("{} is not a torch checkpoint diopter reads: {}", file, defect),
      help.empty() ? "fetch the file again, or load it in Python and save it with safetensors" : help, "weights.torch");
}

Pickled read_pickle(std::string_view bytes, const std::string& name) { return PickleMachine(bytes, name).run(); }

}  // namespace diopter::weights
