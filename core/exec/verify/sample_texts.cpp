#include "exec/verify/sample_texts.hpp"

namespace diopter::exec {

std::vector<std::string> sample_texts() {
  return {"When Mary and John went to the store, John gave a drink to",
          " leading space",
          "trailing space ",
          "two  spaces   three",
          "\ttab\nline\r\nCRLF\n\n\nthree lines",
          " \n \t ",
          "",
          "I'll we've they're isn't I'D HE'S",
          "can\u2019t won\u2019t",
          "state-of-the-art (2024), 3.14159; 1,000,000!",
          "0123456789 12 345 6789 00000",
          "C++20 x[i]->y != z && a<<=2; // comment",
          "def f(x):\n    return x ** 2\n",
          "https://example.org/a/b?c=d&e=f#g mail@example.org",
          "ALLCAPS MixedCase camelCase snake_case",
          "\u00e9t\u00e9 na\u00efve \u00fcber \u00df \u00c5ngstr\u00f6m",
          "e\u0301 combining a\u030a\u0323",
          "\u0301lone mark",
          "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440",
          "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5 \u039a\u03cc\u03c3\u03bc\u03b5",
          "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
          "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
          "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
          "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
          "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c",
          "\uc548\ub155\ud558\uc138\uc694 \uc138\uacc4",
          "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01",
          "\U0001f600\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
          "\u2581\u2581underline",
          "\u00a0no-break\u2003em\u3000ideographic",
          "\u200bzero\u200dwidth\ufeff",
          "\u2160\u00bd\u00b2\u2103 \ufb01ne",
          "math: \u2200x\u2208\u211d, \u222b\u2080\u00b9 x\u00b2 dx = \u2153",
          "<|endoftext|> <s> </s> <unk> [MASK] <bos>",
          std::string("nul\0inside", 10)};
}

}  // namespace diopter::exec
