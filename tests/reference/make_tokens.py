"""Asks transformers' GPT-2 tokenizer how it reads texts, with files as people publish them.

    python make_tokens.py --check
    python make_tokens.py --write

The answers are in ../fixtures/tokens.json; ../fixtures/README.md says what each field means. Needs transformers and no torch: the
tokenizers are the bundled model's, with some of their files changed.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from transformers import AutoTokenizer

ROOT = Path(__file__).parent.parent.parent
MINI = ROOT / "assets" / "models" / "mini"
FILE = Path(__file__).parent.parent / "fixtures" / "tokens.json"
# The first id that the bundled model does not have.
NEW = json.loads((MINI / "config.json").read_text())["vocab_size"]
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
# Of this class the files say everything; transformers' own class for GPT-2 puts a tokenizer together anew.
OF_FILE = {"tokenizer_class": "PreTrainedTokenizerFast"}


def added(id, content, special=True, **flags):
    defaults = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": not special}
    return {"id": id, "content": content, **defaults, **flags, "special": special}


BOS = added(0, "<|endoftext|>")
TEXTS = ["When Kate and Tom went to the park", " Kate", "Kate", "a  b\n\nc ", "naïve café 漢字 👩‍👩‍👧", "<|endoftext|>", "the<|endoftext|>Tom"]
CHAT = [
    "<|user|>Kate gave Tom a ring<|end|><|assistant|>Tom",
    "<|user|> Kate",
    "a <|user|> b",
    "<|use|>",
    "zork",
    "a zork and zorks, azork",
    " zork",
    "<|user|",
    "Zork",
]
STRIPS = ["a <mask> b", "a   <mask>   b", "<mask>", "a<mask>b", "a <left> b", "a <right>  b", "a word b", "awordb", "a wordb", "word.", "<left><right> "]


def variants():
    """Name, what is changed of tokenizer.json (`split`: it is in vocab.json and merges.txt), other files, texts."""
    yield "plain", {}, {}, TEXTS
    chat = [BOS, added(NEW, "<|user|>"), added(NEW + 1, "<|assistant|>"), added(NEW + 2, "<|end|>"), added(NEW + 3, "zork", special=False)]
    yield "special and added tokens", {"added_tokens": chat}, {}, TEXTS + CHAT
    flags = [
        BOS,
        added(NEW, "<mask>", lstrip=True, rstrip=True),
        added(NEW + 1, "<left>", lstrip=True),
        added(NEW + 2, "<right>", rstrip=True),
        added(NEW + 3, "word", special=False, single_word=True),
        added(NEW + 4, "café", special=False),
        added(NEW + 5, "CAFÉ", special=False, normalized=False),
    ]
    yield "flags", {"added_tokens": flags}, {}, TEXTS + STRIPS + ["a café, CAFÉ"]
    nfc = {"normalizer": {"type": "NFC"}, "added_tokens": flags}
    yield "normalizer", nfc, {"tokenizer_config.json": OF_FILE}, ["cafe\u0301", "café", "a naïve nai\u0308ve", "CAFE\u0301"]
    truncation = {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0}
    padding = {"strategy": {"Fixed": 12}, "direction": "Left", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "<|endoftext|>"}
    yield "padding and truncation", {"truncation": truncation, "padding": padding}, {"tokenizer_config.json": OF_FILE}, TEXTS
    template = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}},
    }
    yield "post-processor", {"post_processor": template}, {"tokenizer_config.json": OF_FILE}, TEXTS
    prefix = {"pre_tokenizer": {**BYTE_LEVEL, "add_prefix_space": True}, "added_tokens": chat}
    yield "prefix space of the file", prefix, {"tokenizer_config.json": OF_FILE}, TEXTS + CHAT
    both = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}
    yield "prefix space of both", prefix, {"tokenizer_config.json": both}, TEXTS + CHAT
    yield "prefix space of the configuration", {}, {"tokenizer_config.json": both}, TEXTS
    neither = {"tokenizer_class": "GPT2TokenizerFast", "add_prefix_space": False}
    yield "no prefix space of the configuration", prefix, {"tokenizer_config.json": neither}, TEXTS + CHAT
    of_file = {**OF_FILE, "add_prefix_space": True}
    yield "prefix space of a general class", {}, {"tokenizer_config.json": of_file}, TEXTS
    yield "tokens apart", {"split": True}, {}, TEXTS
    apart = {
        "added_tokens.json": {"<|pad|>": NEW, "zork": NEW + 1},
        "special_tokens_map.json": {"bos_token": "<|endoftext|>", "pad_token": "<|pad|>", "additional_special_tokens": ["<|user|>"]},
    }
    yield "tokens apart with added ones", {"split": True}, apart, TEXTS + CHAT + ["<|pad|>", "a <|pad|> b"]
    decoder = {
        "tokenizer_class": "GPT2Tokenizer",
        "add_prefix_space": False,
        "bos_token": "<|user|>",
        "added_tokens_decoder": {
            token["id"]: {key: token[key] for key in token if key != "id"}
            for token in (BOS, added(NEW, "<|user|>", lstrip=True), added(NEW + 1, "zork", special=False))
        },
    }
    yield "tokens apart, described in the configuration", {"split": True}, {"tokenizer_config.json": decoder}, TEXTS + CHAT
    prefixed = {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True}
    yield "tokens apart with a prefix space", {"split": True}, {"tokenizer_config.json": prefixed}, TEXTS
    named = {"bos_token": {"content": "<|user|>", "lstrip": False}, "eos_token": "<|end|>"}
    yield "another BOS in the map", {"added_tokens": chat}, {"special_tokens_map.json": named}, TEXTS + CHAT
    missing = {**OF_FILE, "bos_token": "<s>", "pad_token": "<pad>"}
    yield "a BOS that is added", {}, {"tokenizer_config.json": missing}, TEXTS + ["<s>Tom<pad>"]
    unknown = {**OF_FILE, "eos_token": "<|end|>"}
    yield "a BOS that is the EOS", {"added_tokens": chat}, {"tokenizer_config.json": unknown}, CHAT
    split = {**OF_FILE, "split_special_tokens": True}
    yield "special tokens that are split", {"added_tokens": chat}, {"tokenizer_config.json": split}, TEXTS + CHAT
    learned = {"added_tokens": []}
    yield "learned and not declared special", learned, {}, TEXTS


def folder(path, changes, files):
    tokenizer = json.loads((MINI / "tokenizer.json").read_text(encoding="utf-8"))
    tokenizer.update({key: value for key, value in changes.items() if key != "split"})
    if changes.get("split"):
        model = tokenizer["model"]
        (path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
        merges = "".join(f"{first} {second}\n" for first, second in model["merges"])
        (path / "merges.txt").write_text("#version: 0.2\n" + merges, encoding="utf-8")
    else:
        (path / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    for name, content in files.items():
        (path / name).write_text(json.dumps(content), encoding="utf-8")
    (path / "config.json").write_text((MINI / "config.json").read_text())


def bos(tokenizer):
    """The beginning-of-sequence token as TransformerLens's `set_tokenizer` finds it."""
    text = tokenizer.bos_token or tokenizer.eos_token or "<|endoftext|>"
    return tokenizer.convert_tokens_to_ids(text)


def ask(name, changes, files, texts):
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary)
        folder(path, changes, files)
        tokenizer = AutoTokenizer.from_pretrained(path)
        read = [[text, tokenizer(text, add_special_tokens=False)["input_ids"]] for text in texts]
        return {"name": name, "tokenizer": changes, "files": files, "bos": bos(tokenizer), "texts": read}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true")
    mode.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    lines = [json.dumps(ask(*variant), ensure_ascii=False) for variant in variants()]
    text = "[\n" + ",\n".join(lines) + "\n]\n"
    if arguments.write:
        FILE.write_text(text, encoding="utf-8")
    elif FILE.read_text(encoding="utf-8") != text:
        sys.exit(f"{FILE} is not what transformers says")


if __name__ == "__main__":
    main()
