"""10,000 more random strings, for normalisers and for tokenizers made by SentencePiece. Seeded."""
import random

from text_strings import ADDED, CONTRACTIONS, EMOJI, RANGES, SPACES, WORDS, draw, from_lists

STRINGS = 10_000

# Scripts that RANGES lacks, and what normalisation changes.
MORE = {
    "bengali": [(0x980, 0x9FF)],
    "gurmukhi and gujarati": [(0xA00, 0xAFF)],
    "kannada and malayalam": [(0xC80, 0xD7F)],
    "sinhala": [(0xD80, 0xDFF)],
    "lao and tibetan": [(0xE80, 0xEFF), (0xF00, 0xFFF)],
    "myanmar and khmer": [(0x1000, 0x109F), (0x1780, 0x17FF)],
    "ethiopic and cherokee": [(0x1200, 0x139F), (0x13A0, 0x13FF), (0xAB70, 0xABBF)],
    "mongolian": [(0x1800, 0x18AF)],
    "syriac and thaana": [(0x700, 0x74F), (0x780, 0x7BF)],
    "brahmi and other old scripts": [(0x11000, 0x1107F), (0x11080, 0x110CF), (0x11900, 0x11959), (0x12000, 0x1209F)],
    "hangul jamo": [(0x1100, 0x1175), (0x11A8, 0x11C2), (0xAC00, 0xAC50), (0x11A7, 0x11A7)],
    "composed and decomposed": [(0xC0, 0x17F), (0x41, 0x5A), (0x61, 0x7A), (0x300, 0x345), (0x1EA0, 0x1EF9), (0x300, 0x304)],
    "lone combining marks": [(0x300, 0x36F), (0x5B0, 0x5BD), (0x64B, 0x65F), (0x93C, 0x94D), (0x1AB0, 0x1ACE),
                             (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0x302A, 0x302F), (0x3099, 0x309A), (0x1D165, 0x1D172)],
    "kana with marks": [(0x3041, 0x3096), (0x3099, 0x309C), (0x30A1, 0x30FA), (0xFF66, 0xFF9F)],
    "compatibility": [(0xFB00, 0xFB4F), (0xFF01, 0xFF5E), (0x2460, 0x24FF), (0x3200, 0x33FF), (0x1D400, 0x1D7FF),
                      (0x2100, 0x214F), (0x1F100, 0x1F1AD), (0xF900, 0xFAD9), (0xFE30, 0xFE6B), (0xA0, 0xBE), (0x2F800, 0x2FA1D)],
    "case": [(0x130, 0x131), (0x17F, 0x17F), (0x1E9E, 0x1E9E), (0xDF, 0xDF), (0x212A, 0x212B), (0x10400, 0x1044F),
             (0x1C89, 0x1C8A), (0xA7CB, 0xA7DC), (0x10D50, 0x10D65), (0x41, 0x5A), (0x3A3, 0x3A3), (0x1F80, 0x1FFC)],
    "combining in Unicode 9 or later": [(0x11930, 0x11938), (0x1E030, 0x1E06D), (0x10780, 0x107BA), (0x898, 0x89F),
                                        (0x1CF0, 0x1CFA), (0x32FF, 0x32FF), (0x1FBF0, 0x1FBF9), (0x61, 0x65)],
    "punctuation of all kinds": [(0x2010, 0x205E), (0x2E00, 0x2E5D), (0x3001, 0x301F), (0xFE50, 0xFE6B), (0x55A, 0x55F),
                                 (0x21, 0x2F), (0x5B, 0x60), (0xA1, 0xBF), (0x166D, 0x166E), (0x111C5, 0x111CF)],
    "numbers of all kinds": [(0x30, 0x39), (0x660, 0x669), (0x2160, 0x2188), (0x3021, 0x3029), (0x11DE0, 0x11DE9),
                             (0x16FF4, 0x16FF6), (0x1D7CE, 0x1D7FF), (0x10D40, 0x10D49), (0xBC, 0xBE), (0x4E00, 0x4E0A)],
}
BREAKS = ["\r\n", "\r", "\n", "\n\n", "\r\n\r\n", "\n\r", "\t", "\u2028", "\x0b", "\x0c", " \r\n ", "\u0085"]
MARKS = ["▁", "▁▁", " ▁", "▁ ", "▁▁▁▁", "▁the", "a▁b", "▁ ▁", "▁\n", " ", "  ", "   "]
SPELLED = ["<0x0A>", "<0x41>", "<0xE2>", "<0x0a>", "<unk>", "<s>", "</s>", "<pad>", "<bos>", "<0xFF>", "<0x", "[MASK]", "<extra_id_0>"]
CHAT = ["<|begin_of_text|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>", "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>",
        "<|im_start", "[INST", "<mask>", "  <mask>", "<norm>", "<NORM>", "Ünïted", "ünïted", "<|start_header_id|>user<|end_header_id|>\n\n"]
CODE = ["for (int i = 0; i < n; ++i) {\n", "    return x_1;\n", "\t\tif a != b:", "// comment ", "x+=1", "0x1F600", "3.14159", "1234567",
        "``quoted''", "''", "\"q\"", "a.b.c", "#include <x>", "SELECT * FROM t;", "  \n  ", "}\n\n\n", "1,000,000", "2026-02-14"]


def mixed(rng, ranges):
    out = []
    for _ in range(rng.randint(1, 24)):
        roll = rng.random()
        if roll < 0.12:
            out.append(" ")
        elif roll < 0.15:
            out.append(rng.choice(SPACES))
        elif roll < 0.18:
            out.append(rng.choice(MARKS))
        elif roll < 0.25:
            out.append(chr(rng.randint(0x61, 0x7A)))
        else:
            out.append(draw(rng, ranges))
    return "".join(out)


def marks_on_anything(rng):
    out = []
    for _ in range(rng.randint(1, 8)):
        out.append(draw(rng, RANGES[rng.choice(["latin", "latin accented", "greek", "kana", "hangul", "cyrillic"])]))
        for _ in range(rng.randint(0, 5)):
            out.append(draw(rng, MORE["lone combining marks"]))
    return "".join(out)


def everything(rng):
    out = []
    for _ in range(rng.randint(1, 25)):
        if rng.random() < 0.5:
            ranges = rng.choice([RANGES, MORE])
            out.append(draw(rng, ranges[rng.choice(list(ranges))]))
        else:
            out.append(rng.choice(rng.choice([SPACES, EMOJI, CONTRACTIONS, ADDED, WORDS, BREAKS, MARKS, SPELLED, CHAT, CODE])))
    return "".join(out)


def more_strings():
    """Yields (class, text), STRINGS of them."""
    rng = random.Random(20261122)
    makers = {name: (lambda r=ranges: mixed(rng, r)) for name, ranges in MORE.items()}
    makers["marks on anything"] = lambda: marks_on_anything(rng)
    makers["line breaks"] = lambda: from_lists(rng, BREAKS, WORDS, SPACES, glue=("", " "))
    makers["U+2581"] = lambda: from_lists(rng, MARKS, WORDS, glue=("", " ", "  "))
    makers["spelled bytes and specials"] = lambda: from_lists(rng, SPELLED, WORDS, EMOJI, glue=("", " "))
    makers["chat"] = lambda: from_lists(rng, CHAT, WORDS, SPACES, glue=("", " ", "\n"))
    makers["code"] = lambda: from_lists(rng, CODE, WORDS, glue=("", " ", "\n"))
    makers["words with line breaks"] = lambda: from_lists(rng, WORDS, CONTRACTIONS, BREAKS)
    makers["everything more"] = lambda: everything(rng)
    names = list(makers)
    for number in range(STRINGS):
        name = names[number % len(names)]
        yield name, makers[name]()
