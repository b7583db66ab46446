#include "text/sentencepiece_file.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "text/characters.hpp"
#include "text/charsmap.hpp"
#include "text/protobuf_reader.hpp"

namespace diopter::text {
namespace {

using base::Json;
using Wire = ProtobufReader::Wire;

// SentencePiece's own numbers (sentencepiece_model.proto).
enum class PieceType { Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6 };
enum class ModelType { Unigram = 1, Bpe = 2, Word = 3, Char = 4 };

constexpr std::size_t kLongestPiece = 4096;  // bytes; all ways to cut a piece are tried

struct Piece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::Normal;
};

struct SentencePieceModel {
  std::vector<Piece> pieces;
  ModelType type = ModelType::Unigram;
  bool byte_fallback = false, space_as_suffix = false;
  std::string rules;
  bool add_dummy_prefix = true, remove_extra_spaces = true, escape_spaces = true;
};

[[noreturn]] void refuse_model(const std::string& origin, const std::string& why) {
  throw base::UserError(base::Exit::Refused, origin + ": " + why,
                        "Give a tokenizer.json instead: AutoTokenizer.from_pretrained(...).save_pretrained(DIRECTORY)",
                        "tokenizer.model");
}

Piece read_piece(std::string_view message) {
  Piece out;
  ProtobufReader reader(message);
  for (ProtobufReader::Field field; reader.next(field);) {
    if (field.tag == 1 && field.wire == Wire::Bytes) out.text = field.bytes;
    if (field.tag == 2 && field.wire == Wire::Fixed32) out.score = field.real();
    if (field.tag == 3 && field.wire == Wire::Number) out.type = static_cast<PieceType>(field.integer());
  }
  return out;
}

void read_trainer_spec(std::string_view message, SentencePieceModel& out) {
  ProtobufReader reader(message);
  for (ProtobufReader::Field field; reader.next(field);) {
    if (field.wire != Wire::Number) continue;
    if (field.tag == 3) out.type = static_cast<ModelType>(field.integer());
    if (field.tag == 24) out.space_as_suffix = field.flag();
    if (field.tag == 35) out.byte_fallback = field.flag();
  }
}

void read_normalizer_spec(std::string_view message, SentencePieceModel& out) {
  ProtobufReader reader(message);
  for (ProtobufReader::Field field; reader.next(field);) {
    if (field.tag == 2 && field.wire == Wire::Bytes) out.rules = field.bytes;
    if (field.wire != Wire::Number) continue;
    if (field.tag == 3) out.add_dummy_prefix = field.flag();
    if (field.tag == 4) out.remove_extra_spaces = field.flag();
    if (field.tag == 5) out.escape_spaces = field.flag();
  }
}

SentencePieceModel read_proto(std::string_view bytes) {
  SentencePieceModel out;
  ProtobufReader reader(bytes);
  for (ProtobufReader::Field field; reader.next(field);) {
    if (field.wire != Wire::Bytes) continue;
    if (field.tag == 1) out.pieces.push_back(read_piece(field.bytes));
    if (field.tag == 2) read_trainer_spec(field.bytes, out);
    if (field.tag == 3) read_normalizer_spec(field.bytes, out);
  }
  return out;
}

using Ids = std::unordered_map<std::string_view, std::size_t>;

Ids check(const SentencePieceModel& model, const std::string& origin) {
  if (model.pieces.empty()) refuse_model(origin, "it has no pieces; expected a SentencePiece model");
  if (model.type != ModelType::Unigram && model.type != ModelType::Bpe) {
    refuse_model(origin, "its model type is " + std::to_string(static_cast<std::int64_t>(model.type)) +
                             "; supported: 1 (Unigram), 2 (BPE)");
  }
  if (model.space_as_suffix) refuse_model(origin, "it treats white space as suffix, which is not supported");
  if (!model.rules.empty() && !Charsmap::parse(model.rules)) refuse_model(origin, "its normalisation rules are broken");
  Ids ids;
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    const std::string name = "piece " + std::to_string(id) + " ('" + base::printable(piece.text, 40) + "') ";
    if (piece.text.empty() || base::invalid_utf8_offset(piece.text)) refuse_model(origin, name + "is not UTF-8 text");
    if (piece.text.size() > kLongestPiece) refuse_model(origin, name + "is longer than any known one");
    if (piece.score != piece.score) refuse_model(origin, name + "has no number as score");
    if (piece.type < PieceType::Normal || piece.type > PieceType::Byte || piece.type == PieceType::Unused) {
      refuse_model(origin, name + "is of type " + std::to_string(static_cast<std::int64_t>(piece.type)) +
                               "; supported: 1 to 4 and 6");
    }
    if (!ids.emplace(piece.text, id).second) refuse_model(origin, name + "occurs twice");
  }
  return ids;
}

struct ScoredMerge {
  float score;
  std::size_t left_characters, right_characters;
  std::string_view left, right;
};

// By falling score of what they make, then by falling length; those of one piece in the order of their parts' ids.
Json merges_of(const SentencePieceModel& model, const Ids& ids) {
  const auto ordinary = [&](std::string_view text) {
    const auto found = ids.find(text);
    return found != ids.end() && model.pieces[found->second].type == PieceType::Normal;
  };
  std::vector<ScoredMerge> all;
  for (const Piece& piece : model.pieces) {
    if (piece.type != PieceType::Normal) continue;
    const std::string_view text = piece.text;
    const std::size_t characters = base::code_points(text).size(), first = all.size();
    std::size_t left_characters = 0;
    for (std::size_t cut = character_size(text[0]); cut < text.size(); cut += character_size(text[cut])) {
      ++left_characters;
      const std::string_view left = text.substr(0, cut), right = text.substr(cut);
      if (ordinary(left) && ordinary(right)) {
        all.push_back({piece.score, left_characters, characters - left_characters, left, right});
      }
    }
    std::sort(all.begin() + static_cast<std::ptrdiff_t>(first), all.end(), [&](const auto& a, const auto& b) {
      return std::pair(ids.at(a.left), ids.at(a.right)) < std::pair(ids.at(b.left), ids.at(b.right));
    });
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return std::tie(a.score, a.left_characters, a.right_characters) >
           std::tie(b.score, b.left_characters, b.right_characters);
  });
  Json out = Json::array();
  for (const auto& merge : all) out.push_back(Json::array({merge.left, merge.right}));
  return out;
}

Json model_document(const SentencePieceModel& model, const Ids& ids) {
  const auto unknown = std::find_if(model.pieces.begin(), model.pieces.end(),
                                    [](const Piece& piece) { return piece.type == PieceType::Unknown; });
  const bool known = unknown != model.pieces.end();
  Json out = {{"byte_fallback", model.byte_fallback}};
  if (model.type == ModelType::Unigram) {
    out["type"] = "Unigram";
    out["vocab"] = Json::array();
    for (const Piece& piece : model.pieces) {
      out["vocab"].push_back(Json::array({piece.text, static_cast<double>(piece.score)}));
    }
    if (known) out["unk_id"] = static_cast<std::size_t>(unknown - model.pieces.begin());
    return out;
  }
  out["type"] = "BPE";
  out["fuse_unk"] = true;
  out["vocab"] = Json::object();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) out["vocab"][model.pieces[id].text] = id;
  out["merges"] = merges_of(model, ids);
  if (known) out["unk_token"] = unknown->text;
  return out;
}

Json replace_document(const char* kind, const char* pattern, const char* content) {
  return {{"type", "Replace"}, {"pattern", {{kind, pattern}}}, {"content", content}};
}

Json normalizer_document(const SentencePieceModel& model) {
  Json steps = Json::array();
  if (!model.rules.empty())
    steps.push_back({{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(model.rules)}});
  if (model.remove_extra_spaces) {
    steps.push_back(
        replace_document("Regex", "(?<!.|\\n) +| +(?!.|\\n)", ""));  // spaces at the ends, no other white space
    steps.push_back(replace_document("Regex", " {2,}", " "));
  }
  if (model.add_dummy_prefix) steps.push_back({{"type", "Prepend"}, {"prepend", model.escape_spaces ? "\u2581" : " "}});
  if (model.escape_spaces) steps.push_back(replace_document("String", " ", "\u2581"));
  return {{"type", "Sequence"}, {"normalizers", steps}};
}

Json decoder_document(const SentencePieceModel& model) {
  Json steps = Json::array({replace_document("String", "\u2581", " ")});
  if (model.byte_fallback) steps.push_back({{"type", "ByteFallback"}});
  steps.push_back({{"type", "Fuse"}});
  if (model.add_dummy_prefix) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1u}, {"stop", 0u}});
  return {{"type", "Sequence"}, {"decoders", steps}};
}

Json added_document(const SentencePieceModel& model) {
  Json out = Json::array();
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    const Piece& piece = model.pieces[id];
    if (piece.type == PieceType::Normal || piece.type == PieceType::Byte) continue;
    out.push_back({{"id", id},
                   {"content", piece.text},
                   {"single_word", false},
                   {"lstrip", false},
                   {"rstrip", false},
                   {"normalized", false},
                   {"special", piece.type != PieceType::UserDefined}});
  }
  return out;
}

}  // namespace

Json sentencepiece_document(std::string_view bytes, const std::string& origin) {
  SentencePieceModel model;
  try {
    model = read_proto(bytes);
  } catch (const ProtobufError& error) {
    refuse_model(origin, std::string("this is not a SentencePiece model: ") + error.what());
  }
  const Ids ids = check(model, origin);
  return {{"version", "1.0"},
          {"added_tokens", added_document(model)},
          {"normalizer", normalizer_document(model)},
          {"pre_tokenizer", nullptr},
          {"post_processor", nullptr},
          {"decoder", decoder_document(model)},
          {"model", model_document(model, ids)}};
}

}  // namespace diopter::text
