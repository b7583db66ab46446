"""Expected ids, spans and decoded texts from the `tokenizers` library.

text_oracle.py OUTDIR [TOKENIZER_JSON ...]

Files that do not exist are left out; a small tokenizer trained here, and variants of it that exercise every option
diopter reads, are always there. OUTDIR gets
  strings.jsonl         {"class", "text"}: 10,000 seeded random strings
  index.json            [{"name", "file", "before", "after"}]
  NAME.encode.jsonl     one line per string: {"ids", "spans" (bytes), "decoded"}
  NAME.decode.jsonl     random ids: {"ids", "kept", "skipped"}
  classes.json          code points that tokenizers takes as \\p{L}, \\p{N}, \\s and as part of a word, as ranges
"""
import copy
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from text_strings import STRINGS, strings

RANDOM_ID_LISTS = 2000


def byte_spans(text, offsets):
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    return [[at[begin], at[end]] for begin, end in offsets]


def dump_lines(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def random_ids(tokenizer, rng):
    """Any order of tokens, so that characters are cut and joined in every way."""
    known = sorted(tokenizer.get_vocab(with_added_tokens=True).values())
    broken = [i for i in known if "\ufffd" in tokenizer.decode([i], skip_special_tokens=False)]
    for _ in range(RANDOM_ID_LISTS):
        pool = rng.choice([known, broken])
        yield [rng.choice(pool) for _ in range(rng.randint(0, 12))]


def write(out, name, file, texts):
    tokenizer = Tokenizer.from_file(file)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    rows = []
    for text in texts:
        encoding = tokenizer.encode(text, add_special_tokens=False)
        rows.append({"ids": encoding.ids, "spans": byte_spans(text, encoding.offsets),
                     "decoded": tokenizer.decode(encoding.ids, skip_special_tokens=False)})
    dump_lines(f"{out}/{name}.encode.jsonl", rows)
    dump_lines(f"{out}/{name}.decode.jsonl",
               ({"ids": ids, "kept": tokenizer.decode(ids, skip_special_tokens=False),
                 "skipped": tokenizer.decode(ids, skip_special_tokens=True)}
                for ids in random_ids(tokenizer, random.Random(7))))
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    at = next(i for i in range(len(framed)) if framed[i:i + len(bare)] == bare)
    return {"name": name, "file": os.path.abspath(file), "before": framed[:at], "after": framed[at + len(bare):]}


def trained(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1500, special_tokens=["<|endoftext|>"], show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def variants(base):
    """name -> tokenizer.json content."""
    def byte_level(**changes):
        return dict({"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}, **changes)

    plain = json.loads(base.to_str())
    yield "trained", plain

    # Merges in the older notation, three ways to the same token, a rank given twice, a prefix space, trimmed offsets.
    prefix = copy.deepcopy(plain)
    model = prefix["model"]
    for token in ["ab", "bc", "abc", "abcd", "cd", "bcd"]:
        if token not in model["vocab"]:
            model["vocab"][token] = len(model["vocab"])
    model["merges"] += [["b", "c"], ["a", "bc"], ["a", "b"], ["ab", "c"], ["abc", "d"], ["c", "d"], ["b", "cd"],
                        ["ab", "cd"], ["a", "bcd"], ["b", "c"]]
    model["merges"] = [" ".join(pair) for pair in model["merges"]]
    prefix["pre_tokenizer"] = byte_level(add_prefix_space=True)
    prefix["post_processor"] = byte_level(add_prefix_space=True)
    yield "prefix", prefix

    whole = copy.deepcopy(plain)
    model = whole["model"]
    for token in ["Ġyesterday", "yesterday", "Ġ" * 7, "Ã©Ã©", "don", "'tis"]:
        if token not in model["vocab"]:
            model["vocab"][token] = len(model["vocab"])
    model["ignore_merges"] = True
    whole["pre_tokenizer"] = byte_level(use_regex=False)
    whole["post_processor"] = {"type": "Sequence", "processors": [
        byte_level(add_prefix_space=False),
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}}}]}
    yield "whole_words", whole

    added = Tokenizer.from_str(json.dumps(plain))
    added.add_special_tokens([AddedToken("<mask>", lstrip=True), AddedToken("<r>", rstrip=True, normalized=True),
                              AddedToken("<|both|>", lstrip=True, rstrip=True)])
    added.add_tokens([AddedToken("yesterday", single_word=True), AddedToken("<a>"), AddedToken("<a><b>"),
                      AddedToken("two words", normalized=False), AddedToken("Ġodd"), AddedToken("日本"),
                      AddedToken("est", single_word=True, lstrip=True, normalized=False), AddedToken(" x", rstrip=True),
                      AddedToken("é")])
    content = json.loads(added.to_str())
    content["post_processor"] = {"type": "RobertaProcessing", "sep": ["<r>", added.token_to_id("<r>")],
                                 "cls": ["<|endoftext|>", 0], "trim_offsets": True, "add_prefix_space": False}
    yield "added", content


def ranges(members):
    out = []
    for c in members:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def classes():
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    text = "".join(map(chr, points))
    out = {}
    for name, pattern in [("letters", r"\p{L}+"), ("numbers", r"\p{N}+"), ("white_space", r"\s+")]:
        rest = pre_tokenizers.Split(Regex(pattern), behavior="removed").pre_tokenize_str(text)
        outside = {c for _, (begin, end) in rest for c in points[begin:end]}
        out[name] = ranges([c for c in points if c not in outside])
    # A single_word token is recognised before any character that is not part of a word; other bytes give no token here.
    tokenizer = Tokenizer(models.BPE(vocab={}, merges=[]))
    tokenizer.add_tokens([AddedToken("Z", single_word=True)])
    found = tokenizer.encode_batch(["Z" + chr(c) for c in points])
    out["word"] = ranges([c for c, encoding in zip(points, found) if not encoding.ids])
    return out


def main():
    out, files = sys.argv[1], [f for f in sys.argv[2:] if os.path.exists(f)]
    rows = list(strings())
    assert len(rows) == STRINGS
    dump_lines(f"{out}/strings.jsonl", ({"class": c, "text": t} for c, t in rows))
    texts = [text for _, text in rows]
    index = []
    for name, content in variants(trained(texts[::5])):
        file = f"{out}/{name}.json"
        with open(file, "w", encoding="utf-8") as handle:
            json.dump(content, handle, ensure_ascii=False)
        index.append(write(out, name, file, texts))
    for number, file in enumerate(files):
        index.append(write(out, f"given{number}", file, texts))
    with open(f"{out}/classes.json", "w") as handle:
        json.dump(classes(), handle)
    with open(f"{out}/index.json", "w") as handle:
        json.dump(index, handle, indent=1)


if __name__ == "__main__":
    main()
