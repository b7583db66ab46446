"""tokenizer.model files as SentencePiece trains them, and vocab.json with merges.txt, each with the tokenizer.json it stands for."""
import base64
import io
import json
import os

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from transformers.convert_slow_tokenizer import generate_merges

from text_oracle_kinds import QWEN2, added

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6


def train(texts, **options):
    model = io.BytesIO()
    lines = [line for text in texts for line in text.split("\n") if line.strip() and "\0" not in line]
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(lines), model_writer=model, minloglevel=2, num_threads=1,
                                             hard_vocab_limit=False, **options)
    return model.getvalue()


def charsmap_of(model):
    return sentencepiece_model_pb2.ModelProto.FromString(model).normalizer_spec.precompiled_charsmap


def document(model):
    """The tokenizer.json: transformers' merges, SentencePiece's own normalisation."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    pieces, trainer, rules = proto.pieces, proto.trainer_spec, proto.normalizer_spec
    unknown = next(i for i, p in enumerate(pieces) if p.type == UNKNOWN)
    if trainer.model_type == 1:
        content = {"type": "Unigram", "vocab": [[p.piece, p.score] for p in pieces], "unk_id": unknown,
                   "byte_fallback": trainer.byte_fallback}
    else:
        vocab = {p.piece: i for i, p in enumerate(pieces)}
        merges = generate_merges(vocab, {p.piece: p.score for p in pieces}, [p.piece for p in pieces if p.type != NORMAL])
        content = {"type": "BPE", "vocab": vocab, "merges": [list(m) for m in merges], "unk_token": pieces[unknown].piece,
                   "fuse_unk": True, "byte_fallback": trainer.byte_fallback}
    steps = []
    if rules.precompiled_charsmap:
        steps.append({"type": "Precompiled", "precompiled_charsmap": base64.b64encode(rules.precompiled_charsmap).decode()})
    if rules.remove_extra_whitespaces:
        steps += [{"type": "Replace", "pattern": {"Regex": r"(?<!.|\n) +| +(?!.|\n)"}, "content": ""},
                  {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]
    if rules.add_dummy_prefix:
        steps.append({"type": "Prepend", "prepend": "▁"})
    steps.append({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
    decoders = [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}]
    decoders += [{"type": "ByteFallback"}] * trainer.byte_fallback + [{"type": "Fuse"}]
    decoders += [{"type": "Strip", "content": " ", "start": 1, "stop": 0}] * rules.add_dummy_prefix
    return {"version": "1.0", "truncation": None, "padding": None,
            "added_tokens": [added(i, p.piece, p.type != USER_DEFINED, normalized=False) for i, p in enumerate(pieces)
                             if p.type in (UNKNOWN, CONTROL, USER_DEFINED)],
            "normalizer": {"type": "Sequence", "normalizers": steps}, "pre_tokenizer": None, "post_processor": None,
            "decoder": {"type": "Sequence", "decoders": decoders}, "model": content}


def sentencepiece_models(prose):
    """(name, model)"""
    yield "spm_bpe", train(prose, model_type="bpe", vocab_size=2000, byte_fallback=True, normalization_rule_name="identity",
                           remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True)
    yield "spm_bpe_rules", train(prose, model_type="bpe", vocab_size=2000, character_coverage=0.98, user_defined_symbols=["[INST]", "<r>"],
                                 control_symbols=["<mask>"])
    yield "spm_unigram", train(prose, model_type="unigram", vocab_size=1200, pad_id=3, character_coverage=0.98)
    yield "spm_unigram_spelled", train(prose, model_type="unigram", vocab_size=1400, byte_fallback=True, add_dummy_prefix=False,
                                       remove_extra_whitespaces=False, normalization_rule_name="nfkc", character_coverage=0.98)


def vocab_merges_folders(out, contents):
    """Writes folders; yields (name, folder, tokenizer.json content)."""
    for name, config in [("vocab_merges_gpt2", None), ("vocab_merges_qwen2", {"tokenizer_class": "Qwen2Tokenizer", "add_bos_token": False})]:
        content = contents["trained" if config is None else "qwen2"]
        folder = f"{out}/{name}"
        os.makedirs(folder, exist_ok=True)
        model = content["model"]
        with open(f"{folder}/vocab.json", "w", encoding="utf-8") as handle:
            json.dump(model["vocab"], handle, ensure_ascii=False)
        with open(f"{folder}/merges.txt", "w", encoding="utf-8", newline="") as handle:
            handle.write("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in model["merges"]))
        expected = dict(content, post_processor=None)
        if config:
            expected["added_tokens"] = [t for t in content["added_tokens"] if t["special"]]
            config["added_tokens_decoder"] = {str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in expected["added_tokens"]}
            with open(f"{folder}/tokenizer_config.json", "w", encoding="utf-8") as handle:
                json.dump(config, handle)
            assert expected["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] == QWEN2
        yield name, folder, expected
