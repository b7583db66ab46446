"""10,000 random strings that between them hold what tokenizers trip over. Seeded: the same on every machine."""
import random

STRINGS = 10_000

# class -> inclusive ranges of code points
RANGES = {
    "latin": [(0x41, 0x5A), (0x61, 0x7A)],
    "latin accented": [(0x61, 0x7A), (0xC0, 0x24F), (0x1E00, 0x1EFF)],
    "cyrillic": [(0x400, 0x52F)],
    "greek": [(0x370, 0x3FF), (0x1F00, 0x1FFF)],
    "armenian and georgian": [(0x531, 0x58A), (0x10A0, 0x10FF)],
    "arabic": [(0x600, 0x6FF), (0x750, 0x77F), (0xFE70, 0xFEFF)],
    "hebrew": [(0x591, 0x5F4)],
    "devanagari": [(0x900, 0x97F)],
    "tamil and telugu": [(0xB80, 0xBFF), (0xC00, 0xC7F)],
    "thai": [(0xE01, 0xE5B)],
    "han": [(0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF)],
    "kana": [(0x3041, 0x30FF), (0xFF61, 0xFF9F)],
    "hangul": [(0xAC00, 0xD7A3), (0x1100, 0x11FF), (0x3131, 0x318E)],
    "combining marks": [(0x300, 0x36F), (0x20D0, 0x20F0), (0x483, 0x489), (0x610, 0x61A)],
    "punctuation": [(0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E), (0x2010, 0x2027), (0x3001, 0x3011)],
    "symbols": [(0x20A0, 0x20C0), (0x2190, 0x22FF), (0x2500, 0x27BF), (0xA1, 0xBF)],
    "digits": [(0x30, 0x39), (0x660, 0x669), (0x966, 0x96F), (0xFF10, 0xFF19), (0xE50, 0xE59)],
    "other numbers": [(0xB2, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE), (0x2150, 0x218B), (0x2460, 0x24FF), (0x3007, 0x3007),
                      (0x10107, 0x10133), (0x1D7CE, 0x1D7FF)],
    "controls": [(0x00, 0x1F), (0x7F, 0x9F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064), (0xFEFF, 0xFEFF)],
    "private use and non-characters": [(0xE000, 0xF8FF), (0xFFFE, 0xFFFF), (0xF0000, 0xFFFFD), (0x10FFFE, 0x10FFFF)],
    "beside the surrogates": [(0xD7FB, 0xD7FF), (0xE000, 0xE003), (0xFFFD, 0xFFFD), (0x10000, 0x10003)],
    "unassigned": [(0x378, 0x379), (0x2FE0, 0x2FEF), (0xE0080, 0xE00FF), (0x3FFF0, 0x3FFFD), (0x1FB00, 0x1FBFF)],
    "letters of Unicode 15 and 16": [(0x1C89, 0x1C8A), (0xA7CB, 0xA7CD), (0xA7DA, 0xA7DC), (0x105C0, 0x105F3),
                                     (0x11F00, 0x11F59), (0x13460, 0x143FA), (0x1E030, 0x1E06D), (0x1E4D0, 0x1E4F9),
                                     (0x2EBF0, 0x2EE5D), (0x31350, 0x323AF), (0x116D0, 0x116E3), (0x1CCF0, 0x1CCF9)],
    "any code point": [(0x0, 0xD7FF), (0xE000, 0x10FFFF)],
}
# Every character of White_Space, and U+180E, which some engines count too.
SPACES = [chr(c) for c in [9, 10, 11, 12, 13, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
                           0x205F, 0x3000, 0x180E]] + ["\r\n", "  ", "    ", "\t\t", "\n\n", "\u200b"]
EMOJI = ["😀", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇩🇪", "🇯🇵🇫🇷", "1️⃣", "❤️", "🧑🏿‍🚀", "⛷", "🫠", "🇩", "\u200d", "\ufe0f", "🏴\U000e0067\U000e0062\U000e007f"]
CONTRACTIONS = ["don't", "I'm", "we'll", "they've", "she'd", "it's", "you're", "'tis", "DON'T", "I'M", "rock'n'roll",
                "'s", "'S", "''s", "'ll'll", "s'", "'re're", "o'clock", "x'd've", "’s", "can’t", " 's", "'v", "'l", "'r"]
ADDED = ["<|endoftext|>", "<mask>", "<r>", "<|both|>", "yesterday", "<a>", "<a><b>", "two words", "Ġodd", "日本", "est",
         " x", "é", "<|endoftext", "endoftext|>", "<|", "|>", "<a", "two  words", "yesterdays", "Yesterday"]
WORDS = ["the", "store", "abc", "abcd", "bcd", "aabcdd", "bcbc", "yesterday", "Mary", "gave", "2026", "naïve", "x", "_id", "don",
         "éé", "Ġ", "ĠĠ", "Ċ", "hello_world", "foo.bar()", "http://a.b/c?d=1&e", "C++20", "1,234.56", "-", "..."]


def draw(rng, ranges):
    low, high = rng.choice(ranges)
    return chr(rng.randint(low, high))


def plain(rng, ranges):
    out = []
    for _ in range(rng.randint(1, 30)):
        roll = rng.random()
        if roll < 0.15:
            out.append(" ")
        elif roll < 0.18:
            out.append(rng.choice(SPACES))
        elif roll < 0.20:
            out.append(rng.choice("'.,!-1"))
        else:
            out.append(draw(rng, ranges))
    return "".join(out)


def from_lists(rng, *lists, glue=(" ", "", "  ", "\n")):
    out = []
    for _ in range(rng.randint(1, 10)):
        out.append(rng.choice(rng.choice(lists)))
        out.append(rng.choice(glue))
    return "".join(out[:-1] if rng.random() < 0.7 else out)


def everything(rng):
    out = []
    for _ in range(rng.randint(1, 25)):
        roll = rng.random()
        if roll < 0.5:
            out.append(draw(rng, RANGES[rng.choice(list(RANGES))]))
        else:
            out.append(rng.choice(rng.choice([SPACES, EMOJI, CONTRACTIONS, ADDED, WORDS])))
    return "".join(out)


def long_runs(rng):
    unit = rng.choice([" ", "a", "\n", "é", "日", "1", "!", "ab", " a", "\u3000", "abcd", "'s", "\t ", "<a>"])
    return rng.choice(["", "x", " "]) + unit * rng.randint(30, 400) + rng.choice(["", "y", " ", "\n"])


def strings():
    """Yields (class, text), STRINGS of them."""
    rng = random.Random(20260214)
    makers = {name: (lambda r=ranges: plain(rng, r)) for name, ranges in RANGES.items()}
    makers["white space"] = lambda: from_lists(rng, SPACES, WORDS, glue=("",))
    makers["white space only"] = lambda: from_lists(rng, SPACES, glue=("",))
    makers["emoji"] = lambda: from_lists(rng, EMOJI, EMOJI, WORDS)
    makers["contractions"] = lambda: from_lists(rng, CONTRACTIONS, CONTRACTIONS, WORDS)
    makers["added tokens"] = lambda: from_lists(rng, ADDED, ADDED, WORDS, SPACES, glue=(" ", "", "", "\u3000"))
    makers["words"] = lambda: from_lists(rng, WORDS)
    makers["long runs"] = lambda: long_runs(rng)
    makers["everything"] = lambda: everything(rng)
    names = list(makers)
    yield "empty", ""
    for number in range(STRINGS - 1):
        name = names[number % len(names)]
        yield name, makers[name]()
