#include "loss_history.hpp"

#include <fstream>

#include <diopter/error.hpp>
#include <nlohmann/json.hpp>

namespace training {

void LossHistory::add(double summed_loss, diopter::Index targets, double seconds) {
  open_.loss += summed_loss;
  open_.targets += targets;
  open_.seconds += seconds;
}

LossHistory::Point LossHistory::close(diopter::Index step) {
  const auto targets = static_cast<double>(open_.targets);
  points_.push_back({step, open_.loss / targets, targets / open_.seconds});
  open_ = {};
  return points_.back();
}

void LossHistory::write(const diopter::Path& file, diopter::Index steps) const {
  nlohmann::json all = {
      {"steps", steps}, {"open", {open_.loss, open_.targets, open_.seconds}}, {"points", nlohmann::json::array()}};
  for (const Point& point : points_) all["points"].push_back({point.step, point.loss, point.tokens_per_second});
  diopter::Path made = file;
  made += ".new";
  std::ofstream out(made, std::ios::trunc);
  out << all.dump();
  out.close();
  if (!out) throw diopter::Error("cannot write " + made.string() + "; is the disk full?");
  std::filesystem::rename(made, file);
}

void LossHistory::read(const diopter::Path& file, diopter::Index steps) {
  std::ifstream in(file);
  if (!in) return;
  const nlohmann::json all = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (all.is_discarded())
    throw diopter::Error(file.string() + " is damaged; remove the checkpoint beside it to start again.");
  for (const auto& point : all.at("points")) {
    if (point.at(0) <= steps) points_.push_back({point.at(0), point.at(1), point.at(2)});
  }
  if (all.at("steps") != steps) return;
  open_ = {.loss = all.at("open").at(0), .seconds = all.at("open").at(2), .targets = all.at("open").at(1)};
}

}  // namespace training
