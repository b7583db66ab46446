// diopter model convert MODEL FOLDER: any layout that is read -> one that transformers reads.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/host_verbs.hpp"
#include "cli/output.hpp"
#include "exec/convert_model.hpp"

namespace diopter::cli {
namespace {

struct ConvertFlags {
  CommonFlags common;
  std::string model, folder, family, dtype = "float32";
  std::vector<std::string> transforms;
};

int convert(const ConvertFlags& flags) {
  const exec::Conversion made = exec::convert_model({.model = exec::find_model(flags.model),
                                                     .folder = flags.folder,
                                                     .family = flags.family,
                                                     .dtype = flags.dtype,
                                                     .transforms = flags.transforms});
  if (flags.common.format() == Format::Json) {
    base::Json files = base::Json::array();
    for (const auto& file : made.files) files.push_back(file.string());
    write_json({{"schema", "diopter.convert/1"},
                {"folder", flags.folder},
                {"from", made.from},
                {"to", made.to},
                {"dtype", flags.dtype},
                {"transforms", flags.transforms},
                {"parameters", made.parameters},
                {"files", files},
                {"largest_logit", made.largest_logit},
                {"logits", made.logits}});
    return 0;
  }
  std::string names;
  for (const auto& file : made.files) names += (names.empty() ? "" : ", ") + file.string();
  write_stdout(fmt::format(
      "{}: {} of {} parameters in {}, from {}\n  {}\n  read back: logits up to {:.3g}, differ by at most {:.2g}\n",
      flags.folder, made.to, with_thousands(made.parameters), flags.dtype, made.from, names, made.largest_logit,
      made.logits));
  return 0;
}

}  // namespace

void add_model_convert(CLI::App& group, Action& action) {
  auto flags = std::make_shared<ConvertFlags>();
  CLI::App* verb =
      group.add_subcommand("convert", "Write a model, of any layout that is read, as a Hugging Face folder");
  verb->add_option("model", flags->model, "organism, a folder, a file of weights, or a hub id")->required();
  verb->add_option("folder", flags->folder, "to be made")->required();
  verb->add_option("--as", flags->family, "another family's layout: gpt2, llama, hooked_transformer ...")
      ->type_name("FAMILY");
  verb->add_option("--dtype", flags->dtype, "of the weights written: float32, bfloat16 or float16")
      ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
  verb->add_option("--transforms", flags->transforms, "weight transforms, as in a manifest")
      ->delimiter(',')
      ->type_name("NAME,...");
  flags->common.add_to(*verb);
  verb->callback([flags, &action] { action = [flags] { return convert(*flags); }; });
}

}  // namespace diopter::cli
