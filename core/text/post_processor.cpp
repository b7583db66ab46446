#include "text/post_processor.hpp"

namespace diopter::text {
namespace {

constexpr const char* kSupported =
    "supported: null, ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing and a Sequence of them";

struct Reader {
  PostProcessor out;
  bool frames = false, trims = false;

  void frame_once(const Field& field) {
    if (frames) field.refuse("supported: one post-processor that adds tokens");
    frames = true;
  }

  void trim(const Field& field) {
    if (!field.at("trim_offsets").flag()) return;
    if (trims) field.refuse("supported: one post-processor that trims offsets");
    trims = out.trim_offsets = true;
    out.first_keeps_space = field.at("add_prefix_space").flag();
  }

  void byte_level(const Field& field) {
    field.only({"type", "add_prefix_space", "trim_offsets", "use_regex"});
    trim(field);
  }

  // [content, id]
  static std::int64_t pair_id(const Field& field) {
    if (field.size() != 2) field.refuse("expected [token, id]");
    return field.at(std::size_t{1}).id();
  }

  void around(const Field& field) {
    frame_once(field);
    out.before = {pair_id(field.at("cls"))};
    out.after = {pair_id(field.at("sep"))};
  }

  void template_processing(const Field& field) {
    field.only({"type", "single", "pair", "special_tokens"});
    frame_once(field);
    const Field single = field.at("single");
    bool text_seen = false;
    for (std::size_t i = 0; i < single.size(); ++i) {
      const Field piece = single.at(i);
      if (piece.has("Sequence")) {
        if (text_seen || piece.at("Sequence").at("id").text() != "A") piece.refuse("expected the sequence A once");
        text_seen = true;
        continue;
      }
      const std::string& name = piece.at("SpecialToken").at("id").text();
      const Field ids = field.at("special_tokens").at(name).at("ids");
      for (std::size_t k = 0; k < ids.size(); ++k) (text_seen ? out.after : out.before).push_back(ids.at(k).id());
    }
    if (!text_seen) single.refuse("expected the sequence A once");
  }

  void read(const Field& field) {
    const std::string& type = field.at("type").text();
    if (type == "ByteLevel") {
      byte_level(field);
    } else if (type == "TemplateProcessing") {
      template_processing(field);
    } else if (type == "RobertaProcessing") {
      field.only({"type", "sep", "cls", "trim_offsets", "add_prefix_space"});
      around(field);
      trim(field);
    } else if (type == "BertProcessing") {
      field.only({"type", "sep", "cls"});
      around(field);
    } else if (type == "Sequence") {
      field.only({"type", "processors"});
      const Field list = field.at("processors");
      for (std::size_t i = 0; i < list.size(); ++i) {
        if (list.at(i).at("type").text() == "Sequence")
          list.at(i).refuse("a Sequence inside a Sequence is not supported");
        read(list.at(i));
      }
    } else {
      field.at("type").refuse(kSupported);
    }
  }
};

}  // namespace

PostProcessor read_post_processor(const Field& root) {
  Reader reader;
  if (root.has("post_processor")) reader.read(root.at("post_processor"));
  return reader.out;
}

}  // namespace diopter::text
