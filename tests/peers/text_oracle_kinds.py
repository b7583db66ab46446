"""Small tokenizers of each kind that people use: yields (name, tokenizer.json content)."""
import json

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|"
            r"\s*[\r\n]+|\s+(?!\S)|\s+")
BLOOM = r" ?[^(\s|[.,!?…。，、।۔،])]+"


def added(id, content, special=True, **flags):
    return dict({"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": not special,
                 "special": special}, **flags)


def template(before, after):
    """before, after: [(content, id)]"""
    return {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": t, "type_id": 0}} for t, _ in before] + [{"Sequence": {"id": "A", "type_id": 0}}]
            + [{"SpecialToken": {"id": t, "type_id": 0}} for t, _ in after],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [i], "tokens": [t]} for t, i in before + after}}


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def byte_level_kind(texts, pre_tokenizer, normalizer=None, vocab_size=1500):
    tokenizer = Tokenizer(models.BPE())
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False,
                                                             initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return json.loads(tokenizer.to_str())


def byte_level_kinds(texts):
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    sequence = pre_tokenizers.Sequence

    llama3 = byte_level_kind(texts, sequence([split(LLAMA3), byte_level]))
    llama3["model"]["ignore_merges"] = True
    vocab = llama3["model"]["vocab"]
    for token in ["Ġyesterday", "ĠabcdĠ", "ĊĊĊĊ", "Ã©Ã©", "naÃ¯ve"]:
        vocab.setdefault(token, len(vocab))
    specials = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>"]
    llama3["added_tokens"] = [added(len(vocab) + i, t) for i, t in enumerate(specials)]
    llama3["post_processor"] = {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        template([("<|begin_of_text|>", len(vocab))], [])]}
    yield "llama3", llama3

    qwen2 = byte_level_kind(texts, sequence([split(QWEN2), byte_level]), normalizers.NFC())
    size = len(qwen2["model"]["vocab"])
    qwen2["added_tokens"] = [added(size, "<|im_start|>"), added(size + 1, "<|im_end|>"),
                             added(size + 2, "<mask>", special=False, lstrip=True, normalized=False),
                             added(size + 3, "Ünïted", special=False, normalized=True, single_word=True),
                             added(size + 4, "é", special=False, normalized=True)]
    qwen2["post_processor"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    yield "qwen2", qwen2

    yield "o200k", byte_level_kind(texts, sequence([split(O200K), byte_level]))
    yield "deepseek", byte_level_kind(texts, sequence([
        split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK), byte_level]))
    yield "bloom", byte_level_kind(texts, sequence([split(BLOOM), byte_level]))
    # The symbols of ByteLevel are cut again after it.
    yield "falcon", byte_level_kind(texts, sequence([
        pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(False),
        split("[0-9][0-9][0-9]")]))
    yield "starcoder", byte_level_kind(texts, sequence([
        pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=True)]), normalizers.NFKC())
    # A symbol that the vocabulary lacks is spelled in the bytes of the symbol, or unknown.
    for name, spell in [("symbols_spelled", True), ("symbols_unknown", False)]:
        content = byte_level_kind(texts, pre_tokenizers.ByteLevel(add_prefix_space=False))
        model = content["model"]
        model["merges"] = [m for m in model["merges"] if "ð" not in "".join(m)]
        tokens = [t for t in sorted(model["vocab"], key=model["vocab"].get) if "ð" not in t] + ["<unk>"] + ["<0xC3>", "<0xB0>"] * spell
        model.update(vocab={t: i for i, t in enumerate(tokens)}, byte_fallback=spell, unk_token="<unk>", fuse_unk=True)
        yield name, content
    merged = byte_level_kind(texts, sequence([
        split(r"\d+", "merged_with_previous"), split(r"\p{P}+", "merged_with_next"), split(r"\p{Lu}\p{Ll}*", "contiguous"),
        split(r"\n", "removed"), byte_level]), normalizers.NFD())
    merged["post_processor"] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    yield "merged", merged


SPM_DECODER = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]


def spm_bpe(texts, specials, spell=True, vocab_size=1500):
    """A vocabulary as SentencePiece lays it out: specials, bytes, merged tokens, characters (rare ones are left out)."""
    trainer_tokenizer = Tokenizer(models.BPE())
    trainer_tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer_tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False, limit_alphabet=400,
                                                                     min_frequency=2))
    model = json.loads(trainer_tokenizer.to_str())["model"]
    tokens = specials + ([f"<0x{b:02X}>" for b in range(256)] if spell else [])
    tokens += [t for t in sorted(model["vocab"], key=model["vocab"].get) if t not in tokens]
    # What the training text spells out must not become a token by merging.
    fixed = set(tokens[:len(specials) + (256 if spell else 0)])
    merges = [m for m in model["merges"] if not fixed & {*m, "".join(m)}]
    for run in ["▁▁", "▁▁▁", "▁▁▁▁", "\n\n"]:
        if run not in tokens and all(c in tokens for c in run):
            tokens.append(run)
    known = set(tokens)
    merges += [m for m in [["▁", "▁"], ["▁▁", "▁"], ["▁▁", "▁▁"], ["▁", "▁▁"], ["\n", "\n"]] if m not in merges and "".join(m) in known
               and m[0] in known and m[1] in known]
    return {t: i for i, t in enumerate(tokens)}, merges


def spm_tokenizer(vocab, merges, **options):
    return Tokenizer(models.BPE({k: v for k, v in vocab.items()}, [tuple(m) for m in merges], **options))


def sentencepiece_bpe_kinds(texts):
    specials = ["<unk>", "<s>", "</s>"]
    vocab, merges = spm_bpe(texts, specials)
    options = dict(unk_token="<unk>", fuse_unk=True, byte_fallback=True)

    def specials_added(content, more=()):
        content["added_tokens"] = [added(i, t) for i, t in enumerate(specials)] + list(more)
        return content

    llama2 = spm_tokenizer(vocab, merges, **options)
    llama2.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    llama2.decoder = decoders.Sequence(SPM_DECODER + [decoders.Strip(" ", 1, 0)])
    content = specials_added(json.loads(llama2.to_str()), [
        added(len(vocab), "<mask>", special=False, lstrip=True, normalized=False), added(len(vocab) + 1, "<norm>", special=False),
        added(len(vocab) + 2, "<r>", special=True, rstrip=True, normalized=True)])
    content["post_processor"] = template([("<s>", 1)], [])
    yield "llama2", content

    for name, scheme, cut in [("mistral", "first", False), ("metaspace_always", "always", True), ("metaspace_never", "never", True),
                              ("metaspace_first_split", "first", True)]:
        tokenizer = spm_tokenizer(vocab, merges, **options)
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace("▁", prepend_scheme=scheme, split=cut)
        tokenizer.decoder = decoders.Metaspace("▁", prepend_scheme=scheme, split=cut) if cut else \
            decoders.Sequence(SPM_DECODER + [decoders.Strip(" ", 1, 0)])
        if name == "metaspace_first_split":
            tokenizer.normalizer = normalizers.Sequence([normalizers.Strip(True, True), normalizers.NFKC()])
        content = specials_added(json.loads(tokenizer.to_str()),
                                 [added(len(vocab), "[INST]"), added(len(vocab) + 1, "[/INST]"), added(len(vocab) + 2, "two words", False)])
        content["post_processor"] = template([("<s>", 1)], [("</s>", 2)])
        yield name, content

    gemma_vocab, gemma_merges = spm_bpe(texts, ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "[multimodal]"])
    gemma_vocab["\t"] = gemma_vocab.pop("<0x09>") if "\t" not in gemma_vocab else gemma_vocab["\t"]
    gemma = spm_tokenizer(gemma_vocab, gemma_merges, **options)
    gemma.normalizer = normalizers.Replace(" ", "▁")
    gemma.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    gemma.decoder = decoders.Sequence(SPM_DECODER)
    content = json.loads(gemma.to_str())
    size = len(gemma_vocab)
    content["added_tokens"] = [added(i, t) for i, t in enumerate(["<pad>", "<eos>", "<bos>", "<unk>"])] + [
        added(size, "<start_of_turn>"), added(size + 1, "<end_of_turn>"), added(size + 2, "▁▁▁▁▁", False, normalized=False)]
    content["post_processor"] = template([("<bos>", 2)], [])
    yield "gemma", content

    # No bytes to fall back on: unknown characters, fused and not; a file without a decoder.
    bare_vocab, bare_merges = spm_bpe(texts, specials, spell=False)
    for name, fuse in [("unknown_fused", True), ("unknown_single", False)]:
        tokenizer = spm_tokenizer(bare_vocab, bare_merges, unk_token="<unk>", fuse_unk=fuse)
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace() if fuse else pre_tokenizers.Sequence(
            [pre_tokenizers.BertPreTokenizer(), pre_tokenizers.CharDelimiterSplit("-")])
        yield name, specials_added(json.loads(tokenizer.to_str()))
    partly = {t: i for i, t in enumerate(t for t in vocab if t not in ("<0xE2>", "<0xF0>"))}
    tokenizer = spm_tokenizer(partly, merges, **options)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.Replace(Regex(r"[\s▁]{2,}"), "▁"),
                                                 normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(SPM_DECODER)
    yield "spelled_partly", specials_added(json.loads(tokenizer.to_str()))


def unigram_kind(texts, normalizer, pre_tokenizer, specials, spell=False, vocab_size=1200):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=vocab_size, show_progress=False, unk_token="<unk>",
                                                                 special_tokens=specials))
    content = json.loads(tokenizer.to_str())
    if spell:
        content["model"]["byte_fallback"] = True
        vocab = content["model"]["vocab"]
        taken = {t for t, _ in vocab}
        vocab += [[f"<0x{b:02X}>", -20.0 - b / 16] for b in range(256) if f"<0x{b:02X}>" not in taken]
        content["decoder"] = json.loads(decoders.Sequence(SPM_DECODER).__getstate__())
    for token in content["added_tokens"]:
        token["id"] = next(i for i, (t, _) in enumerate(content["model"]["vocab"]) if t == token["content"])
    return content


def precompiled(charsmap):
    return normalizers.Precompiled(charsmap)


def unigram_kinds(texts, charsmap):
    collapse = normalizers.Replace(Regex(" {2,}"), "▁")
    sequence = pre_tokenizers.Sequence
    t5 = unigram_kind(texts, precompiled(charsmap), sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]),
                      ["<pad>", "</s>", "<unk>"])
    t5["post_processor"] = template([], [("</s>", 1)])
    size = len(t5["model"]["vocab"])
    t5["added_tokens"] += [added(size, "<extra_id_0>"), added(size + 1, "<mask>", True, lstrip=True), added(size + 2, "<norm>", False)]
    yield "t5", t5

    yield "albert", unigram_kind(texts, normalizers.Sequence([
        normalizers.Replace("``", '"'), normalizers.Replace("''", '"'), normalizers.NFKD(), normalizers.StripAccents(),
        normalizers.Lowercase(), precompiled(charsmap), collapse]), pre_tokenizers.Metaspace(), ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"])
    yield "xlmr", unigram_kind(texts, normalizers.Sequence([
        precompiled(charsmap), normalizers.Strip(False, True), collapse]), pre_tokenizers.Metaspace(), ["<s>", "<pad>", "</s>", "<unk>"])
    yield "unigram_spelled", unigram_kind(texts, normalizers.NFKC(), pre_tokenizers.Metaspace(split=False, prepend_scheme="first"),
                                          ["<unk>"], spell=True)
    yield "unigram_words", unigram_kind(texts, normalizers.NFD(), sequence([
        pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("merged_with_next"), pre_tokenizers.Digits(True),
        pre_tokenizers.Metaspace(prepend_scheme="never")]), ["<unk>"])


def unigram_symbols(texts):
    """Unigram over the symbols of ByteLevel."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=900, show_progress=False, unk_token="<unk>",
                                                                 special_tokens=["<unk>"]))
    content = json.loads(tokenizer.to_str())
    content["post_processor"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    yield "unigram_symbols", content


def kinds(texts, prose, charsmap):
    for makers in [byte_level_kinds(texts), sentencepiece_bpe_kinds(texts), unigram_kinds(prose, charsmap), unigram_symbols(prose)]:
        for name, content in makers:
            # The library numbers added tokens itself.
            yield name, json.loads(Tokenizer.from_str(json.dumps(content)).to_str())
