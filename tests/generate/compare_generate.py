#!/usr/bin/env python3
"""Compares limn's --search transformers and virtex with the originals, on small decoders with random weights.

    compare_generate.py GENERATE_LINES [--seeds N] [--virtex FOLDER] [--layouts blip,gpt2,git,virtex]

GENERATE_LINES is build/tests/generate/generate_lines; FOLDER is a checkout of github.com/kdexd/virtex, whose beam search is
run (without it VirTex is left out, and said so). Searched are, for each seed, greedy and beams of 3, 4 and 5, with and without
a prompt, a minimum length, a repetition penalty and other length penalties. The same ids and scores (1e-3); where ids differ,
both captions' scores in double precision are printed, and may differ by 1e-4. Needs transformers 4.57. Exit 4 on a failure."""

import argparse
import importlib.util
import json
import math
import os
import subprocess
import sys
import tempfile

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import make_decoder_layouts as layouts  # noqa: E402

layouts.TOKENS, layouts.POSITIONS, N_MEMORY = 30, 40, 5
START, END = {"blip": 28, "gpt2": 29, "git": 28, "virtex": 1}, {"blip": 27, "gpt2": 29, "git": 27, "virtex": 2}
PROMPTS = [[], [7, 3], [5]]
CASES = [{"beam": beam, "prompt": prompt, **more} for beam in (1, 3, 4, 5) for prompt in range(3)
         for more in ({}, {"min_new": 6}, {"repetition_penalty": 1.5}, {"length_penalty": 0.0}, {"max_new": 7, "length_penalty": 2.0})]


def make(name, seed, features=None, is_ending=True):
    """The original's model in double precision, limn's tensors, and features."""
    kept = {}
    plain = layouts.randomise.__wrapped__ if hasattr(layouts.randomise, "__wrapped__") else layouts.randomise

    def randomise(tensors, number):
        tensors = list(tensors)
        plain(tensors, 1000 * seed + number)
        for key, t in tensors:  # so that captions end
            if is_ending and key.endswith(("predictions.bias", "output.bias")) and t.shape == (layouts.TOKENS,):
                t.data[END[name]] += 1.5

    def keep(cls):
        class Kept(cls):
            def __init__(self, *args, **more):
                super().__init__(*args, **more)
                kept.setdefault("model", self)
        return Kept
    originals = layouts.BlipTextLMHeadModel, layouts.GPT2LMHeadModel, layouts.GitForCausalLM, torch.nn.ModuleDict
    layouts.BlipTextLMHeadModel, layouts.GPT2LMHeadModel, layouts.GitForCausalLM = map(keep, originals[:3])
    torch.nn.ModuleDict = keep(originals[3])
    layouts.randomise = randomise
    layouts.randomise.__wrapped__ = plain
    generator = torch.Generator().manual_seed(seed)
    if features is None:
        features = torch.randn(N_MEMORY, layouts.DIM if name == "gpt2" else 24, generator=generator).double()
    try:
        made = getattr(layouts, name)(features, torch.tensor([1, 7, 3]))
    finally:
        layouts.BlipTextLMHeadModel, layouts.GPT2LMHeadModel, layouts.GitForCausalLM, torch.nn.ModuleDict = originals
    return kept["model"], made[0], made[3] if len(made) > 3 else features


def inputs_of(name, features):
    """What generate gets beside ids."""
    if name == "git":
        return {"pixel_values": torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(9))}
    return {"encoder_hidden_states": features[None].float(), "encoder_attention_mask": torch.ones(1, len(features), dtype=torch.long)}


def generate(name, model, features, case):
    """ids after the prompt, and the score (None for greedy)."""
    prompt = [START[name]] + PROMPTS[case["prompt"]]
    more = {"min_new_tokens": case["min_new"]} if case.get("min_new") else {}
    if case["beam"] > 1:
        more["length_penalty"] = case.get("length_penalty", 1.0)
    out = model.generate(torch.tensor([prompt]), **inputs_of(name, features), do_sample=False, num_beams=case["beam"],
                         max_new_tokens=case.get("max_new", 20), repetition_penalty=case.get("repetition_penalty", 1.0),
                         eos_token_id=END[name], pad_token_id=0, return_dict_in_generate=True, output_scores=True, **more)
    ids = out.sequences[0, len(prompt):].tolist()
    if END[name] in ids:
        ids = ids[:ids.index(END[name]) + 1]
    return ids, float(out.sequences_scores[0]) if case["beam"] > 1 else None


def logits_of(name, model, features, ids):
    """After each of ids, in double precision."""
    inputs = inputs_of(name, features)
    inputs = {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()}
    return model.double()(torch.tensor([ids]), **inputs).logits[0, -len(ids):]


def score(name, model, features, case, new):
    """Of new ids, in double precision, as the search scores them."""
    prompt = [START[name]] + PROMPTS[case["prompt"]]
    rows = logits_of(name, model, features, prompt + new)[len(prompt) - 1:]
    total, penalty, is_beam = 0.0, case.get("repetition_penalty", 1.0), case["beam"] > 1
    for i, token in enumerate(new):
        values = rows[i].log_softmax(-1)
        value = float(values[token])
        if is_beam and token in prompt + new[:i]:
            value *= penalty
        total += value
    model.float()
    return total / len(new) ** case.get("length_penalty", 1.0)


def original_virtex(folder, name, model, features, beam, max_steps=30):
    """VirTex's own search over its head."""
    spec = importlib.util.spec_from_file_location("beam_search", os.path.join(folder, "virtex", "utils", "beam_search.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model.float()

    def step(ids):
        ids = ids if ids.dim() == 2 else ids[:, None]
        n = ids.shape[1]
        x = model["norm"](model["words"](ids) + model["positions"](torch.arange(n))) * (ids != 0)[..., None]
        memory = model["projection"](features.float())[None].expand(len(ids), -1, -1)
        mask = torch.full((n, n), -math.inf).triu(1)
        return model["output"](model["transformer"](x, memory, tgt_mask=mask)[:, -1])

    # The search gives what it has predicted; the head reads the start token before it.
    def step_after_start(ids):
        if ids.dim() == 1:
            return step(ids)
        return step(torch.cat([torch.full((len(ids), 1), START[name]), ids], 1))
    ids, logprob = module.AutoRegressiveBeamSearch(END[name], max_steps=max_steps, beam_size=beam, per_node_beam_size=2).search(
        torch.tensor([START[name]]), step_after_start)
    ids = ids[0].flatten().tolist()
    return ids[:ids.index(END[name]) + 1] if END[name] in ids else ids, float(logprob[0])


def run(program, path, cases):
    """limn's answers."""
    done = subprocess.run([program, path], input="".join(json.dumps(case) + "\n" for case in cases).encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def compare(what, ids, value, ours, gap):
    """Whether it is a failure; differences are printed. gap() is that of the two captions' scores."""
    if ids == ours["ids"]:
        if value is None or abs(value - ours["score"]) <= 1e-3:
            return False
        print(f"{what}: score {value}, limn's {ours['score']}")
        return True
    distance = gap()
    print(f"{what}: {ids}, limn's {ours['ids']}; their scores differ by {distance:.2g}")
    return not distance < 1e-4


def main():
    """All layouts and seeds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--virtex")
    parser.add_argument("--layouts", default="blip,gpt2,git,virtex")
    args = parser.parse_args()
    torch.set_num_threads(1)
    n_failed = 0
    for name in args.layouts.split(","):
        if name == "virtex" and not args.virtex:
            print("virtex: left out, no --virtex FOLDER")
            continue
        n_ended = n_compared = n_differ = 0
        for seed in range(args.seeds):
            model, tensors, features = make(name, seed)
            with tempfile.NamedTemporaryFile(suffix=".safetensors") as file, torch.no_grad():
                layouts.write(file.name, name, tensors, features, [], 0, torch.zeros(8), torch.zeros(8, layouts.TOKENS), None)
                model.float()
                cases = [{"beam": 5, "prompt": 0}, {"beam": 3, "prompt": 0}, {"beam": 1, "prompt": 0}] if name == "virtex" else CASES
                asked = [{"search": "virtex" if name == "virtex" else "transformers", "end": END[name], "beam": c["beam"],
                          "max_new": c.get("max_new", 30 if name == "virtex" else 20), "min_new": c.get("min_new", 0),
                          "length_penalty": c.get("length_penalty", 1.0), "repetition_penalty": c.get("repetition_penalty", 1.0),
                          "prompt": [START[name]] + PROMPTS[c["prompt"]]} for c in cases]
                for case, ours in zip(cases, run(args.program, file.name, asked)):
                    if name == "virtex":
                        ids, value = original_virtex(args.virtex, name, model, features, case["beam"])
                    else:
                        ids, value = generate(name, model, features, case)
                    n_compared += 1
                    n_ended += ids[-1] == END[name]
                    n_differ += ids != ours["ids"]
                    n_failed += compare(f"{name} seed {seed} {case}", ids, value, ours,
                                        lambda: abs(ours["score"] - value) if name == "virtex" else
                                        abs(score(name, model, features, case, ids) - score(name, model, features, case, ours["ids"])))
        print(f"{name}: {n_compared} searches, {n_ended} with an end token, {n_differ} of other ids, failed so far {n_failed}", flush=True)
    sys.exit(4 if n_failed else 0)


if __name__ == "__main__":
    main()
