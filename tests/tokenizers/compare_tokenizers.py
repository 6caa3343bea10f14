#!/usr/bin/env python3
"""Compares limn's tokens of public vocabularies with those of the originals: `tokenizers`, `transformers` 4 and `sentencepiece`.

    compare_tokenizers.py TOKENIZER_LINES VOCABULARIES CAPTIONS [--lines N] [--seed N] [--show N]

TOKENIZER_LINES is build/tests/tokenizers/tokenizer_lines, VOCABULARIES a folder with bert_vocab.txt, gpt2_vocab.json
and gpt2_merges.txt, CAPTIONS a file with one on each line (after a tab, if there is one), which SentencePiece models
are also trained on. Tokenizes N lines, half of them captions and half hard ones, and every Unicode character between
two letters; decodes N random lists of ids (limn leaves out U+0000). Exit code 4 if something differs."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "ptb"))
from hard_lines import hard_lines  # noqa: E402

SPACES = ["\n", "\r\n", "  ", "   ", " \n ", "\t\t", "\u00a0", "\u2028", "\u3000", "\x1c", "\x0b", "\x85", "\u200b", "\ufeff", "\u2581", " \u2581 "]


def run(program, arguments, lines):
    """limn's results for texts and lists of ids."""
    done = subprocess.run([program, *arguments], input="".join(json.dumps(line) + "\n" for line in lines).encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def texts_of(args):
    """Captions and hard lines, as they are and with more white space."""
    rng = random.Random(args.seed)
    captions = [line.rstrip("\n").split("\t")[-1] for line in open(args.captions, encoding="utf-8")]
    texts = rng.sample(captions, min(len(captions), args.lines // 2))
    hard = hard_lines(args.seed, args.lines - len(texts))
    for i in range(0, len(hard), 3):
        at = rng.randrange(len(hard[i]) + 1)
        hard[i] = hard[i][:at] + rng.choice(SPACES) + hard[i][at:]
    return captions, texts + hard + ["", " ", "\n", "a" * 101, "a" * 100, "x" * 5000, "é" * 300, "##ing", "a ##b"]


def characters():
    """Each character between letters and between spaces; \\0 can't be in a C string."""
    points = [c for c in range(1, 0x110000) if not 0xD800 <= c < 0xE000 and not 0xF0000 <= c]
    return [f"a{chr(c)}b {chr(c)} b'{chr(c)}" for c in points if unicodedata.category(chr(c)) not in ("Cn", "Co") or c % 97 == 0]


def check(name, lines, wanted, got, args, may_be=None):
    """The number of lines that differ; lines that match `may_be` are accepted."""
    differ = [(line, w, g) for line, w, g in zip(lines, wanted, got) if w != g and (not may_be or may_be(line) != g)]
    for line, w, g in differ[:args.show]:
        print(f"  {name}: {json.dumps(line)[:150]}\n    original {w if isinstance(w, list) else repr(w)}\n    limn     {g if isinstance(g, list) else repr(g)}"[:600])
    print(f"{name}: {len(lines)} lines, {len(differ)} differ")
    return len(differ)


def compare(name, args, arguments, encode, decode, texts, n_tokens, may_be=None):
    """Compares everything for one vocabulary. encode(texts) and decode(ids) are the original's."""
    if encode and not args.no_characters:
        points = characters()
        n_differ = check(f"{name}, characters", points, encode(points), [g["ids"] for g in run(args.program, arguments, points)], args, may_be)
    else:
        n_differ = 0
    rng = random.Random(args.seed)
    if encode:
        got = run(args.program, arguments, texts)
        wanted = encode(texts)
        n_differ += check(f"{name}, tokens", texts, wanted, [g["ids"] for g in got], args, may_be)
        n_differ += check(f"{name}, captions", texts, [decode(g["ids"]) for g in got], [g["text"] for g in got], args)
    ids = [[rng.randrange(n_tokens) for _ in range(rng.randrange(1, 12))] for _ in range(args.lines)]
    got = run(args.program, arguments, ids)
    return n_differ + check(f"{name}, random ids", ids, [decode(i).replace("\0", "") for i in ids], [g["text"] for g in got], args)


def compare_bert(args, texts):
    """BERT's, lower-cased and cased."""
    from transformers import BertTokenizer, BertTokenizerFast

    path = os.path.join(args.vocabularies, "bert_vocab.txt")
    texts = [text.replace("\u1885", "") for text in texts]  # a mark since Unicode 9, but a letter to `tokenizers`
    n_differ = 0
    for lower in (True, False):
        fast = BertTokenizerFast(path, do_lower_case=lower)
        slow = BertTokenizer(path, do_lower_case=lower)

        def encode(lines):
            return [e.ids for e in fast._tokenizer.encode_batch(lines, add_special_tokens=False)]

        def decode(ids):
            return slow.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=True)

        def older_unicode(line):
            """`tokenizers` uses the categories of Unicode 8, transformers' own code those of Python."""
            return slow.convert_tokens_to_ids(slow.tokenize(line, split_special_tokens=True))

        fast._tokenizer.encode_special_tokens = True
        arguments = ["101,102,0,100,0,100,101,103", "wordpiece" if lower else "wordpiece_cased", path]
        n_differ += compare(arguments[1], args, arguments, encode, decode, texts, 30522, older_unicode)
    return n_differ


def compare_gpt2(args, texts):
    """GPT-2's."""
    from transformers import GPT2TokenizerFast

    files = [os.path.join(args.vocabularies, name) for name in ("gpt2_vocab.json", "gpt2_merges.txt")]
    fast = GPT2TokenizerFast(*files)
    fast._tokenizer.encode_special_tokens = True

    def encode(lines):
        return [e.ids for e in fast._tokenizer.encode_batch(lines, add_special_tokens=False)]

    def decode(ids):
        return fast.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False).strip()

    return compare("byte_bpe", args, ["50256,50256,50256,-1", "byte_bpe", *files], encode, decode, texts, 50257)


def compare_sentencepiece(args, captions, texts):
    """Models trained here: like VirTex's, with every other option, and unigram."""
    import sentencepiece

    virtex = "--model_type=bpe --bos_id=-1 --eos_id=-1 --control_symbols=[SOS],[EOS],[MASK] --character_coverage=1.0 --vocab_size=2000"
    others = {
        "virtex": (virtex, "1,2,0,0"),
        "bytes": ("--model_type=bpe --byte_fallback --vocab_size=1500 --user_defined_symbols=<sep>,dog --character_coverage=0.99", "1,2,-1,0"),
        "plain": ("--model_type=bpe --vocab_size=1500 --normalization_rule_name=identity --remove_extra_whitespaces=false", "1,2,-1,0"),
        "no_prefix": ("--model_type=bpe --vocab_size=1500 --add_dummy_prefix=false --normalization_rule_name=nmt_nfkc_cf", "1,2,-1,0"),
        "unigram": ("--model_type=unigram --vocab_size=1500", "1,2,-1,0"),
    }
    n_differ = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "captions.txt")
        with open(corpus, "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in captions[:20000]))
        for name, (options, specials) in others.items():
            sentencepiece.SentencePieceTrainer.train(f"--input={corpus} --model_prefix={folder}/{name} --minloglevel=2 {options}")
            model = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/{name}.model")
            encode = None if name == "unigram" else model.encode
            n_differ += compare(f"sentencepiece {name}", args, [specials, "sentencepiece", f"{folder}/{name}.model"], encode, model.decode,
                                texts, model.get_piece_size())
    return n_differ


def main():
    """All vocabularies."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("vocabularies")
    parser.add_argument("captions")
    parser.add_argument("--lines", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5)
    parser.add_argument("--no-characters", action="store_true")
    parser.add_argument("--only", choices=["bert", "gpt2", "sentencepiece"])
    args = parser.parse_args()
    captions, texts = texts_of(args)
    n_differ = 0
    if args.only in (None, "bert"):
        n_differ += compare_bert(args, texts)
    if args.only in (None, "gpt2"):
        n_differ += compare_gpt2(args, texts)
    if args.only in (None, "sentencepiece"):
        n_differ += compare_sentencepiece(args, captions, texts)
    sys.exit(4 if n_differ else 0)


if __name__ == "__main__":
    main()
