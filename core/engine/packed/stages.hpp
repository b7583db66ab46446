// At which stage of a block an edit enters.
#pragma once

#include <algorithm>
#include <array>
#include <span>

#include <diopter/hook_name.hpp>

namespace diopter::engine::stages {

// Between the stream and q, k, v: recomputed from resid_pre.
inline constexpr std::array kRead = {Point::AttnIn, Point::QInput,   Point::KInput,
                                     Point::VInput, Point::Ln1Scale, Point::Ln1Normalized};
// Of those, what a head reads apart from the others.
inline constexpr std::array kInputs = {Point::AttnIn, Point::QInput, Point::KInput, Point::VInput};
// From q, k, v as projected to what attention reads.
inline constexpr std::array kRaw = {Point::Q,
                                    Point::K,
                                    Point::V,
                                    Point::QNormScale,
                                    Point::QNormNormalized,
                                    Point::KNormScale,
                                    Point::KNormNormalized,
                                    Point::RotQ,
                                    Point::RotK};
inline constexpr std::array kPairs = {Point::AttnScores, Point::Pattern};
// From z to attn_out: recomputed from z.
inline constexpr std::array kHeads = {Point::Z, Point::Result, Point::Ln1PostScale, Point::Ln1PostNormalized};
// Between the stream and the neurons: recomputed from what the MLP reads.
inline constexpr std::array kMlp = {Point::MlpIn, Point::Ln2Scale, Point::Ln2Normalized};
// The neurons, before and after their activation, and what follows their sum: recomputed from the neurons.
inline constexpr std::array kNeurons = {Point::MlpPre, Point::MlpPreLinear, Point::MlpPost, Point::Ln2PostScale,
                                        Point::Ln2PostNormalized};

inline bool in(std::span<const Point> points, Point point) {
  return std::find(points.begin(), points.end(), point) != points.end();
}

// Of the points before attention: whether queries read what is edited there, whether keys and values do.
inline bool reaches_queries(Point point) {
  switch (point) {
    case Point::AttnIn:
    case Point::QInput:
    case Point::Ln1Scale:
    case Point::Ln1Normalized:
    case Point::Q:
    case Point::QNormScale:
    case Point::QNormNormalized:
    case Point::RotQ: return true;
    default: return false;
  }
}
inline bool reaches_keys(Point point) {
  switch (point) {
    case Point::AttnIn:
    case Point::KInput:
    case Point::VInput:
    case Point::Ln1Scale:
    case Point::Ln1Normalized:
    case Point::K:
    case Point::V:
    case Point::KNormScale:
    case Point::KNormNormalized:
    case Point::RotK: return true;
    default: return false;
  }
}
inline bool is_stream_before(Point point) {
  return point == Point::Embed || point == Point::PosEmbed || point == Point::ResidPre;
}
inline bool is_stream_inside(Point point) { return point == Point::ResidMid || point == Point::ResidPost; }
inline bool after_blocks(Point point) {
  return point == Point::LnFinalScale || point == Point::LnFinalNormalized || point == Point::UnembedIn ||
         point == Point::UnembedOut;
}

}  // namespace diopter::engine::stages
