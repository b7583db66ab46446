// Unicode's normalisation forms (UAX 15) of a text, with the origin of each character kept.
#pragma once

#include "text/aligned_text.hpp"

namespace diopter::text {

enum class NormalForm { C, D, KC, KD };

// Characters newer than Unicode 9 stay as they are and combine with nothing, as in the tokenizers library. [any thread]
void to_normal_form(AlignedText& text, NormalForm form);

}  // namespace diopter::text
