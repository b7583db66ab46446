"""Expected ids, spans and decoded texts from the `tokenizers` library.

text_oracle.py OUTDIR [TOKENIZER_JSON | TOKENIZER_MODEL ...]

Files that do not exist are left out. Small tokenizers trained here are always there: one of each kind that people use
(text_oracle_kinds.py), variants that exercise the options of GPT-2's kind, and models trained by SentencePiece. OUTDIR gets
  strings.jsonl         {"class", "text"}: 20,000 seeded random strings
  index.json            [{"name", "file", "before", "after"}]
  NAME.encode.jsonl     one line per string: {"ids", "spans" (bytes, begin and end in turn), "decoded" (null: the text)}
  NAME.decode.jsonl     random ids: {"ids", "kept", "skipped"}
  classes.json          code points in each character class of tokenizers, as ranges
  forms.jsonl           {"text", "nfc", "nfd", "nfkc", "nfkd", "lower"} where one of them differs from the text
"""
import copy
import json
import os
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import text_oracle_strings
from text_oracle_kinds import kinds
from text_oracle_models import charsmap_of, document, sentencepiece_models, train, vocab_merges_folders
from text_strings import STRINGS, strings

RANDOM_ID_LISTS = 2000


def byte_spans(text, offsets):
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    return [at[edge] for offset in offsets for edge in offset]


def dump_lines(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")


def random_ids(tokenizer, rng):
    """Any order of tokens, so that characters are cut and joined in every way."""
    known = sorted(tokenizer.get_vocab(with_added_tokens=True).values())
    broken = [i for i in known if "\ufffd" in tokenizer.decode([i], skip_special_tokens=False)
              or tokenizer.id_to_token(i).startswith("<0x")] or known
    for _ in range(RANDOM_ID_LISTS):
        pool = rng.choice([known, broken])
        yield [rng.choice(pool) for _ in range(rng.randint(0, 12))]


def write(out, name, file, texts, load=None):
    tokenizer = Tokenizer.from_file(file)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    decoded = [tokenizer.decode(encoding.ids, skip_special_tokens=False) for encoding in encodings]
    dump_lines(f"{out}/{name}.encode.jsonl",
               ({"ids": encoding.ids, "spans": byte_spans(text, encoding.offsets), "decoded": None if text == back else back}
                for text, encoding, back in zip(texts, encodings, decoded)))
    dump_lines(f"{out}/{name}.decode.jsonl",
               ({"ids": ids, "kept": tokenizer.decode(ids, skip_special_tokens=False),
                 "skipped": tokenizer.decode(ids, skip_special_tokens=True)}
                for ids in random_ids(tokenizer, random.Random(7))))
    bare = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    at = next(i for i in range(len(framed)) if framed[i:i + len(bare)] == bare)
    return {"name": name, "file": os.path.abspath(load or file), "before": framed[:at], "after": framed[at + len(bare):]}


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


def members(points, test):
    return ranges([c for c in points if test(chr(c))])


def more_classes():
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    strip, punctuation = normalizers.StripAccents(), pre_tokenizers.Punctuation("removed")
    digits = pre_tokenizers.Digits(individual_digits=True)
    return {"marks": members(points, lambda c: strip.normalize_str(c) == ""),
            "punctuation": members(points, lambda c: not punctuation.pre_tokenize_str(c)),
            "numeric": members(points, lambda c: len(digits.pre_tokenize_str("a" + c)) == 2)}


def forms():
    """Every character alone, and each that may combine between two others."""
    steps = {"nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD(),
             "lower": normalizers.Lowercase()}
    for c in range(0x110000):
        if 0xD800 <= c < 0xE000:
            continue
        alone, between = chr(c), f"a\u0345{chr(c)}\u0334\u0301"
        moves = steps["nfd"].normalize_str(between) != between
        changes = any(steps[name].normalize_str(alone) != alone for name in ("nfkd", "lower", "nfc"))
        for text in [alone] * changes + [between] * moves:
            yield dict({name: step.normalize_str(text) for name, step in steps.items()}, text=text)


def main():
    out, files = sys.argv[1], [f for f in sys.argv[2:] if os.path.exists(f)]
    rows = list(strings()) + list(text_oracle_strings.more_strings())
    assert len(rows) == STRINGS + text_oracle_strings.STRINGS
    dump_lines(f"{out}/strings.jsonl", ({"class": c, "text": t} for c, t in rows))
    texts = [text for _, text in rows]
    training = texts[::5]
    prose = [t for c, t in rows if c in ("words", "code", "contractions", "cyrillic", "words with line breaks", "greek", "latin")]
    rules = charsmap_of(train(prose, vocab_size=1000, model_type="unigram"))
    contents = dict([*variants(trained(training)), *kinds(training, prose, rules)])

    def write_content(name, content, load=None):
        file = f"{out}/{name}.json"
        with open(file, "w", encoding="utf-8") as handle:
            json.dump(content, handle, ensure_ascii=False)
        return write(out, name, file, texts, load)

    index = [write_content(name, content) for name, content in contents.items()]
    for name, folder, content in vocab_merges_folders(out, contents):
        index.append(write_content(name, content, folder))
    models = list(sentencepiece_models(prose))
    for number, file in enumerate(files):
        if file.endswith(".model"):
            with open(file, "rb") as handle:
                models.append((f"given{number}", handle.read()))
        else:
            index.append(write(out, f"given{number}", file, texts))
    for name, model in models:
        with open(f"{out}/{name}.model", "wb") as handle:
            handle.write(model)
        index.append(write_content(name, document(model), f"{out}/{name}.model"))
    with open(f"{out}/classes.json", "w") as handle:
        json.dump(dict(classes(), **more_classes()), handle)
    dump_lines(f"{out}/forms.jsonl", forms())
    with open(f"{out}/index.json", "w") as handle:
        json.dump(index, handle, indent=1)


if __name__ == "__main__":
    main()
